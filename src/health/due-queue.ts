/**
 * Checks that wait for their time, the earliest first: a binary heap. A turn costs what is due, not
 * what is planned.
 *
 *              2010            rows[0]
 *          2030    2500        rows[1], rows[2]
 *       4000  2040             rows[3], rows[4]     children of i: 2i + 1, 2i + 2
 */

export class DueQueue<T> {
  private readonly rows: Row<T>[] = [];

  get size(): number {
    return this.rows.length;
  }

  /** Time at which the earliest item is due, ms; Infinity without one. */
  get next(): number {
    return this.rows[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  push(item: T, at: number): void {
    const { rows } = this;
    const row = { at, item };
    let i = rows.push(row) - 1;
    for (let parent = (i - 1) >> 1; i > 0 && rows[parent]!.at > at; parent = (i - 1) >> 1) {
      rows[i] = rows[parent]!;
      i = parent;
    }
    rows[i] = row;
  }

  /** Removes the earliest item that is due by `now`. */
  take(now: number): T | undefined {
    const { rows } = this;
    const first = rows[0];
    if (first === undefined || first.at > now) return undefined;
    const last = rows.pop()!;
    if (rows.length > 0) this.sink(last);
    return first.item;
  }

  /** Puts `row` at the root, and moves it down behind its earlier children. */
  private sink(row: Row<T>): void {
    const { rows } = this;
    let i = 0;
    for (let child = 1; child < rows.length; child = 2 * i + 1) {
      if (child + 1 < rows.length && rows[child + 1]!.at < rows[child]!.at) child++;
      if (rows[child]!.at >= row.at) break;
      rows[i] = rows[child]!;
      i = child;
    }
    rows[i] = row;
  }
}

interface Row<T> {
  /** Time at which it is due, ms. */
  readonly at: number;
  readonly item: T;
}
