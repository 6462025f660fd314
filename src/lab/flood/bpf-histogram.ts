/** A histogram (delays.ts) that a BPF program counts in. */
import { type Assembler, Call } from '../../device/bpf/assembler.js';
import { PRECISION } from './delays.js';

/** Increments entry r2 of a map of 64-bit counters, or goes to `without` if it has none. */
export function increment(asm: Assembler, mapFd: number, without: string): void {
  asm.store(32, 'r10', -4, 'r2').mov('r2', 'r10').add('r2', -4).map('r1', mapFd).call(Call.mapLookup);
  asm.jumpIf('r0', '==', 0, without).mov('r1', 1).addTo('r0', 0, 'r1');
}

/**
 * Replaces the number in r2 (below 2^32) by its bucket (delays.ts): halves it until it is below 2 *
 * PRECISION, and counts the halvings.
 */
export function bucket(asm: Assembler): void {
  asm.mov('r3', 0);
  for (const bits of [16, 8, 4, 2, 1]) {
    asm
      .jumpIf('r2', '<', PRECISION * 2 ** bits, `below${bits}`)
      .rsh('r2', bits)
      .add('r3', bits)
      .label(`below${bits}`);
  }
  asm.lsh('r3', Math.log2(PRECISION)).add('r2', 'r3');
}
