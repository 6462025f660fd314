/**
 * Calls about processes: prctl(2), waitpid(2), niceness, signal masks; and files without a name
 * (memfd_create(2), pipe2(2)). All functions throw a SystemError.
 */
import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import { check, prctl, write } from './libc.js';

const libc = koffi.load('libc.so.6');

const wait = libc.func('int waitpid(int, void*, int)') as (pid: number, status: null, options: number) => number;
const memfdCreate = libc.func('int memfd_create(str, uint32)') as (name: string, flags: number) => number;
const lseek = libc.func('int64 lseek(int, int64, int)') as (fd: number, at: number, whence: number) => number;
const pipe2 = libc.func('int pipe2(void*, int)') as (fds: Int32Array, flags: number) => number;
const nice = libc.func('int nice(int)') as (steps: number) => number;
const setMask = libc.func('int pthread_sigmask(int, void*, void*)') as (
  how: number,
  set: BigUint64Array,
  old: null,
) => number;
const readLink = libc.func('int64 readlink(str, void*, size_t)') as (
  path: string,
  to: Uint8Array,
  len: number,
) => number;

const PR_SET_CHILD_SUBREAPER = 36;
const PR_SET_NO_NEW_PRIVS = 38;
const WNOHANG = 1;
const SIG_SETMASK = 2;
const MFD_CLOEXEC = 1;
const O_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;

/** The arguments of a process, its program first; none: it is gone, or of another user. */
export function argumentsOf(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '');
    return text === '' ? [] : text.split('\0');
  } catch {
    return [];
  }
}

/** Orphans below this process become its children, not those of init. */
export function becomeSubreaper(): void {
  check(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 'prctl PR_SET_CHILD_SUBREAPER');
}

/** Gives up set-user-ID and file capabilities of programs that this thread executes. */
export function setNoNewPrivs(): void {
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 'prctl PR_SET_NO_NEW_PRIVS');
}

/**
 * Blocks all signals in this thread, except those of its own faults. Other threads get them.
 * Without this, a signal can interrupt SECCOMP_IOCTL_NOTIF_ADDFD at a point where the kernel has
 * promised an answer and gives none: the stopped call returns 0.
 */
export function blockSignals(): void {
  const faults = [4, 5, 7, 8, 11].reduce((set, signal) => set | (1n << BigInt(signal - 1)), 0n);
  const set = new BigUint64Array(new ArrayBuffer(128));
  set[0] = 2n ** 64n - 1n - faults;
  setMask(SIG_SETMASK, set, null);
}

/** Makes this thread, and what it starts, nicer by `steps` (nice(2)). Each thread has its own. */
export function beNicer(steps: number): void {
  nice(steps);
}

/** Reaps a child that has ended. Does nothing when it runs, or when it is no child. */
export function reap(pid: number): void {
  wait(pid, null, WNOHANG);
}

/** A file in memory with `content`, to be read from its start. Returns its file descriptor. */
export function memoryFile(name: string, content: Uint8Array): number {
  const fd = check(memfdCreate(name, MFD_CLOEXEC), 'memfd_create');
  const bytes = new Uint8Array(new ArrayBuffer(content.length));
  bytes.set(content);
  for (let at = 0; at < bytes.length; ) at += check(write(fd, bytes.subarray(at), bytes.length - at), 'write');
  lseek(fd, 0, 0);
  return fd;
}

/** A pipe whose read end does not block. */
export function openPipe(): { readEnd: number; writeEnd: number } {
  const fds = new Int32Array(new ArrayBuffer(8));
  check(pipe2(fds, O_CLOEXEC_NONBLOCK), 'pipe2');
  return { readEnd: fds[0]!, writeEnd: fds[1]! };
}

const target = Buffer.from(new ArrayBuffer(256));

/**
 * What a symbolic link leads to; undefined: there is none. Unlike that of Node.js it makes no error
 * object, which costs more than the call.
 */
export function linkTarget(path: string): string | undefined {
  const n = readLink(path, target, target.length);
  return n < 0 ? undefined : target.toString('latin1', 0, n);
}
