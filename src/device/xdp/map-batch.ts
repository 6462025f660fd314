/**
 * Changes of one BPF map, in batches of one system call each. A kernel or a map that refuses a
 * batch gets the changes one by one.
 */
import { deleteFromMap, deleteFromMapBatch, updateMap, updateMapBatch } from '../../sys/bpf.js';

/** Changes in one call. */
const MOST = 4096;

/**
 * Sets keys, given in hex, to values of `size` bytes. `write` puts a value into words at an index.
 * Throws a SystemError.
 */
export function setAll(
  fd: number,
  keys: readonly string[],
  size: number,
  write: (key: string, words: Uint32Array, at: number) => void,
): void {
  inBatches(keys, (some) => {
    const words = new Uint32Array(buffer(some.length * size).buffer);
    for (const [i, key] of some.entries()) write(key, words, (i * size) / 4);
    const values = new Uint8Array(words.buffer);
    try {
      updateMapBatch(fd, keysOf(some), values, some.length);
    } catch {
      for (const [i, key] of some.entries())
        updateMap(fd, Buffer.from(key, 'hex'), values.subarray(i * size, (i + 1) * size));
    }
  });
}

/** Removes keys, given in hex. A key that is not there is no error. Throws a SystemError. */
export function removeAll(fd: number, keys: readonly string[]): void {
  inBatches(keys, (some) => {
    try {
      deleteFromMapBatch(fd, keysOf(some), some.length);
    } catch {
      for (const key of some) deleteFromMap(fd, Buffer.from(key, 'hex'));
    }
  });
}

function inBatches<T>(all: readonly T[], change: (some: readonly T[]) => void): void {
  for (let i = 0; i < all.length; i += MOST) change(all.slice(i, i + MOST));
}

function keysOf(keys: readonly string[]): Uint8Array {
  const size = keys[0]!.length / 2;
  const bytes = buffer(keys.length * size);
  const written = Buffer.from(bytes.buffer);
  for (const [i, key] of keys.entries()) written.write(key, i * size, 'hex');
  return bytes;
}

/** Memory that does not move while the kernel has its address: short arrays are on V8's heap. */
function buffer(size: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(Math.max(128, size)));
}
