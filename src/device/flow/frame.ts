/**
 * What the parts of the flow table's programs share: places in the frame and on the stack, and how
 * to reach the frame.
 */
import { HEADER } from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import { type Assembler, Call } from '../bpf/assembler.js';

/** Byte offset of the IP header in the frame. */
export const IP = HEADER;

/** Byte offsets in the frame of a packet of a family. */
export interface Places {
  readonly family: 4 | 6;
  /** Length of the IP header, without options or extension headers. */
  readonly header: number;
  readonly source: number;
  readonly destination: number;
  /** Words of an address. */
  readonly words: number;
  readonly protocol: number;
  readonly ttl: number;
  readonly l4: number;
  /** The checksums of the transport headers. */
  readonly sum: { readonly tcp: number; readonly udp: number };
}

function places(family: 4 | 6, header: number, at: Pick<Places, 'source' | 'words' | 'protocol' | 'ttl'>): Places {
  const l4 = IP + header;
  const destination = at.source + 4 * at.words;
  return { family, header, ...at, destination, l4, sum: { tcp: l4 + 16, udp: l4 + 6 } };
}

export const PLACES: Readonly<Record<4 | 6, Places>> = {
  4: places(4, ipv4.HEADER, { source: IP + 12, words: 1, protocol: IP + 9, ttl: IP + 8 }),
  6: places(6, ipv6.HEADER, { source: IP + 8, words: 4, protocol: IP + 6, ttl: IP + 7 }),
};

/**
 * Offsets in the stack of the program, below r10 and below those of xdp/look-up.ts, because the
 * verifier knows stack by 8 bytes: index of a look-up; length of the packet; bytes behind it;
 * time; index of the next hop; number of the line; sum so far and length of what is summed; the
 * rest of an IPv6 line; the device and the row of the next hop; the hash; the pair of a line; the
 * ports of gue; the CPU. Of the programs for skbs (skb.ts) besides: segments, bytes of all of them,
 * the longest one; the copy of the headers, whose IP header begins at a multiple of 8, as the
 * verifier wants it.
 */
export const Stack = {
  index: -84,
  total: -88,
  extra: -92,
  time: -96,
  hop: -100,
  line: -104,
  sum: -112,
  length: -116,
  pair: -120,
  wide: -128,
  device: -132,
  hash: -136,
  row: -144,
  segments: -148,
  bytes: -152,
  longest: -156,
  gue: -160,
  cpu: -164,
  copy: -246,
} as const;

/** `value` in network order, as a little-endian machine reads it. */
export function wire16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

/** How a program reaches the frame, whose headers it reads from r7 on. */
export interface Access {
  /**
   * Jumps to `short` unless the bytes up to `end` are there; `from`: those before it were asked for
   * already. r0 to r5 are lost.
   */
  reach(asm: Assembler, from: number, end: number, short: string): Assembler;
  /** r1: bytes behind the Ethernet header. */
  length(asm: Assembler): Assembler;
}

/** An XDP program: r7 is the frame, r8 its end. */
export const DIRECT: Access = {
  reach: (asm, _, end, short) => checkEnd(asm, end, short),
  length: (asm) => asm.mov('r1', 'r8').sub('r1', 'r7').sub('r1', IP),
};

/** Jumps when the frame (r7 to r8) is shorter than `bytes`: the verifier wants the check. */
export function checkEnd(asm: Assembler, bytes: number, short: string): Assembler {
  return asm.mov('r1', 'r7').add('r1', bytes).jumpIf('r1', '>', 'r8', short);
}

/** Sets r0 to the value of an array at the index on the stack. */
export function look(asm: Assembler, map: number, index: number, miss: string): Assembler {
  return asm.map('r1', map).mov('r2', 'r10').add('r2', index).call(Call.mapLookup).jumpIf('r0', '==', 0, miss);
}
