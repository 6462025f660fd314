/**
 * Comparison of an entry with the tuple of a packet. `at`: first word of the entry. IPv6 addresses
 * are four words,
 * `folded` is their fold. `ports`: cport << 16 | vport.
 */
import {
  CADDR,
  CONN_FULLNAT,
  CONN_IPV6,
  CONN_MIXED,
  CONN_REVERSE,
  CONN_TEMPLATE,
  DADDR,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  PORTS,
  VADDR,
  WIDE_CADDR,
  WIDE_DADDR,
  WIDE_VADDR,
} from './entry.js';

/** The entry is the IPv4 connection of a packet from the client. */
export function isIn4(
  words: Int32Array,
  at: number,
  protocol: number,
  caddr: number,
  vaddr: number,
  ports: number,
): boolean {
  return (
    words[at + CADDR] === caddr &&
    words[at + PORTS] === ports &&
    words[at + VADDR] === vaddr &&
    ((words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff) === protocol &&
    (words[at + FLAGS]! & (CONN_TEMPLATE | CONN_IPV6 | CONN_REVERSE)) === 0
  );
}

/** The entry is the IPv4 connection, or the reverse line, of a packet from the destination. */
export function isOut4(
  words: Int32Array,
  at: number,
  protocol: number,
  daddr: number,
  dport: number,
  caddr: number,
  cport: number,
): boolean {
  return (
    words[at + DADDR] === daddr &&
    words[at + CADDR] === caddr &&
    words[at + DPORT_PROTO_STATE]! >>> 16 === dport &&
    words[at + PORTS]! >>> 16 === cport &&
    ((words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff) === protocol &&
    (words[at + FLAGS]! & (CONN_TEMPLATE | CONN_IPV6 | CONN_MIXED | CONN_FULLNAT)) === 0
  );
}

/** The entry is the IPv6 connection of a packet from the client. */
export function isIn6(
  words: Int32Array,
  at: number,
  protocol: number,
  caddr: Int32Array,
  folded: number,
  vaddr: Int32Array,
  ports: number,
): boolean {
  if (words[at + CADDR] !== folded || words[at + PORTS] !== ports || !isFlow6(words, at, protocol)) return false;
  const wide = words[at + DADDR]! << ENTRY_SHIFT;
  return same(words, wide + WIDE_CADDR, caddr) && same(words, wide + WIDE_VADDR, vaddr);
}

/** As isIn6, for a packet whose addresses lie in `pair`: the source from `from` on, the target. */
export function isPairIn6(
  words: Int32Array,
  at: number,
  protocol: number,
  pair: Int32Array,
  from: number,
  ports: number,
): boolean {
  const wide = words[at + DADDR]! << ENTRY_SHIFT;
  return (
    words[at + PORTS] === ports &&
    isFlow6(words, at, protocol) &&
    same(words, wide + WIDE_CADDR, pair, from) &&
    same(words, wide + WIDE_VADDR, pair, from + 4)
  );
}

/** As isOut6, for a packet whose addresses lie in `pair`. `ports`: source << 16 | destination. */
export function isPairOut6(
  words: Int32Array,
  at: number,
  protocol: number,
  pair: Int32Array,
  from: number,
  ports: number,
): boolean {
  // Without branches: V8 would deoptimise at the first entry that gets past one of them.
  const differs =
    ((words[at + PORTS]! >>> 16) ^ (ports & 0xffff)) |
    ((words[at + DPORT_PROTO_STATE]! >>> 16) ^ (ports >>> 16)) |
    (words[at + FLAGS]! & CONN_MIXED);
  const wide = words[at + DADDR]! << ENTRY_SHIFT;
  return (
    differs === 0 &&
    isFlow6(words, at, protocol) &&
    same(words, wide + WIDE_DADDR, pair, from) &&
    same(words, wide + WIDE_CADDR, pair, from + 4)
  );
}

/** The entry is the IPv6 connection of a packet from the destination. */
export function isOut6(
  words: Int32Array,
  at: number,
  protocol: number,
  daddr: Int32Array,
  dport: number,
  caddr: Int32Array,
  folded: number,
  cport: number,
): boolean {
  if (
    words[at + CADDR] !== folded ||
    words[at + PORTS]! >>> 16 !== cport ||
    words[at + DPORT_PROTO_STATE]! >>> 16 !== dport
  )
    return false;
  if (!isFlow6(words, at, protocol) || (words[at + FLAGS]! & CONN_MIXED) !== 0) return false;
  const wide = words[at + DADDR]! << ENTRY_SHIFT;
  return same(words, wide + WIDE_CADDR, caddr) && same(words, wide + WIDE_DADDR, daddr);
}

function isFlow6(words: Int32Array, at: number, protocol: number): boolean {
  return (
    ((words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff) === protocol &&
    (words[at + FLAGS]! & (CONN_TEMPLATE | CONN_IPV6)) === CONN_IPV6
  );
}

/** The four words from `at` are the address, which begins at `from`. */
export function same(words: Int32Array, at: number, address: Int32Array, from = 0): boolean {
  return (
    words[at + 3] === address[from + 3] &&
    words[at + 2] === address[from + 2] &&
    words[at + 1] === address[from + 1] &&
    words[at] === address[from]
  );
}

/** An IPv6 address (four words from `at`) as one int32, for hashing and a first comparison. */
export function fold(address: Int32Array, at = 0): number {
  return foldWords(address[at]!, address[at + 1]!, address[at + 2]!, address[at + 3]!);
}

/** The same of the four words of an address. */
export function foldWords(a: number, b: number, c: number, d: number): number {
  return Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ Math.imul(c, 0xc2b2ae3d) ^ d;
}
