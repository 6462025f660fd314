/**
 * Seeded random input for property tests. The same seed gives the same run; ULVS_SEED=n sets
 * another one. A failing test should name `random.seed` and its round.
 */
export const SEED = Number(process.env.ULVS_SEED ?? 1) >>> 0;

/** mulberry32: 32 bits of state, good enough to pick test cases, not for anything else. */
export class Random {
  private state: number;

  constructor(readonly seed: number = SEED) {
    this.state = seed | 0;
  }

  u32(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }
  i32(): number {
    return this.u32() | 0;
  }
  u16(): number {
    return this.u32() >>> 16;
  }
  u8(): number {
    return this.u32() >>> 24;
  }
  bool(): boolean {
    return this.u32() >>> 31 === 1;
  }
  /** 0 to n − 1. */
  below(n: number): number {
    return Math.floor((this.u32() / 2 ** 32) * n);
  }
  /** lo to hi, both included. */
  between(lo: number, hi: number): number {
    return lo + this.below(hi - lo + 1);
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
  bytes(n: number): Uint8Array {
    return Uint8Array.from({ length: n }, () => this.u8());
  }
  words(n: number): Int32Array {
    return Int32Array.from({ length: n }, () => this.i32());
  }
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }
}
