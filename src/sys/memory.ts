/**
 * Mapped memory (mmap(2)) and the addresses of buffers.
 *
 *     file or anonymous ─ map ─────────► ArrayBuffer of this thread
 *     file ─────────────── mapShared ──► pages under a SharedArrayBuffer, for all threads
 */
import koffi from 'koffi';
import { type Address, check, close, libc, type Pointer, SystemError } from './libc.js';

const mmap = libc.func('void* mmap(void*, size_t, int, int, int, int64)') as (
  addr: null,
  len: number,
  prot: number,
  flags: number,
  fd: number,
  offset: number,
) => Pointer;
const munmap = libc.func('int munmap(void*, size_t)') as (addr: Pointer, len: number) => number;

export const PROT_READ_WRITE = 3;
export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_ANONYMOUS = 0x20;
export const MAP_POPULATE = 0x8000;
/** Mapped memory as an ArrayBuffer, without a copy. It is valid until `unmap`. */
export interface Mapping {
  readonly pointer: Pointer;
  /** The address as a number (exact below 2^53), for structures of the kernel. */
  readonly address: number;
  readonly buffer: ArrayBuffer;
  unmap(): void;
}

/** mmap(2) of `len` bytes, readable and writable. Throws a SystemError('mmap'). */
export function map(len: number, flags: number, fd: number, offset: number): Mapping {
  const pointer = mmap(null, len, PROT_READ_WRITE, flags, fd, offset);
  const address = Number(koffi.address(pointer as never));
  if (address === -1 || address > Number.MAX_SAFE_INTEGER || pointer === null)
    throw new SystemError('mmap', koffi.errno());
  const buffer = koffi.view(pointer as never, len) as ArrayBuffer;
  return { pointer, address, buffer, unmap: () => void munmap(pointer, len) };
}

/**
 * Memory that another thread has mapped, as an ArrayBuffer of this thread. It is valid until the
 * owner unmaps it: a later access ends the process.
 */
export function viewAt(address: number, len: number): ArrayBuffer {
  return koffi.view(address as never, len) as ArrayBuffer;
}

const munmapAt = libc.func('int munmap(uint64, size_t)') as (at: number, len: number) => number;

/** Ends a mapping by its address. */
export function unmapAt(address: number, len: number): void {
  munmapAt(address, len);
}

const memfdCreate = libc.func('int memfd_create(str, uint32)') as (name: string, flags: number) => number;
const ftruncate = libc.func('int ftruncate(int, int64)') as (fd: number, len: number) => number;
const MFD_CLOEXEC = 1;

/**
 * A file of `len` zero bytes in memory, which has no path (memfd_create(2)). Returns its
 * descriptor. Throws a SystemError.
 */
export function memoryFile(name: string, len: number): number {
  const fd = check(memfdCreate(name, MFD_CLOEXEC), 'memfd_create');
  if (ftruncate(fd, len) === 0) return fd;
  const error = new SystemError('ftruncate', koffi.errno());
  close(fd);
  throw error;
}

/**
 * The address of a typed array's first byte, for iovec and bpf attributes. The array must stay
 * referenced.
 */
export function addressOf(data: Uint8Array | Int32Array | Uint32Array | BigUint64Array): bigint {
  return BigInt(koffi.address(data as never));
}

/**
 * memcpy(3) between mappings or buffers. A call costs 45 ns, so it is faster than a loop above some
 * 128 bytes.
 */
export const memcpyAt = libc.func('uint64 memcpy(uint64, uint64, size_t)') as (
  to: Address,
  from: Address,
  len: number,
) => number;

/**
 * Memory address of a buffer. The buffer must stay referenced, and must have been made as an
 * ArrayBuffer: small typed arrays move.
 */
export function addressAt(buffer: ArrayBufferLike): number {
  return Number(koffi.address(new Uint8Array(buffer) as never));
}

const madvise = libc.func('int madvise(uint64, size_t, int)') as (at: Address, len: number, advice: number) => number;
const MADV_HUGEPAGE = 14;
const PAGE = 4096;

/**
 * Asks for pages of 2 MB (madvise(2), MADV_HUGEPAGE), before the memory is touched. No effect
 * without kernel support.
 */
export function adviseLargePages(buffer: ArrayBufferLike): void {
  const address = addressAt(buffer);
  const start = Math.ceil(address / PAGE) * PAGE;
  const end = Math.floor((address + buffer.byteLength) / PAGE) * PAGE;
  if (end > start) madvise(start, end - start, MADV_HUGEPAGE);
}

const mmapAt = libc.func('uint64 mmap(uint64, size_t, int, int, int, int64)') as (
  addr: Address,
  len: number,
  prot: number,
  flags: number,
  fd: number,
  offset: number,
) => number;
const MAP_FIXED = 0x10;
const MAP_NORESERVE = 0x4000;

/**
 * Maps `len` bytes of a file from offset 0, followed by `extra` bytes of anonymous memory in the
 * same ArrayBuffer. Both are whole pages. Throws a SystemError('mmap').
 */
export function mapWithRoom(len: number, flags: number, fd: number, extra: number): Mapping {
  const whole = map(len + extra, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mmapAt(whole.address, len, PROT_READ_WRITE, flags | MAP_FIXED, fd, 0) === whole.address) return whole;
  const error = new SystemError('mmap', koffi.errno());
  whole.unmap();
  throw error;
}

const PAGE_2M = 2 << 20;

/** Shared memory whose pages are those of a file: `buffer` from `offset` on. */
export interface SharedMapping {
  readonly buffer: SharedArrayBuffer;
  readonly offset: number;
  /** The pages become anonymous memory again, zeroed; the file keeps its content. */
  unmap(): void;
}

/**
 * Maps `len` bytes of a file, from `at` on, over pages of a new SharedArrayBuffer (mmap(2),
 * MAP_SHARED | MAP_FIXED). All threads and typed arrays then use the file as memory. Both numbers
 * are whole pages; a mapping of 2 MB or more begins at a multiple of 2 MB, so that large pages fit.
 * The memory is unmapped before V8 frees it only by `unmap`: keep the buffer until then. Throws a
 * SystemError('mmap').
 */
export function mapShared(fd: number, at: number, len: number): SharedMapping {
  const unit = len >= PAGE_2M ? PAGE_2M : PAGE;
  const buffer = new SharedArrayBuffer(len + unit);
  const address = addressAt(buffer);
  const offset = (unit - (address % unit)) % unit;
  if (mmapAt(address + offset, len, PROT_READ_WRITE, MAP_SHARED | MAP_FIXED, fd, at) !== address + offset)
    throw new SystemError('mmap', koffi.errno());
  mapped.add(buffer);
  const unmap = () => {
    mmapAt(address + offset, len, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    mapped.delete(buffer);
  };
  return { buffer, offset, unmap };
}

/** Pages of a file that are mapped in this process. */
export interface FilePages {
  readonly address: number;
  readonly bytes: number;
  readonly fd: number;
  /** Where they are in the file. */
  readonly at: number;
}

/**
 * Does `work` with memory of zeros in the place of pages of files. No other process sees what is
 * written meanwhile, and it is gone afterwards. No other thread may use the pages until then.
 * Throws a SystemError('mmap').
 */
export function onScratch(pages: readonly FilePages[], work: () => void): void {
  const put = ({ address, bytes }: FilePages, flags: number, fd: number, at: number) => {
    if (mmapAt(address, bytes, PROT_READ_WRITE, flags | MAP_FIXED, fd, at) !== address)
      throw new SystemError('mmap', koffi.errno());
  };
  try {
    for (const one of pages) put(one, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    work();
  } finally {
    for (const one of pages) put(one, MAP_SHARED, one.fd, one.at);
  }
}

/** Buffers with pages of files: V8 must not free them, because malloc would use the pages again. */
const mapped = new Set<SharedArrayBuffer>();
