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
  /** The last counts, then the averages: one array, for there may be 100,000 estimators. */
  private readonly values = new Float64Array(2 * COLUMNS);

  /** `row`: index of the first column in `values`. Counts of the past do not enter the average. */
  constructor(values: Float64Array, row: number) {
    for (let i = 0; i < COLUMNS; i++) this.values[i] = values[row + i]!;
  }

  /** Call once per period. */
  update(values: Float64Array, row: number): void {
    const own = this.values;
    for (let i = 0; i < COLUMNS; i++) {
      const rate = (values[row + i]! - own[i]!) * (i < 3 ? 512 : 16);
      own[i] = values[row + i]!;
      own[COLUMNS + i]! += Math.floor((rate - own[COLUMNS + i]!) / 4);
    }
  }

  /** Sets the averages to zero (ipvsadm --zero). */
  reset(): void {
    this.values.fill(0, COLUMNS);
  }

  /** Rate per second, rounded as the kernel does; `column` as of Stat. */
  shown(column: number): number {
    const average = this.values[COLUMNS + column]!;
    return column < 3 ? Math.floor((average + 0x1ff) / 1024) : Math.floor((average + 0xf) / 32);
  }
}
