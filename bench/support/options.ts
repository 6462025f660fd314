/**
 * The command line that all questions share.
 *
 *     node --expose-gc build/bench/questions/NAME.js [--quick] [WORD ...]
 *
 * `--quick` measures less and for a shorter time, and does not write to bench/results. Its figures
 * show that everything works. They do not show how fast ulvs is.
 */
const words = process.argv.slice(2);

export const QUICK = words.includes('--quick');
/** The words that the question itself interprets. */
export const WORDS: readonly string[] = words.filter((word) => word !== '--quick');
/**
 * Folder of the results. It is relative to the working directory, which is the root of the
 * repository.
 */
export const RESULTS = QUICK ? 'build/bench/results' : 'bench/results';

export function orQuick<T>(full: T, quick: T): T {
  return QUICK ? quick : full;
}
