/** One call of bpf(2): union bpf_attr of linux/bpf.h, little endian. */
import { syscall } from './libc.js';
import { addressOf } from './memory.js';

const SYS_BPF = process.arch === 'arm64' ? 280 : 321;

/**
 * A copy that does not move while a structure has its address. Small typed arrays are in V8's heap
 * and can move.
 */
export function pinned(bytes: ArrayLike<number>): Uint8Array {
  const copy = new Uint8Array(new ArrayBuffer(Math.max(8, bytes.length)));
  copy.set(bytes);
  return copy;
}

/** union bpf_attr of one call. */
export class Attributes {
  readonly view = new DataView(new ArrayBuffer(152));
  private readonly kept: Uint8Array[] = [];

  words(at: number, ...values: readonly number[]): this {
    for (const [i, value] of values.entries()) this.view.setUint32(at + 4 * i, value, true);
    return this;
  }

  pointer(at: number, bytes: Uint8Array): this {
    this.kept.push(bytes);
    this.view.setBigUint64(at, addressOf(bytes), true);
    return this;
  }

  run(command: number): number {
    const result = syscall(SYS_BPF, command, new Uint8Array(this.view.buffer), this.view.byteLength);
    this.kept.length = 0; // not before: the kernel has only the addresses
    return result;
  }
}
