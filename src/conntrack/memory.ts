/**
 * The memory of a connection table: shared with the control thread, and where the state outlives
 * the process, mapped from a file (control/state). Only the lines are needed without a state.
 *
 *     lines   [ line 0 | line 1 | … ]     64 bytes each (entry.ts); line 0 has what other threads read
 *     seals   [   –    | seal 1 | … ]      4 bytes each: a check of what an entry must not lose (seal.ts)
 *     shifts  [   –    | row 1  | … ]     32 bytes each: sequence shifts of FTP (seqadj.ts)
 */
import type { Block } from '../stats/block.js';
import { ENTRY_WORDS } from './entry.js';
import { SHIFT_WORDS } from './seqadj.js';

/** The parts of a table's memory. */
export interface TableMemory {
  readonly lines: Block;
  readonly seals?: Block | undefined;
  readonly shifts?: Block | undefined;
}

/**
 * Bytes before line 0, so that each line is one cache line: malloc returns large blocks 16 bytes
 * after the start of a page.
 */
const LEAD = 48;

/** Zeroed memory for a table of `maxEntries` lines, which ends with the process. */
export function tableMemory(maxEntries: number): TableMemory {
  return { lines: { buffer: new SharedArrayBuffer(LEAD + linesBytes(maxEntries)), offset: LEAD } };
}

/** Bytes of each part of the memory of `maxEntries` lines, line 0 included. */
export function linesBytes(maxEntries: number): number {
  return (maxEntries + 1) * ENTRY_WORDS * 4;
}
export function sealsBytes(maxEntries: number): number {
  return (maxEntries + 1) * 4;
}
export function shiftsBytes(maxEntries: number): number {
  return (maxEntries + 1) * SHIFT_WORDS * 4;
}

/** A part as words: `words` of them, or an empty array where the part is absent. */
export function wordsOf(block: Block | undefined, words: number): Int32Array {
  return block === undefined ? new Int32Array(0) : new Int32Array(block.buffer, block.offset, words);
}
