/**
 * Prints a frame as one line of text in the style of tcpdump, for traces and test failures. Every
 * sequence of bytes gives a line. For bytes that cannot be decoded, the line has the reason in
 * brackets.
 *
 *     02:00:00:00:c0:01 > 02:00:00:00:0d:00 vlan 5 IP (ttl 64, id 1, DF)
 *     10.0.0.1.4000 > 10.0.0.100.80: tcp [S], seq 7, win 64240, length 0            (one line)
 */

import { format4, format6, formatMac } from './address.js';
import * as arp from './arp.js';
import { isBad, viewOf } from './decoded.js';
import * as ethernet from './ethernet.js';
import * as extensions from './extensions.js';
import * as icmp from './icmp.js';
import * as icmp6 from './icmp6.js';
import * as ipv4 from './ipv4.js';
import * as ipv6 from './ipv6.js';
import * as neighbour from './neighbour.js';
import * as sctp from './sctp.js';
import * as tcp from './tcp.js';
import * as udp from './udp.js';
import * as vlan from './vlan.js';

/** Nested tunnels, quotations or VLAN tags that are printed; of deeper ones only the length. */
const MAX_DEPTH = 4;

/** A frame that begins with its Ethernet header. */
export function printFrame(bytes: Uint8Array): string {
  const frame = ethernet.decode(bytes);
  if (isBad(frame)) return `[${frame}]`;
  return `${formatMac(...frame.src)} > ${formatMac(...frame.dst)} ${printTyped(frame.type, frame.payload, 0)}`;
}

/** An IPv4 or IPv6 packet that begins with its IP header. */
export function printPacket(bytes: Uint8Array): string {
  return printIp(bytes, 0, false);
}

function printTyped(type: number, payload: Uint8Array, tags: number): string {
  if (vlan.isTag(type) && tags < MAX_DEPTH) return printTag(payload, tags);
  if (type === ethernet.TYPE_ARP) return printArp(payload);
  if (type === ethernet.TYPE_IPV4 || type === ethernet.TYPE_IPV6) return printIp(payload, 0, false);
  return `ethertype 0x${type.toString(16).padStart(4, '0')}, length ${payload.length}`;
}

function printTag(bytes: Uint8Array, tags: number): string {
  const tag = vlan.decode(bytes);
  return isBad(tag) ? `[${tag}]` : `vlan ${tag.vid} ${printTyped(tag.type, tag.payload, tags + 1)}`;
}

function printArp(bytes: Uint8Array): string {
  const a = arp.decode(bytes);
  if (isBad(a)) return `[${a}]`;
  const sender = format4(a.senderIp);
  if (a.operation === arp.REQUEST) return `ARP who-has ${format4(a.targetIp)} tell ${sender}`;
  if (a.operation === arp.REPLY) return `ARP ${sender} is-at ${formatMac(...a.senderMac)}`;
  return `ARP operation ${a.operation} from ${sender}`;
}

function printIp(bytes: Uint8Array, depth: number, quoted: boolean): string {
  if (depth > MAX_DEPTH) return `IP, length ${bytes.length}`;
  return (bytes[0] ?? 0x40) >>> 4 === 6 ? printIpv6(bytes, depth, quoted) : printIpv4(bytes, depth, quoted);
}

function printIpv4(bytes: Uint8Array, depth: number, quoted: boolean): string {
  const p = ipv4.decode(bytes, quoted);
  if (isBad(p)) return `[${p}]`;
  const part = p.moreFragments || p.fragmentOffset > 0;
  const notes = [`ttl ${p.ttl}`, `id ${p.id}`];
  if (p.tos) notes.push(`tos 0x${p.tos.toString(16)}`);
  if (p.dontFragment) notes.push('DF');
  if (part) notes.push(fragmentText(p.fragmentOffset, p.moreFragments));
  if (p.options.length > 0) notes.push(`options ${p.options.length}`);
  if (!ipv4.isChecksumGood(viewOf(bytes), 0)) notes.push('bad checksum');
  const payload = p.fragmentOffset > 0 ? undefined : p.payload;
  const flow = { src: format4(p.src), dst: format4(p.dst), protocol: p.protocol, rest: p.payload.length };
  return `IP (${notes.join(', ')}) ${printTransport(flow, payload, depth, quoted || part)}`;
}

function printIpv6(bytes: Uint8Array, depth: number, quoted: boolean): string {
  const p = ipv6.decode(bytes, quoted);
  if (isBad(p)) return `[${p}]`;
  const chain = new extensions.Chain();
  const end = ipv6.HEADER + p.payload.length;
  const flow = { src: format6(p.src), dst: format6(p.dst), protocol: p.nextHeader, rest: p.payload.length };
  const notes = [`hlim ${p.hopLimit}`];
  if (p.trafficClass) notes.push(`class 0x${p.trafficClass.toString(16)}`);
  if (!extensions.walk(viewOf(bytes), 0, end, chain)) {
    return `IP6 (${notes.join(', ')}) ${flow.src} > ${flow.dst}: [broken extension headers]`;
  }
  if (chain.fragment >= 0) notes.push(fragmentText(chain.fragmentOffset, chain.moreFragments));
  const payload = chain.fragmentOffset > 0 ? undefined : bytes.subarray(chain.offset, end);
  Object.assign(flow, { protocol: chain.protocol, rest: end - chain.offset });
  return `IP6 (${notes.join(', ')}) ${printTransport(flow, payload, depth, quoted || chain.moreFragments)}`;
}

function fragmentText(offset: number, more: boolean): string {
  return `frag ${offset}${more ? '+' : ''}`;
}

interface Flow {
  src: string;
  dst: string;
  protocol: number;
  rest: number;
}

/** `bytes`: undefined in a later fragment. `cut`: the bytes may end early. */
function printTransport(flow: Flow, bytes: Uint8Array | undefined, depth: number, cut: boolean): string {
  const ends = `${flow.src} > ${flow.dst}`;
  if (!bytes) return `${ends}: proto ${flow.protocol}, length ${flow.rest}`;
  switch (flow.protocol) {
    case ipv4.TCP:
    case ipv4.UDP:
    case ipv4.SCTP:
      return printPorts(flow, bytes, cut);
    case ipv4.ICMP:
      return `${ends}: ${printIcmp(bytes, depth)}`;
    case ipv6.ICMP6:
      return `${ends}: ${printIcmp6(bytes, depth)}`;
    case ipv4.IPIP:
    case ipv4.IPV6:
      return `${ends}: ${printIp(bytes, depth + 1, cut)}`;
    default:
      return `${ends}: proto ${flow.protocol}, length ${flow.rest}`;
  }
}

/** The ports are in the first eight bytes, which every ICMP error quotes. */
function printPorts({ src, dst, protocol }: Flow, bytes: Uint8Array, cut: boolean): string {
  if (bytes.length < 4) return `${src} > ${dst}: [no room for ports]`;
  const view = viewOf(bytes);
  return `${src}.${tcp.sport(view, 0)} > ${dst}.${tcp.dport(view, 0)}: ${printSegment(protocol, bytes, cut)}`;
}

function printSegment(protocol: number, bytes: Uint8Array, cut: boolean): string {
  if (protocol === ipv4.TCP) return printTcp(bytes, cut);
  if (protocol === ipv4.UDP) return printUdp(bytes, cut);
  const s = sctp.decode(bytes);
  if (isBad(s)) return cut ? 'sctp' : `[${s}]`;
  return `sctp tag ${s.tag}, chunks ${s.chunks.map((chunk) => chunk.type).join(' ')}`;
}

function printTcp(bytes: Uint8Array, cut: boolean): string {
  const t = tcp.decode(bytes);
  if (isBad(t)) return cut && bytes.length >= 8 ? `tcp seq ${viewOf(bytes).getUint32(4)}` : `[${t}]`;
  const ack = t.flags & tcp.ACK ? `, ack ${t.ack}` : '';
  const options = t.options.length > 0 ? `, options ${t.options.length}` : '';
  return `tcp [${flagsAsTcpdump(t.flags)}], seq ${t.seq}${ack}, win ${t.window}${options}, length ${t.payload.length}`;
}

/** `S.` for SYN and ACK, `W` for CWR, `none`. */
export function flagsAsTcpdump(bits: number): string {
  return tcp.flagsText(bits).replace('A', '.').replace('C', 'W') || 'none';
}

function printUdp(bytes: Uint8Array, cut: boolean): string {
  const u = udp.decode(bytes, cut);
  if (isBad(u)) return `[${u}]`;
  return `udp, length ${(u.length ?? 0) - udp.HEADER}${u.checksum === 0 ? ', no checksum' : ''}`;
}

function printIcmp(bytes: Uint8Array, depth: number): string {
  const m = icmp.decode(bytes);
  if (isBad(m)) return `[${m}]`;
  const head = `icmp type ${m.type} code ${m.code}`;
  if (icmp.isError(m.type)) {
    const mtu = m.type === icmp.UNREACHABLE && m.code === icmp.FRAGMENTATION_NEEDED ? ` mtu ${m.rest & 0xffff}` : '';
    return `${head}${mtu} [${printIp(m.payload, depth + 1, true)}]`;
  }
  return `${head}${echoText(m)}, length ${bytes.length}`;
}

function printIcmp6(bytes: Uint8Array, depth: number): string {
  const m = icmp6.decode(bytes);
  if (isBad(m)) return `[${m}]`;
  const head = `icmp6 type ${m.type} code ${m.code}`;
  if (icmp6.isError(m.type)) {
    const mtu = m.type === icmp6.PACKET_TOO_BIG ? ` mtu ${m.rest}` : '';
    return `${head}${mtu} [${printIp(m.payload, depth + 1, true)}]`;
  }
  const n = neighbour.decode(bytes);
  if (isBad(n)) return `${head}${echoText(m)}, length ${bytes.length}`;
  const mac = n.mac ? ` is-at ${formatMac(...n.mac)}` : '';
  return n.advertisement ? `neighbour ${format6(n.target)}${mac}` : `who-has ${format6(n.target)}`;
}

function echoText({ type, rest }: icmp.Icmp): string {
  const echo = [icmp.ECHO_REQUEST, icmp.ECHO_REPLY, icmp6.ECHO_REQUEST, icmp6.ECHO_REPLY].includes(type);
  return echo ? ` id ${rest >>> 16} seq ${rest & 0xffff}` : '';
}
