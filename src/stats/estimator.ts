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
const WIDTH = 2 * COLUMNS;

/**
 * The averages of rows of counters: conns, inpkts, outpkts, inbytes, outbytes. A row is named by
 * the index of its first column.
 */
export class Estimators {
  /** Where the values of a row are. */
  private readonly places = new Map<number, number>();
  /** Of each row the last counts, then the averages: one array, for there may be 100,000 rows. */
  private values = new Float64Array(64 * WIDTH);

  /** Starts with a row, or starts anew. Counts of the past do not enter the average. */
  watch(counts: Float64Array, row: number): void {
    const place = this.places.get(row) ?? this.add(row);
    if (place >= this.values.length) this.grow();
    for (let i = 0; i < COLUMNS; i++) {
      this.values[place + i] = counts[row + i]!;
      this.values[place + COLUMNS + i] = 0;
    }
  }

  private add(row: number): number {
    const place = this.places.size * WIDTH;
    this.places.set(row, place);
    return place;
  }

  private grow(): void {
    const more = new Float64Array(2 * this.values.length);
    more.set(this.values);
    this.values = more;
  }

  /** Call once per period. */
  update(counts: Float64Array): void {
    for (const [row, place] of this.places) this.updateOne(counts, row, place);
  }

  private updateOne(counts: Float64Array, row: number, place: number): void {
    const own = this.values;
    for (let i = 0; i < COLUMNS; i++) {
      const rate = (counts[row + i]! - own[place + i]!) * (i < 3 ? 512 : 16);
      own[place + i] = counts[row + i]!;
      own[place + COLUMNS + i]! += Math.floor((rate - own[place + COLUMNS + i]!) / 4);
    }
  }

  /** Sets the averages of a row to zero (ipvsadm --zero). */
  reset(row: number): void {
    const place = this.places.get(row);
    if (place !== undefined) this.values.fill(0, place + COLUMNS, place + WIDTH);
  }

  /** Rate per second, rounded as the kernel does; `column` as of Stat. */
  shown(row: number, column: number): number {
    const place = this.places.get(row);
    if (place === undefined) return 0;
    const average = this.values[place + COLUMNS + column]!;
    return column < 3 ? Math.floor((average + 0x1ff) / 1024) : Math.floor((average + 0xf) / 32);
  }
}
