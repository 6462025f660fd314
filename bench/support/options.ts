/**
 * The command line that all questions share.
 *
 *     node --expose-gc build/bench/questions/NAME.js [--quick] [WORD ...]
 *
 * `--quick` measures less and for a shorter time, and leaves bench/results alone. Its figures show that everything works. They
 * do not show how fast it is.
 */
const words = process.argv.slice(2);

export const QUICK = words.includes('--quick');
/** The words that a question understands itself. */
export const WORDS: readonly string[] = words.filter((word) => word !== '--quick');
/** Relative to where it runs: the repository's root, as `make bench` does. */
export const RESULTS = QUICK ? 'build/bench/results' : 'bench/results';

export function orQuick<T>(full: T, quick: T): T {
  return QUICK ? quick : full;
}
