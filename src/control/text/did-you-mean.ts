/** Suggestions for misspelt words. */
/** Letters from which on a word may stand for a longer one that begins so. */
const BEGINNING = 4;

/**
 * The known word with the fewest edits from `word`, a third of its letters at most; else one that
 * begins with it; else undefined.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let longer: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < least) [best, least] = [candidate, edits];
    if (word.length >= BEGINNING && candidate.toLowerCase().startsWith(word.toLowerCase())) longer ??= candidate;
  }
  return best ?? longer;
}

/** `; did you mean X?`, or ''. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const near = nearest(word, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/**
 * Number of insertions, deletions, substitutions and swaps of neighbours (optimal string
 * alignment), of 40 letters at most.
 */
function editDistance(long: string, other: string): number {
  const [a, b] = [long.slice(0, 40), other.slice(0, 40)];
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) row.push(cell(a, b, rows, row, i, j));
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

function cell(a: string, b: string, rows: number[][], row: number[], i: number, j: number): number {
  const above = rows[i - 1]!;
  const plain = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
  const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  return swapped ? Math.min(plain, rows[i - 2]![j - 2]! + 1) : plain;
}
