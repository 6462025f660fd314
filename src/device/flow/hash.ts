/**
 * The bucket of a packet: a keyed hash of its addresses and ports, twice, for the director and as
 * instructions for the kernel. Both take the words as a little-endian machine reads them from the
 * packet. The key keeps a sender from choosing a bucket; a full bucket only means that a connection
 * is not offloaded. Each address of IPv6 is first mixed into one word.
 */
import type { Assembler, Register } from '../bpf/assembler.js';

/** Hash of a packet, 32 bits unsigned. `secret`: three words, as in the control words. */
export function flowHash(secret: ArrayLike<number>, saddr: number, daddr: number, ports: number): number {
  let h = Math.imul(saddr ^ secret[0]!, secret[1]! | 1);
  h ^= h >>> 15;
  h = Math.imul(h ^ daddr, secret[2]! | 1);
  h ^= h >>> 13;
  h = Math.imul(h ^ ports, secret[1]! | 1);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The word of an IPv6 address: `last`, and the three before it, in `upper` from `at`. */
export function mixed6(secret: ArrayLike<number>, upper: ArrayLike<number>, at: number, last: number): number {
  return flowHash(secret, upper[at]!, upper[at + 1]!, upper[at + 2]!) ^ last;
}

/** The same for r1 source, r2 destination, r3 ports. The hash is in r1; r4 is lost. */
export function hashInstructions(asm: Assembler, secret: ArrayLike<number>): Assembler {
  const multiply = (by: number) => low32(asm.mul('r1', by | 1 | 0));
  const shift = (bits: number) => asm.mov('r4', 'r1').rsh('r4', bits).xor('r1', 'r4');
  low32(asm.xor('r1', secret[0]! | 0));
  multiply(secret[1]!);
  shift(15).xor('r1', 'r2');
  multiply(secret[2]!);
  shift(13).xor('r1', 'r3');
  multiply(secret[1]!);
  return shift(16);
}

/** r1: the word of the IPv6 address at base + offset. r2 to r4 are lost. */
export function mix6Instructions(asm: Assembler, secret: ArrayLike<number>, base: Register, offset: number): void {
  asm
    .load(32, 'r1', base, offset)
    .load(32, 'r2', base, offset + 4)
    .load(32, 'r3', base, offset + 8);
  hashInstructions(asm, secret)
    .load(32, 'r2', base, offset + 12)
    .xor('r1', 'r2');
}

/** Clears the upper half of r1. */
function low32(asm: Assembler): Assembler {
  return asm.lsh('r1', 32).rsh('r1', 32);
}
