/**
 * Memory of other processes (process_vm_readv(2), process_vm_writev(2)). All functions throw a
 * SystemError: EFAULT (also where only a part of a range is mapped), EPERM, ESRCH.
 *
 * The bytes go through one buffer here, whose address does not change:
 *
 *   peek    there ──► [ stage ] ──► a copy
 *   poke    parts ──► [ stage: part | part | part ] ──► there, there, there     in one call
 */
import koffi from 'koffi';
import { errno, SystemError } from './libc.js';
import { addressOf } from './memory.js';

type Vector = BigUint64Array;
type MoveMemory = (pid: number, here: Vector, n: number, there: Vector, m: number, flags: number) => number;

const libc = koffi.load('libc.so.6');
const readMemory = libc.func('int64 process_vm_readv(int, void*, ulong, void*, ulong, ulong)') as MoveMemory;
const writeMemory = libc.func('int64 process_vm_writev(int, void*, ulong, void*, ulong, ulong)') as MoveMemory;

const EFAULT = 14;
const STAGE_SIZE = 1 << 18;
/** UIO_MAXIOV: of one call. */
const MAX_PARTS = 1024;

/** Bytes for an address of another process. */
export interface Part {
  readonly at: bigint;
  readonly bytes: Uint8Array;
}

const here = new BigUint64Array(new ArrayBuffer(16));
const there = new BigUint64Array(new ArrayBuffer(16 * MAX_PARTS));
let stage = new Uint8Array(0);
let stageAt = 0n;

/** Makes the stage at least `size` bytes long. */
function reserve(size: number): void {
  if (size <= stage.length) return;
  stage = new Uint8Array(new ArrayBuffer(Math.max(size, STAGE_SIZE)));
  stageAt = addressOf(stage);
}

/** Between `size` bytes of the stage and the first `n` entries of `there`. */
function move(call: MoveMemory, name: string, pid: number, size: number, n: number): void {
  here[0] = stageAt;
  here[1] = BigInt(size);
  const moved = call(pid, here, 1, there, n, 0);
  if (moved !== size) throw new SystemError(name, moved < 0 ? errno() : EFAULT);
}

/** `len` bytes of the memory of a thread's process. */
export function peek(pid: number, address: bigint, len: number): Buffer {
  if (len === 0) return Buffer.alloc(0);
  reserve(len);
  there[0] = address;
  there[1] = BigInt(len);
  move(readMemory, 'process_vm_readv', pid, len, 1);
  return Buffer.from(stage.subarray(0, len));
}

/** Writes into the memory of a thread's process. */
export function poke(pid: number, address: bigint, bytes: Uint8Array): void {
  pokeAll(pid, [{ at: address, bytes }]);
}

/** Writes parts in order; one that cannot be written ends it with an error. */
export function pokeAll(pid: number, parts: readonly Part[]): void {
  for (let i = 0; i < parts.length; i += MAX_PARTS) pokeSome(pid, parts.slice(i, i + MAX_PARTS));
}

function pokeSome(pid: number, parts: readonly Part[]): void {
  const size = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  reserve(size);
  let [n, used] = [0, 0];
  for (const { at, bytes } of parts) {
    if (bytes.length === 0) continue;
    stage.set(bytes, used);
    used += bytes.length;
    there[2 * n] = at;
    there[2 * n + 1] = BigInt(bytes.length);
    n++;
  }
  if (n > 0) move(writeMemory, 'process_vm_writev', pid, size, n);
}
