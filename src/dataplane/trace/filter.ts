/**
 * Packet filter of a trace: a subset of tcpdump's language as plain data. control/server/
 * trace-filter.ts parses the text. During a trace the slow path applies it to every parsed packet;
 * boxes.ts has its form for the fast path.
 */
import * as ipv4 from '../../wire/ipv4.js';
import type { PacketInfo } from '../parse/packet.js';

/**
 * `side`: the end of the packet to match. `words`: four, IPv4 in the last. `length`: of the prefix.
 */
export type Filter =
  | { kind: 'all' }
  | { kind: 'and' | 'or'; left: Filter; right: Filter }
  | { kind: 'not'; of: Filter }
  | { kind: 'protocol'; protocol: number }
  | { kind: 'family'; family: 4 | 6 }
  | { kind: 'arp' }
  | { kind: 'net'; side: Side; family: 4 | 6; words: readonly number[]; length: number }
  | { kind: 'port'; side: Side; from: number; to: number };
export type Side = 'src' | 'dst' | 'either';

const ARP = 0x0806;

/** Returns true when the filter matches the parsed packet. Allocates nothing. */
export function passes(filter: Filter, p: PacketInfo): boolean {
  switch (filter.kind) {
    case 'all':
      return true;
    case 'and':
      return passes(filter.left, p) && passes(filter.right, p);
    case 'or':
      return passes(filter.left, p) || passes(filter.right, p);
    case 'not':
      return !passes(filter.of, p);
    case 'arp':
      return p.etherType === ARP;
    case 'protocol':
      return p.family !== 0 && p.protocol === filter.protocol;
    case 'family':
      return p.family === filter.family;
    case 'net':
      return p.family === filter.family && onSide(filter.side, inNet(filter, p, true), inNet(filter, p, false));
    case 'port':
      return hasPorts(p) && onSide(filter.side, inRange(filter, p.sport), inRange(filter, p.dport));
  }
}

function onSide(side: Side, src: boolean, dst: boolean): boolean {
  return side === 'either' ? src || dst : side === 'src' ? src : dst;
}

function inNet(net: { words: readonly number[]; length: number }, p: PacketInfo, source: boolean): boolean {
  if (p.family === 4) return differs(net.words[3]!, source ? p.src : p.dst, net.length) === 0;
  const address = source ? p.src6 : p.dst6;
  for (let i = 0; i < 4; i++) if (differs(net.words[i]!, address[i]!, net.length - 32 * i) !== 0) return false;
  return true;
}

/** Returns the differing bits among the first `length` bits of two words. */
function differs(one: number, other: number, length: number): number {
  return length <= 0 ? 0 : (one ^ other) & (length >= 32 ? -1 : -1 << (32 - length));
}

function inRange({ from, to }: { from: number; to: number }, port: number): boolean {
  return port >= from && port <= to;
}

function hasPorts(p: PacketInfo): boolean {
  return p.family !== 0 && isPortProtocol(p.protocol) && p.fragmentOffset === 0;
}

function isPortProtocol(protocol: number): boolean {
  return protocol === ipv4.TCP || protocol === ipv4.UDP || protocol === ipv4.SCTP;
}
