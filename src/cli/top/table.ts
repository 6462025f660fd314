/**
 * A table of `ulvs top`, as plain data: columns, and rows that may have rows below them. Sorting
 * and filtering keep each row below its head.
 *
 *     service      ◄─ sorted among services
 *       server     ◄─ sorted among the servers of that service
 *       server
 *     service
 */

/** How a row stands out. */
export type Tone = 'plain' | 'good' | 'bad' | 'warn' | 'dim' | 'head';

export interface Column {
  readonly title: string;
  /** Cells are cut to it; the column with 0 takes what is left. */
  readonly width: number;
  readonly right: boolean;
}

export interface Row {
  /** The same in the next sample. */
  readonly id: string;
  readonly cells: readonly string[];
  /** What each column is sorted by. */
  readonly keys: readonly (string | number)[];
  readonly tone: Tone;
  readonly below?: readonly Row[];
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** Order of the rows; column -1: as they come. */
export interface Sort {
  readonly column: number;
  readonly descending: boolean;
}

export const text = (title: string, width: number): Column => ({ title, width, right: false });
export const count = (title: string, width: number): Column => ({ title, width, right: true });

/** The rows to show, in order, heads before what is below them. */
export function arrange(rows: readonly Row[], sort: Sort, filter: string): Row[] {
  const word = filter.toLowerCase();
  return sorted(rows, sort).flatMap((row) => {
    const below = sorted(row.below ?? [], sort);
    if (matches(row, word)) return [row, ...below];
    const some = below.filter((one) => matches(one, word));
    return some.length === 0 ? [] : [row, ...some];
  });
}

function matches({ cells }: Row, word: string): boolean {
  return cells.some((cell) => cell.toLowerCase().includes(word));
}

function sorted(rows: readonly Row[], { column, descending }: Sort): readonly Row[] {
  if (column < 0) return rows;
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => sign * compare(a.keys[column]!, b.keys[column]!));
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
}
