/**
 * Which blocks of code were reached. The fuzz build (instrument.mjs) marks each block at its first
 * execution; without that build there are no blocks, and inputs are chosen by chance alone.
 */
export interface Blocks {
  /** By number of a block: 1 once it was reached. */
  readonly reached: Uint8Array;
  /** Number of blocks reached so far. */
  count: number;
  /** The blocks of each source file: the first number, and how many. */
  readonly files: Record<string, readonly [first: number, count: number]>;
}

const none: Blocks = { reached: new Uint8Array(0), count: 0, files: {} };
export const blocks: Blocks = (globalThis as { ulvsBlocks?: Blocks }).ulvsBlocks ?? none;

/** Blocks reached, and all blocks, of the source files below `folders`. */
export function coverageOf(folders: readonly string[]): { reached: number; all: number } {
  let [reached, all] = [0, 0];
  for (const [file, [first, count]] of Object.entries(blocks.files)) {
    if (!folders.some((folder) => file === folder || file.startsWith(`${folder}/`))) continue;
    all += count;
    for (let i = first; i < first + count; i++) reached += blocks.reached[i]!;
  }
  return { reached, all };
}
