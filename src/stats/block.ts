/**
 * A part of shared memory: `buffer` from `offset` bytes on. It is plain data, so that threads share
 * it.
 */
export interface Block {
  readonly buffer: SharedArrayBuffer;
  readonly offset: number;
}
