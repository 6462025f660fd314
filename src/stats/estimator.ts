/**
 * Rates as ip_vs_est.c computes them: every two seconds each counter's growth is blended into an average, in fixed point.
 *
 *     rate = Δ << 9 (per second, scaled 2^10)      bytes: Δ << 4 (scaled 2^5)
 *     average += (rate − average) >> 2             shown = (average + 0x1FF) >> 10, bytes (average + 0xF) >> 5
 */
export const ESTIMATE_EVERY = 2000;
const COLUMNS = 5;

/** The averages of one row of counters: conns, inpkts, outpkts, inbytes, outbytes. */
export class Estimator {
  private readonly last = new Float64Array(COLUMNS);
  private readonly average = new Float64Array(COLUMNS);

  /** What was counted before is no growth. */
  constructor(values: Float64Array, row: number) {
    for (let i = 0; i < COLUMNS; i++) this.last[i] = values[row + i]!;
  }

  update(values: Float64Array, row: number): void {
    for (let i = 0; i < COLUMNS; i++) {
      const rate = (values[row + i]! - this.last[i]!) * (i < 3 ? 512 : 16);
      this.last[i] = values[row + i]!;
      this.average[i]! += Math.floor((rate - this.average[i]!) / 4);
    }
  }

  /** `--zero` begins again from nothing. */
  reset(): void {
    this.average.fill(0);
  }

  shown(column: number): number {
    const average = this.average[column]!;
    return column < 3 ? Math.floor((average + 0x1ff) / 1024) : Math.floor((average + 0xf) / 32);
  }
}
