/**
 * The functions of the C library that this process uses. No other folder loads koffi. Every
 * function returns what the C function returns; `check` turns −1 into a SystemError that names call
 * and errno.
 */
import os from 'node:os';
import koffi from 'koffi';

/** The library; only files of this folder declare functions of it. */
export const libc = koffi.load('libc.so.6');

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
/** A request whose argument is a number, not an address. */
export const ioctlValue = libc.func('int ioctl(int, ulong, ulong)') as (
  fd: number,
  request: number,
  arg: number,
) => number;
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

/**
 * The calls of the packet path take addresses as numbers (`addressAt`), so that koffi has nothing
 * to unwrap and nothing is allocated.
 */
export type Address = number;
export const readAt = libc.func('int64 read(int, uint64, size_t)') as (fd: number, to: Address, len: number) => number;
export const writeAt = libc.func('int64 write(int, uint64, size_t)') as (
  fd: number,
  from: Address,
  len: number,
) => number;
/** `iov`: address of `count` struct iovec. */
export const readvAt = libc.func('int64 readv(int, uint64, int)') as (fd: number, iov: bigint, count: number) => number;
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
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;

/** An epoll(7) descriptor, which has input when one of `descriptors` has. Throws a SystemError. */
export function epollOf(descriptors: readonly number[]): number {
  const all = check(epollCreate(EPOLL_CLOEXEC), 'epoll_create1');
  for (const fd of descriptors) check(epollCtl(all, EPOLL_CTL_ADD, fd, Uint32Array.of(EPOLLIN, fd, 0, 0)), 'epoll_ctl');
  return all;
}

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
