/**
 * Changes of one BPF map, in batches of one system call each. A kernel or a map that refuses a
 * batch gets the changes one by one.
 */
import { deleteFromMap, deleteFromMapBatch, updateMap, updateMapBatch } from '../../sys/bpf.js';

/** Changes in one call. */
const MOST = 4096;

/** Keys or values of `size` bytes, one after the other, in memory that does not move (`fixed`). */
export interface Packed {
  readonly bytes: Uint8Array;
  readonly size: number;
}

/** Sets keys to values. Throws a SystemError. */
export function setAll(fd: number, keys: Packed, values: Packed): void {
  inBatches(keys, (from, to) => {
    try {
      updateMapBatch(fd, part(keys, from, to), part(values, from, to), to - from);
    } catch {
      for (let i = from; i < to; i++) updateMap(fd, part(keys, i, i + 1), part(values, i, i + 1));
    }
  });
}

/** Removes keys. A key that is not there is no error. Throws a SystemError. */
export function removeAll(fd: number, keys: Packed): void {
  inBatches(keys, (from, to) => {
    try {
      deleteFromMapBatch(fd, part(keys, from, to), to - from);
    } catch {
      for (let i = from; i < to; i++) deleteFromMap(fd, part(keys, i, i + 1));
    }
  });
}

function inBatches({ bytes, size }: Packed, change: (from: number, to: number) => void): void {
  const count = bytes.length / size;
  for (let i = 0; i < count; i += MOST) change(i, Math.min(count, i + MOST));
}

function part({ bytes, size }: Packed, from: number, to: number): Uint8Array {
  return bytes.subarray(from * size, to * size);
}

/** Memory that does not move while the kernel has its address: short arrays are on V8's heap. */
export function fixed(size: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(Math.max(128, size)), 0, size);
}
