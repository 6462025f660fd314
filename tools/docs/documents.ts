/** All documents that `make docs` writes, made in memory: the program writes them, the test compares them. */
import { dropsDocument } from './drops.js';
import type { Document } from './text/blocks.js';

/** `root`: the repository, whose sources and results are read. */
export function documents(_root: string): Document[] {
  return [dropsDocument()];
}
