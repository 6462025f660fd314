/**
 * Rates as in ip_vs_est.c: every two seconds the growth of each counter is blended into an average,
 * in fixed point.
 *
 *     rate = Δ << 9 (per second, scaled 2^10)      bytes: Δ << 4 (scaled 2^5)
 *     average += (rate − average) >> 2             shown = (average + 0x1FF) >> 10, bytes (average + 0xF) >> 5
 */
/** Period of the estimator, ms. */
export const ESTIMATE_EVERY = 2000;
const COLUMNS = 5;

/** The averages of one row of counters: conns, inpkts, outpkts, inbytes, outbytes. */
export class Estimator {
  private readonly last = new Float64Array(COLUMNS);
  private readonly average = new Float64Array(COLUMNS);

  /** `row`: index of the first column in `values`. Counts of the past do not enter the average. */
  constructor(values: Float64Array, row: number) {
    for (let i = 0; i < COLUMNS; i++) this.last[i] = values[row + i]!;
  }

  /** Call once per period. */
  update(values: Float64Array, row: number): void {
    for (let i = 0; i < COLUMNS; i++) {
      const rate = (values[row + i]! - this.last[i]!) * (i < 3 ? 512 : 16);
      this.last[i] = values[row + i]!;
      this.average[i]! += Math.floor((rate - this.average[i]!) / 4);
    }
  }

  /** Sets the averages to zero (ipvsadm --zero). */
  reset(): void {
    this.average.fill(0);
  }

  /** Rate per second, rounded as the kernel does; `column` as of Stat. */
  shown(column: number): number {
    const average = this.average[column]!;
    return column < 3 ? Math.floor((average + 0x1ff) / 1024) : Math.floor((average + 0xf) / 32);
  }
}
