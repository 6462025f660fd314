/**
 * A packet filter in a subset of tcpdump's language, as plain data (control/server/trace-filter.ts parses it), evaluated on a
 * parsed packet. Only for traces: nothing here is on the path of a packet that nobody looks at.
 */
import type { PacketInfo } from '../parse/packet.js';
import { covers } from '../table/routes.js';

/** `side`: which end of the packet is meant. `words`: four, IPv4 in the last. */
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
const v4 = new Int32Array(4);

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
  const prefix = { words: Int32Array.from(net.words), length: net.length };
  if (p.family === 6) return covers(prefix, source ? p.src6 : p.dst6, 6);
  v4[3] = source ? p.src : p.dst;
  return covers(prefix, v4, 4);
}

function inRange({ from, to }: { from: number; to: number }, port: number): boolean {
  return port >= from && port <= to;
}

function hasPorts(p: PacketInfo): boolean {
  return p.family !== 0 && [6, 17, 132].includes(p.protocol) && p.fragmentOffset === 0;
}
