/**
 * The functions of the C library that this process uses. No other file loads koffi. Every function
 * returns what the C function returns; `check` turns −1 into a SystemError that names call and
 * errno.
 */
import os from 'node:os';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

type Buffer_ = Uint8Array | Int32Array | Uint32Array | BigUint64Array | null;
/** A memory address as koffi returns it. It is opaque: pass it to koffi only. */
export type Pointer = unknown;

export const socket = libc.func('int socket(int, int, int)') as (
  domain: number,
  type: number,
  protocol: number,
) => number;
export const bind = libc.func('int bind(int, void*, uint32)') as (fd: number, addr: Buffer_, len: number) => number;
export const connect = libc.func('int connect(int, void*, uint32)') as (
  fd: number,
  addr: Buffer_,
  len: number,
) => number;
export const getsockname = libc.func('int getsockname(int, void*, void*)') as (
  fd: number,
  addr: Buffer_,
  len: Buffer_,
) => number;
export const setsockopt = libc.func('int setsockopt(int, int, int, void*, uint32)') as (
  fd: number,
  level: number,
  option: number,
  value: Buffer_,
  len: number,
) => number;
export const getsockopt = libc.func('int getsockopt(int, int, int, void*, void*)') as (
  fd: number,
  level: number,
  option: number,
  value: Buffer_,
  len: Buffer_,
) => number;
export const send = libc.func('int64 send(int, void*, size_t, int)') as (
  fd: number,
  data: Buffer_,
  len: number,
  flags: number,
) => number;
export const recv = libc.func('int64 recv(int, void*, size_t, int)') as (
  fd: number,
  data: Buffer_,
  len: number,
  flags: number,
) => number;
export const sendto = libc.func('int64 sendto(int, void*, size_t, int, void*, uint32)') as (
  fd: number,
  data: Buffer_,
  len: number,
  flags: number,
  addr: Buffer_,
  addrLen: number,
) => number;
export const sendmmsg = libc.func('int sendmmsg(int, void*, uint32, int)') as (
  fd: number,
  messages: Buffer_,
  n: number,
  flags: number,
) => number;
export const read = libc.func('int64 read(int, void*, size_t)') as (fd: number, data: Buffer_, len: number) => number;
export const write = libc.func('int64 write(int, void*, size_t)') as (fd: number, data: Buffer_, len: number) => number;
export const open = libc.func('int open(str, int, int)') as (path: string, flags: number, mode: number) => number;
export const close = libc.func('int close(int)') as (fd: number) => number;
export const ioctl = libc.func('int ioctl(int, ulong, void*)') as (fd: number, request: number, arg: Buffer_) => number;
export const poll = libc.func('int poll(void*, ulong, int)') as (fds: Buffer_, n: number, timeoutMs: number) => number;
export const eventfd = libc.func('int eventfd(uint32, int)') as (initial: number, flags: number) => number;
const epollCreate = libc.func('int epoll_create1(int)') as (flags: number) => number;
const epollCtl = libc.func('int epoll_ctl(int, int, int, void*)') as (
  fd: number,
  operation: number,
  of: number,
  event: Buffer_,
) => number;
export const setns = libc.func('int setns(int, int)') as (fd: number, type: number) => number;
export const ifNameToIndex = libc.func('uint32 if_nametoindex(str)') as (name: string) => number;
export const syscall = libc.func('long syscall(long, int, void*, uint32)') as (
  number: number,
  command: number,
  attr: Buffer_,
  size: number,
) => number;

/** syscall(2) with numbers only. */
export const descriptorCall = libc.func('long syscall(long, long, long, long)') as (
  number: number,
  a: number,
  b: number,
  c: number,
) => number;

/** prctl(2); what an argument means follows from the option. */
export const prctl = libc.func('int prctl(int, ulong, ulong, ulong, ulong)') as (
  option: number,
  a: number,
  b: number,
  c: number,
  d: number,
) => number;
export const capget = libc.func('int capget(void*, void*)') as (header: Buffer_, data: Buffer_) => number;
export const capset = libc.func('int capset(void*, void*)') as (header: Buffer_, data: Buffer_) => number;
export const setrlimit = libc.func('int setrlimit(int, void*)') as (resource: number, limit: Buffer_) => number;
export const fcntl = libc.func('int fcntl(int, int, int)') as (fd: number, command: number, value: number) => number;
/** Both lists end with null. It returns only when it fails. */
export const execve = libc.func('int execve(const char *, const char **, const char **)') as (
  file: string,
  argv: readonly (string | null)[],
  environment: readonly (string | null)[],
) => number;

const passwd = koffi.struct({
  name: 'str',
  password: 'str',
  uid: 'uint32',
  gid: 'uint32',
  gecos: 'str',
  home: 'str',
  shell: 'str',
});
const getpwnam = libc.func('void* getpwnam(str)') as (name: string) => Pointer;

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** The ids of a user, from all sources of nsswitch.conf; undefined: there is no such user. */
export function userIds(name: string): UserIds | undefined {
  const found = getpwnam(name);
  return found === null ? undefined : (koffi.decode(found as never, passwd) as UserIds);
}

const setitimer = libc.func('int setitimer(int, void*, void*)') as (which: number, value: Buffer_, old: null) => number;

/**
 * Sends SIGALRM to this process in `ms` milliseconds, and then every `againMs`; 0, 0 ends it.
 * setitimer(2), ITIMER_REAL.
 */
export function alarmIn(ms: number, againMs: number): void {
  const value = [againMs, ms].flatMap((each) => [Math.floor(each / 1000), Math.floor((each % 1000) * 1000)]);
  check(setitimer(0, new BigUint64Array(value.map(BigInt)), null), 'setitimer');
}

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
export const MSG_DONTWAIT = 0x40;

/** A failed call of the C library. `code` is the name of the errno (EPERM …). */
export class SystemError extends Error {
  constructor(
    readonly call: string,
    readonly errno: number,
  ) {
    super(`${call}: ${errnoName(errno)}`);
    this.name = 'SystemError';
  }
  get code(): string {
    return errnoName(this.errno);
  }
}

/** The name of an errno, or its number in words. */
export function errnoName(errno: number): string {
  for (const [name, value] of Object.entries(os.constants.errno)) if (value === errno) return name;
  return `errno ${errno}`;
}

/** errno of the last failed call of this thread. */
export function errno(): number {
  return koffi.errno();
}

/** Returns `result`, or throws a SystemError that names `call` when it is negative. */
export function check(result: number, call: string): number {
  if (result < 0) throw new SystemError(call, koffi.errno());
  return result;
}

const EINTR = 4;

/** The result of a call that is made again when a signal interrupts it. */
export function uninterrupted(call: () => number): number {
  for (;;) {
    const result = call();
    if (result >= 0 || koffi.errno() !== EINTR) return result;
  }
}

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
 * The calls of the packet path take addresses as numbers (`addressAt`), so that koffi has nothing
 * to unwrap and nothing is allocated.
 */
type Address = number;
export const readAt = libc.func('int64 read(int, uint64, size_t)') as (fd: number, to: Address, len: number) => number;
export const writeAt = libc.func('int64 write(int, uint64, size_t)') as (
  fd: number,
  from: Address,
  len: number,
) => number;
export const recvAt = libc.func('int64 recv(int, uint64, size_t, int)') as (
  fd: number,
  to: Address,
  len: number,
  flags: number,
) => number;
export const sendAt = libc.func('int64 send(int, uint64, size_t, int)') as (
  fd: number,
  from: Address,
  len: number,
  flags: number,
) => number;
export const sendmmsgAt = libc.func('int sendmmsg(int, uint64, uint32, int)') as (
  fd: number,
  messages: Address,
  n: number,
  flags: number,
) => number;
export const pollAt = libc.func('int poll(uint64, ulong, int)') as (
  fds: Address,
  n: number,
  timeoutMs: number,
) => number;
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

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;

/** An epoll(7) descriptor, which has input when one of `descriptors` has. Throws a SystemError. */
export function epollOf(descriptors: readonly number[]): number {
  const all = check(epollCreate(EPOLL_CLOEXEC), 'epoll_create1');
  for (const fd of descriptors) check(epollCtl(all, EPOLL_CTL_ADD, fd, Uint32Array.of(EPOLLIN, fd, 0, 0)), 'epoll_ctl');
  return all;
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

/** Buffers with pages of files: V8 must not free them, because malloc would use the pages again. */
const mapped = new Set<SharedArrayBuffer>();

const flock = libc.func('int flock(int, int)') as (fd: number, operation: number) => number;
const LOCK_EXCLUSIVE_NOW = 2 | 4;

/**
 * Locks a file for this process, until it ends or closes the descriptor. False: another one has it.
 */
export function lockFile(fd: number): boolean {
  return flock(fd, LOCK_EXCLUSIVE_NOW) === 0;
}

const mountCall = libc.func('int mount(str, str, str, ulong, str)') as (
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string,
) => number;
const MS_NOSUID_NODEV_NOEXEC = 2 | 4 | 8;

/** Mounts a tmpfs. Throws a SystemError('mount'). */
export function mountTmpfs(target: string, options: string): void {
  check(mountCall('ulvs', target, 'tmpfs', MS_NOSUID_NODEV_NOEXEC, options), 'mount');
}
