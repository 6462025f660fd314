/**
 * A connection is one cache line: 16 words of an Int32Array.
 *
 *      0 CADDR   client address            8 EXPIRES  tick at which it ends
 *      1 PORTS   cport << 16 | vport       9 PLACE    where it stands in the timer wheel
 *      2 VADDR   virtual address         10 HASH     of its client's side, once it was hashed
 *      3 DADDR   destination address      11 DUE      tick at which the wheel looks at it (<= EXPIRES)
 *      4 REST    dport << 16 |            12 TIMEOUT  ticks that each packet gives it
 *                protocol << 8 | state    13 PACKETS  packets seen from the client
 *      5 FLAGS   CONN_* bits              14 CONTROL  the template (or control connection) it hangs on
 *      6 NEXT    in its bucket's chain    15 CONTROLLED how many hang on it
 *      7 DEST    destination slot + 1
 *
 * An IPv6 connection owns a second line, its addresses in full: caddr[4] -[4] vaddr[4] daddr[4]; words 0 and 2 then hold folds
 * of the addresses (a quick first comparison) and word 3 the number of that line. Entry 0 does not exist: 0 is "none".
 * Addresses are int32 as read big-endian; a fwmark template has protocol 0 and the mark as its virtual address.
 */
export const ENTRY_WORDS = 16;
export const ENTRY_SHIFT = 4;

export const CADDR = 0;
export const PORTS = 1;
export const VADDR = 2;
export const DADDR = 3;
export const DPORT_PROTO_STATE = 4;
export const FLAGS = 5;
export const NEXT = 6;
export const DEST = 7;
export const EXPIRES = 8;
export const WHEEL_POS = 9;
export const HASH = 10;
export const WHEEL_TICK = 11;
export const TIMEOUT = 12;
export const PACKETS = 13;
export const CONTROL = 14;
export const CONTROLLED = 15;

/** Flags: IPVS's own numbers; the upper ones are ours. */
export const METHOD_MASK = 0x7;
export const CONN_HASHED = 0x40;
export const CONN_NOOUTPUT = 0x80;
export const CONN_INACTIVE = 0x100;
export const CONN_NO_CPORT = 0x800;
export const CONN_TEMPLATE = 0x1000;
export const CONN_ONE_PACKET = 0x2000;
/** Addresses are in a second line. */
export const CONN_IPV6 = 0x100000;
/** The destination is of the other family (tunnels only): its address is the destination's, not the entry's. */
export const CONN_MIXED = 0x200000;
/** A template whose child reached ESTABLISHED, or a UDP one that was answered. */
export const CONN_ASSURED = 0x400000;
/** A helper (FTP) reads this connection's packets and may have changed sequence numbers. */
export const CONN_HELPER = 0x800000;

/**
 * Full NAT: the destination sees an address of the director. The connection's word 3 is then the number of a second line,
 * which is an entry of its own (CONN_REVERSE), hashed by that address and port, so that replies find it: its words 3 and 4
 * are the destination, its CONTROL is the connection.
 */
export const CONN_FULLNAT = 0x1000000;
export const CONN_REVERSE = 0x2000000;
/** Opened by a realserver (snat): it has no destination, and needs none. */
export const CONN_OUTGOING = 0x4000000;

/** Not in its bucket's chain, which was crowded, but in the index by the whole tuple (tuple-index.ts). */
export const CONN_INDEXED = 0x8000000;

/**
 * A template that a persistence engine made (engine-templates.ts): word 0 is a hash, word 13 the number of the line where its key and
 * its client are.
 */
export const CONN_ENGINE_KEY = 0x10000000;
export const KEY = 13;

/** Where the addresses are in an IPv6 connection's second line. Its FLAGS stay 0: it is not taken for a connection. */
export const WIDE_CADDR = 0;
export const WIDE_VADDR = 8;
export const WIDE_DADDR = 12;

/** A word of an IPv6 connection's second line, 0 of others: for who wants that line in the cache. */
export function secondWord(words: Int32Array, entry: number): number {
  const at = entry << ENTRY_SHIFT;
  return (words[at + FLAGS]! & CONN_IPV6) === 0 ? 0 : words[words[at + DADDR]! << ENTRY_SHIFT]!;
}

/** Timer ticks a second: expiry is exact to 10 ms, and 31 days still fit an int32. */
export const TICKS = 100;

/** Words of the table's header line: how many lines are in use, and the time in ticks, for readers in other threads. */
export const LIVE_WORD = 1;
export const TICK_WORD = 2;
