/**
 * Reads the lines of the kernel map: kernel functions | ours | note. `ours` is a list of `file:
 * names` below src, separated by `;`. It is `-` where there is no counterpart; then the note says
 * why.
 */

/** One of our files and the names in it. */
export interface Place {
  readonly file: string;
  readonly names: readonly string[];
}

export interface MapRow {
  readonly kernel: readonly string[];
  readonly ours: readonly Place[];
  readonly note: string;
}

/** A file of the kernel. */
export interface MapFile {
  /** Relative to the kernel's tree: `net/netfilter/ipvs/ip_vs_core.c`. */
  readonly file: string;
  readonly about: string;
  readonly rows: readonly MapRow[];
}

/** Throws for a line that is not of this form. */
export function mapFile(file: string, about: string, lines: string): MapFile {
  return { file, about, rows: lines.trim().split('\n').map(rowOf) };
}

function rowOf(line: string): MapRow {
  const [kernel = '', ours = '', note = '', ...more] = line.split('|').map((cell) => cell.trim());
  if (kernel === '' || ours === '' || more.length > 0 || (ours === '-' && note === ''))
    throw new Error(`kernel map: "${line}" is not of the form: functions | file: names | note`);
  return { kernel: list(kernel), ours: ours === '-' ? [] : ours.split(';').map(placeOf), note };
}

function placeOf(text: string): Place {
  const [file = '', names = ''] = text.split(':').map((part) => part.trim());
  return { file, names: list(names) };
}

function list(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}
