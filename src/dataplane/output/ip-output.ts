/**
 * Sends the current packet, fragmented where needed and allowed (the kernel's ip_output,
 * ip_fragment).
 */
import { Drop } from '../../stats/drops.js';
import type { FinalVerdict } from '../../stats/verdict.js';
import * as ethernet from '../../wire/ethernet.js';
import * as extensions from '../../wire/extensions.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { neighbourOutput } from './neighbour-output.js';
import { sendRefragmented } from './refragment.js';
import { drop } from './verdict.js';

/**
 * `p.l3` and `p.l3len` tell where the packet is; all its fields are final. `hop`: the neighbour.
 * `mtu`: of its route. The verdict is that of the first fragment, which stays in the received
 * frame.
 */
export function ipOutput(d: Director, hop: number, mtu: number): FinalVerdict {
  const p = d.packet;
  if (p.parts !== 0) return sendRefragmented(d, hop, mtu);
  if (p.l3len <= mtu)
    return neighbourOutput(d, hop, p.l3 - ethernet.HEADER, p.l3len + ethernet.HEADER, typeOf(d), false);
  if (p.etherType === ethernet.TYPE_IPV4) return sendFragments(d, hop, mtu);
  return p.family === 4 ? sendFragments6(d, hop, mtu) : drop(d, Drop.mtuExceeded);
}

function typeOf(d: Director): number {
  return d.umem.view.getUint8(d.packet.l3) >>> 4 === 6 ? ethernet.TYPE_IPV6 : ethernet.TYPE_IPV4;
}

/**
 * Fragments an IPv4 packet (RFC 791, 3.2): fragments of a multiple of 8 bytes, each with a copy of
 * the header. The first one stays in its frame and leaves first; the others are new frames. A
 * packet that is fragmented in spite of DF (an ICMP error that follows a connection) loses DF.
 */
function sendFragments(d: Director, hop: number, mtu: number): FinalVerdict {
  const p = d.packet;
  const { view, u8 } = d.umem;
  const header = ipv4.headerLen(view, p.l3);
  const step = (mtu - header) & ~7;
  const data = p.l3len - header;
  const base = ipv4.fragmentOffset(view, p.l3);
  const more = ipv4.moreFragments(view, p.l3);
  const count = Math.ceil(data / step);
  if (step <= 0 || d.umem.freeFrames < count - 1) return drop(d, Drop.noFrame);
  for (let i = count - 1; i >= 1; i--) {
    const frame = d.umem.alloc();
    const ip = frame + ethernet.HEADER;
    const len = Math.min(step, data - i * step);
    u8.copyWithin(ip, p.l3, p.l3 + header);
    u8.copyWithin(ip + header, p.l3 + header + i * step, p.l3 + header + i * step + len);
    finishFragment(view, ip, header + len, base + i * step, more || i < count - 1);
    if (header > ipv4.HEADER) ipv4.blankOptions(view, ip, header);
    later[i] = frame;
    laterLen[i] = ethernet.HEADER + header + len;
  }
  finishFragment(view, p.l3, header + step, base, true);
  const first = ethernet.HEADER + header + step;
  const verdict = neighbourOutput(d, hop, p.l3 - ethernet.HEADER, first, ethernet.TYPE_IPV4, false);
  for (let i = 1; i < count; i++) neighbourOutput(d, hop, later[i]!, laterLen[i]!, ethernet.TYPE_IPV4, true);
  return verdict;
}

/**
 * Fragments an IPv4 packet inside an outer IPv6 header: a fragment header goes behind the outer
 * header. The first fragment stays in its frame; its outer header moves to the front.
 */
function sendFragments6(d: Director, hop: number, mtu: number): FinalVerdict {
  const p = d.packet;
  const { view, u8 } = d.umem;
  const step = (mtu - ipv6.HEADER - extensions.FRAGMENT_HEADER) & ~7;
  const inner = p.l3 + ipv6.HEADER;
  const data = p.l3len - ipv6.HEADER;
  const count = Math.ceil(data / step);
  if (step <= 0 || d.umem.freeFrames < count - 1) return drop(d, Drop.noFrame);
  const protocol = ipv6.nextHeader(view, p.l3);
  const id = d.random.next();
  for (let i = count - 1; i >= 0; i--) {
    const len = Math.min(step, data - i * step);
    const ip = i === 0 ? p.l3 - extensions.FRAGMENT_HEADER : d.umem.alloc() + ethernet.HEADER;
    const after = ip + ipv6.HEADER;
    u8.copyWithin(ip, p.l3, inner);
    if (i > 0) u8.copyWithin(after + extensions.FRAGMENT_HEADER, inner + i * step, inner + i * step + len);
    view.setUint8(ip + ipv6.NEXT_HEADER, extensions.FRAGMENT);
    ipv6.setPayloadLen(view, ip, extensions.FRAGMENT_HEADER + len);
    extensions.writeFragment(view, after, protocol, i * step, i < count - 1, id);
    later[i] = ip - ethernet.HEADER;
    laterLen[i] = ethernet.HEADER + ipv6.HEADER + extensions.FRAGMENT_HEADER + len;
  }
  const verdict = neighbourOutput(d, hop, later[0]!, laterLen[0]!, ethernet.TYPE_IPV6, false);
  for (let i = 1; i < count; i++) neighbourOutput(d, hop, later[i]!, laterLen[i]!, ethernet.TYPE_IPV6, true);
  return verdict;
}

/** Frames of one fragmentation. A packet of 65,535 bytes at the smallest MTU needs fewer. */
const later = new Int32Array(2048);
const laterLen = new Int32Array(2048);

function finishFragment(view: DataView, ip: number, total: number, offset: number, more: boolean): void {
  ipv4.setTotalLen(view, ip, total);
  ipv4.setFragment(view, ip, offset, more, false);
  ipv4.fillChecksum(view, ip);
}
