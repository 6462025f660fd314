/** What the parts of the flow table's program share: places in the frame and on its stack. */
import { HEADER } from '../../wire/ethernet.js';
import type { Assembler } from '../bpf/assembler.js';

/** Byte offsets in the frame: the IPv4 header, what follows it, and the checksum of that. */
export const IP = HEADER;
export const L4 = IP + 20;
export const SUM = { tcp: L4 + 16, udp: L4 + 6 } as const;

/**
 * Offsets in the stack of the program, below r10: index of a look-up; length of the packet; bytes
 * behind it; time; index of the next hop; sum so far and length of what is summed.
 */
export const Stack = { index: -4, total: -8, extra: -12, time: -16, hop: -20, sum: -32, length: -36 } as const;

/** `value` in network order, as a little-endian machine reads it. */
export function wire16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

/** Jumps when the frame (r7 to r8) is shorter than `bytes`: the verifier wants the check. */
export function checkEnd(asm: Assembler, bytes: number, short: string): Assembler {
  return asm.mov('r1', 'r7').add('r1', bytes).jumpIf('r1', '>', 'r8', short);
}
