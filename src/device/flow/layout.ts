/**
 * The flow table: what the director has decided for the packets of established connections, in
 * memory that it shares with the XDP program. The director writes it with plain stores, the program
 * reads it and counts. A line is half a cache line and stands for one direction of a connection.
 * What all connections of a service with a realserver share is in a row of the next hops.
 *
 *     control   [ generation | off | alive until | clock | secret 0 | secret 1 | secret 2 | workers |
 *                 devices 64 | shape | – [5] | interfaces [64] | of each worker: [ used | written | without room | off |
 *                                                       packets f64 | alive until | – ] |
 *                 of each CPU: [ padding | counted padding | – [14] ] ]
 *
 *     pairs     hash of the packet ─► [ line | line ]    the first three quarters of the lines
 *     buckets   hash of the packet ─► [ slot x 8 ]       slot: tag 13 | line 19, 0 for none
 *
 *     lines      0 client's address    1 ports    2 row of the next hop    3 generation
 *                4 last seen           5 packets  6 bytes 64
 *
 *     wide       source [3]  destination [3]  new source [3]  new destination [3]    of an IPv6 line
 *               12 ports of gue – [3]                                                of a line for a tunnel
 *
 *     ledger    [ bytes f64 | packets | seal | owner + 1 | – ]    of each line: what the director has counted
 *
 *     hops      [ destination MAC 6 | source MAC 6 | device 16 | MTU 16 | used 32 | neighbour + 1
 *                 bytes of a tunnel's headers | sum of the outer IPv4 header | outer source and destination [8]
 *                 protocol 8 | family 8 | other address | new other address | reply | ports that stay | new ports
 *                 delta of the header's sum 16 | of the transport's 16 | – [9] ]
 *
 *     devices   DEVMAP: device of the director ─► interface
 *     claims    what a socket filter has decided about the packet of this CPU (skb.ts)
 *
 * A pair of lines is one cache line. A connection has a line of its pair, if one is free and it
 * belongs to its worker; else one of the last quarter, which packets find by a slot. Every line has
 * a slot. A packet of one of 65,536 flows misses the processor's cache in each table that it needs,
 * 200 ns each time. With pairs that is one table, for 98 of 100 flows. The tag is the upper bits of
 * the hash; two lines of a bucket never have the same. Line 0 and row 0 are never used. The lines
 * are dealt to the workers by 64.
 *
 * Addresses and ports are as in the packet, read by a little-endian machine. A packet of the client
 * has its address as source, a reply as destination; the other address is that of the row. "Reply"
 * has all bits for a reply, else none: where it has bits, source and destination change places.
 * "Ports that stay" is a mask. Of IPv6 addresses line and row have the last words, and the line's
 * row of `wide` the three words before them.
 *
 * A line is in force while its generation is that of the control words: the director raises the
 * latter when anything changes that many lines depend on, and sets the former to 0 when one
 * connection must come back. Both are single stores. Times are in units of 2^20 ns of
 * CLOCK_MONOTONIC. Times, packets and padding have 32 bits and wrap. Owner: the connection's number
 * x 2 + direction + 1. Padding: bytes of the frames behind the packets. Off is not 0 while somebody
 * wants all packets, such as a trace: each worker adds its own word. The program forwards until
 * `alive until` only, the earliest of the workers, so that a director that hangs is not obeyed for
 * long. Devices: a bit for each that takes redirected frames; interfaces: their indexes. Used,
 * written, without room, packets: what the worker has counted.
 */

/** Slots of a bucket. There are as many lines as slots. */
export const SLOTS = 8;
/** A slot has the number of a line in so many bits, and the tag above them. */
export const LINE_BITS = 19;
/**
 * Number of pairs in a table with so many lines. 65,536 connections have 131,072 lines, and of
 * these 5 in 100 find their pair full; with half of the lines it would be 10.
 */
export const pairs = (lines: number) => Math.floor((3 * lines) / 8);
/** The pair of a hash, 32 bits unsigned: of all pairs the hash / 2^32th part. */
export const pairOf = (hash: number, count: number) => Math.floor((hash * count) / 2 ** 32);
/** Lines in a row that belong to the same worker: half a page of memory. */
export const DEAL = 64;
/** Words of a line. */
export const LINE_WORDS = 8;
export const LINE_SHIFT = 3;
export const CLIENT = 0;
export const PORTS = 1;
export const ROW = 2;
export const GENERATION = 3;
export const SEEN = 4;
export const PACKETS = 5;
export const BYTES = 6;

/** Words of a row of `wide`: the packet's upper words of both addresses, then the new ones. */
export const WIDE_SHIFT = 4;
export const WIDE_NEW = 6;
export const WIDE_GUE = 12;

/** Words of the control element. */
export const Control = {
  generation: 0,
  off: 1,
  aliveUntil: 2,
  clock: 3,
  secret: 4,
  workers: 7,
  devices: 8,
  shape: 10,
  interfaces: 16,
  told: 80,
} as const;
/** What a worker tells the others, from Control.told on; packets: a double. */
export const Told = { used: 0, written: 1, noRoom: 2, off: 3, packets: 4, aliveUntil: 6 } as const;
export const TOLD_WORDS = 8;
/** Most workers with offload. */
export const WORKERS = 16;
/** Most devices of a director that frames are redirected to. */
export const DEVICES = 64;
/** From here on the control words have what each CPU counts, of so many; a cache line each. */
export const PADDINGS = Control.told + WORKERS * TOLD_WORDS;
export const CPUS = 64;
export const CPU_WORDS = 16;
export const CPU_SHIFT = 4;
export const CONTROL_WORDS = PADDINGS + CPUS * CPU_WORDS;

/** Words of a row of the ledger; bytes are a double. */
export const LEDGER_SHIFT = 3;
export const Ledger = { bytes: 0, packets: 2, seal: 3, owner: 4 } as const;

/** Words of a row of the next hops. */
export const HOP_WORDS = 32;
export const HOP_SHIFT = 5;
export const Hop = {
  macs: 0,
  deviceMtu: 3,
  used: 4,
  neighbour: 5,
  tunnel: 6,
  sum: 7,
  outer: 8,
  protocol: 16,
  other: 17,
  newOther: 18,
  reply: 19,
  portsKept: 20,
  newPorts: 21,
  deltas: 22,
} as const;
/** Bytes between outer IP header and packet that a program can write: of ipip, gre and gue. */
export const SHIMS = [0, 4, 12] as const;
/** Rows of the next hops in a table with 2^bits buckets. */
export const hopRows = (bits: number) => Math.max(1024, 2 ** bits);

/** A unit of SEEN is 2^20 ns. */
export const SEEN_SHIFT = 20;
export const SEEN_UNIT_MS = 2 ** SEEN_SHIFT / 1e6;

/** The maps of a flow table. */
export const FLOW_MAPS = ['control', 'buckets', 'lines', 'wide', 'ledger', 'hops', 'devices', 'claims'] as const;
export type FlowMapName = (typeof FLOW_MAPS)[number];

/** File descriptors of a flow table, valid in every thread of the process. */
export interface FlowMapFds {
  readonly control: number;
  readonly buckets: number;
  readonly lines: number;
  readonly wide: number;
  readonly ledger: number;
  readonly hops: number;
  readonly devices: number;
  readonly claims: number;
  /** Devices of kind packet forward by it, too: the kernel has tcx (Linux 6.6). */
  readonly tcx: boolean;
  /** The number of buckets is 2 to this power. */
  readonly bits: number;
  /** Three words that key the hash. */
  readonly secret: readonly number[];
}
