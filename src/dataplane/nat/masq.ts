/**
 * LVS-NAT in both directions: rewrites addresses and ports in place, and updates checksums
 * incrementally (RFC 1624). The kernel: ip_vs_nat_xmit, handle_response.
 */
import { DADDR, DPORT_PROTO_STATE, ENTRY_SHIFT, PORTS, VADDR, WIDE_DADDR, WIDE_VADDR } from '../../conntrack/entry.js';
import { Method } from '../../service/service.js';
import { pseudo4, pseudo6 } from '../../wire/checksum.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import * as sctp from '../../wire/sctp.js';
import * as tcp from '../../wire/tcp.js';
import * as udp from '../../wire/udp.js';
import type { Director } from '../director.js';

/** Client -> destination: the destination's address and port replace the virtual ones. */
export function dnat(d: Director, entry: number): void {
  const p = d.packet;
  const { view } = d.umem;
  const { words } = d.connections;
  const at = entry << ENTRY_SHIFT;
  const port = words[at + DPORT_PROTO_STATE]! >>> 16;
  const delta =
    p.family === 4
      ? ipv4.rewriteDst(view, p.l3, words[at + DADDR]!)
      : ipv6.rewriteDst(view, p.l3, words, (words[at + DADDR]! << ENTRY_SHIFT) + WIDE_DADDR);
  if (p.protocol === ipv4.TCP) tcp.rewriteDport(view, p.l4, port, delta);
  else if (p.protocol === ipv4.UDP) rewriteUdp(d, udp.rewriteDport, port, delta);
  else if (port !== p.dport) rewriteSctp(d, sctp.setDport, port);
}

/** Destination -> client: the virtual address and port replace the destination's. */
export function snat(d: Director, entry: number): void {
  const p = d.packet;
  const { view } = d.umem;
  const { words } = d.connections;
  const at = entry << ENTRY_SHIFT;
  const port = words[at + PORTS]! & 0xffff;
  const delta =
    p.family === 4
      ? ipv4.rewriteSrc(view, p.l3, words[at + VADDR]!)
      : ipv6.rewriteSrc(view, p.l3, words, (words[at + DADDR]! << ENTRY_SHIFT) + WIDE_VADDR);
  if (p.protocol === ipv4.TCP) tcp.rewriteSport(view, p.l4, port, delta);
  else if (p.protocol === ipv4.UDP) rewriteUdp(d, udp.rewriteSport, port, delta);
  else if (port !== p.sport) rewriteSctp(d, sctp.setSport, port);
}

/** A datagram without a checksum leaves with one, as in the kernel (udp_dnat_handler). */
function rewriteUdp(d: Director, rewrite: typeof udp.rewriteSport, port: number, delta: number): void {
  const p = d.packet;
  const { view } = d.umem;
  const none = udp.checksum(view, p.l4) === 0;
  rewrite(view, p.l4, port, delta);
  if (!none) return;
  const pseudo =
    p.family === 4
      ? pseudo4(ipv4.src(view, p.l3), ipv4.dst(view, p.l3), ipv4.UDP, p.l4len)
      : pseudo6(view, p.l3 + ipv6.SRC, p.l3 + ipv6.DST, ipv4.UDP, p.l4len);
  udp.fillChecksum(view, p.l4, p.l4len, pseudo);
}

/** SCTP's CRC does not cover addresses: only a changed port needs a new one. */
function rewriteSctp(d: Director, set: (view: DataView, l4: number, port: number) => void, port: number): void {
  const p = d.packet;
  set(d.umem.view, p.l4, port);
  sctp.fillChecksum(d.umem.view, p.l4, p.l4len);
}

/** Returns true for masq and full NAT, which change addresses. */
export function isTranslated(d: Director, entry: number): boolean {
  const method = d.connections.methodOf(entry);
  return method === Method.masq || method === Method.fullnat;
}
