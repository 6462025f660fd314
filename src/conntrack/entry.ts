/**
 * The layout of a connection: one cache line of 16 words in an Int32Array.
 *
 *      0 CADDR   client address            8 EXPIRES    tick at which it ends
 *      1 PORTS   cport << 16 | vport       9 WHEEL_POS  position in the timer wheel
 *      2 VADDR   virtual address          10 HASH       hash of the client's side, once inserted
 *      3 DADDR   destination address      11 WHEEL_TICK tick of its slot in the wheel (<= EXPIRES)
 *      4 DPORT_PROTO_STATE                12 TIMEOUT    ticks that each packet adds
 *                dport << 16 |            13 PACKETS    packets from the client
 *                protocol << 8 | state    14 CONTROL    its template or control connection
 *      5 FLAGS   CONN_* bits              15 CONTROLLED number of entries that it controls
 *      6 NEXT    next in the chain         7 DEST       destination slot + 1
 *
 * An IPv6 connection has a second line with its addresses in full: caddr[4] -[4] vaddr[4] daddr[4].
 * Words 0 and 2 then hold folds of the addresses, for a quick first comparison, and word 3 the
 * number of the second line. Entry 0 does not exist: 0 is "none". Addresses are int32 in host order
 * (read big-endian). A fwmark template has protocol 0 and the mark as its virtual address.
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

/** Flags: the numbers of IPVS (IP_VS_CONN_F_*) below 0x100000, those of ulvs above. */
export const METHOD_MASK = 0x7;
/** It came by a synchronisation message. */
export const CONN_SYNC = 0x20;
export const CONN_HASHED = 0x40;
export const CONN_NOOUTPUT = 0x80;
export const CONN_INACTIVE = 0x100;
export const CONN_NO_CPORT = 0x800;
export const CONN_TEMPLATE = 0x1000;
export const CONN_ONE_PACKET = 0x2000;
/** The addresses are in a second line. */
export const CONN_IPV6 = 0x100000;
/** The destination is of the other family (tunnels only): the entry does not hold its address. */
export const CONN_MIXED = 0x200000;
/** A template of which a connection reached ESTABLISHED, or of UDP was answered. */
export const CONN_ASSURED = 0x400000;
/** A helper (FTP) reads the packets of this connection and may have shifted sequence numbers. */
export const CONN_HELPER = 0x800000;

/**
 * Full NAT: the destination sees an address of the director. Word 3 of the connection is then the
 * number of a reverse line, an entry of its own (CONN_REVERSE) that is hashed by that address and
 * port, so that replies find it. Words 3 and 4 of the reverse line are the destination, its CONTROL
 * is the connection.
 */
export const CONN_FULLNAT = 0x1000000;
export const CONN_REVERSE = 0x2000000;
/** A connection that a realserver opened (snat): it has no destination. */
export const CONN_OUTGOING = 0x4000000;

/** In the index by the whole tuple (hash/tuple-index.ts) instead of the chain of its bucket. */
export const CONN_INDEXED = 0x8000000;

/** The destination has answered the SYN (conntrack/states.ts). */
export const CONN_ANSWERED = 0x40000000;

/**
 * It is being reset: its next packet is answered by RST to both sides (dataplane/path/reset.ts).
 */
export const CONN_RESET = 0x20000000;

/**
 * The SYN proxy opened it (dataplane/synproxy): numbers of the destination's side are shifted from
 * the first segment on. While it is not CONN_ANSWERED, the destination has not answered the proxy.
 */
export const CONN_SYNPROXY = 1 << 31;
/** It has a row of sequence shifts (seqadj.ts). */
export const WITH_SHIFTS = CONN_HELPER | CONN_SYNPROXY;

/**
 * A template of a persistence engine (engine-templates.ts): word 0 is a hash, word 13 the number of
 * the line with its key and client.
 */
export const CONN_ENGINE_KEY = 0x10000000;
export const KEY = 13;

/**
 * Words of the second line of an IPv6 connection. Its FLAGS word stays 0, so that listings skip it.
 */
export const WIDE_CADDR = 0;
export const WIDE_VADDR = 8;
export const WIDE_DADDR = 12;

/**
 * A word of the second line of an IPv6 connection, to load that line into the cache; 0 for others.
 */
export function secondWord(words: Int32Array, entry: number): number {
  const at = entry << ENTRY_SHIFT;
  return (words[at + FLAGS]! & CONN_IPV6) === 0 ? 0 : words[words[at + DADDR]! << ENTRY_SHIFT]!;
}

/** Number of lines of the entry at word `at`, the reverse line of full NAT not counted. */
export function linesOf(words: Int32Array, at: number): number {
  const flags = words[at + FLAGS]!;
  let lines = (flags & CONN_IPV6) !== 0 ? 2 : 1;
  if ((flags & CONN_ENGINE_KEY) === 0) return lines;
  for (let line = words[at + KEY]!; line !== 0; line = words[(line << ENTRY_SHIFT) + NEXT]!) lines++;
  return lines;
}

/** Timer ticks per second: timeouts are exact to 10 ms, and 31 days fit an int32. */
export const TICKS = 100;

/**
 * Words of line 0, for readers in other threads: the highest entry ever used, the number of lines
 * in use, the time in ticks.
 */
export const HIGH_WATER_WORD = 0;
export const LIVE_WORD = 1;
export const TICK_WORD = 2;
