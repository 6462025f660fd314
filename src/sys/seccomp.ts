/**
 * seccomp(2) with user notification (seccomp_unotify(2)): a filter on the calling thread and on
 * what it forks, and the listener by which a supervisor answers the calls that the filter stops.
 * Structures of linux/seccomp.h:
 *
 *   struct seccomp_notif, 80 bytes             struct seccomp_notif_resp, 24 bytes
 *    0 id (u64)                                 0 id (u64)
 *    8 pid (thread id)   12 flags               8 val (s64)
 *   16 nr    20 arch     24 instruction        16 error (s32, negative)
 *   32 six arguments (u64 each)                20 flags
 *
 *   struct seccomp_notif_addfd, 24 bytes: id (u64), flags, srcfd, newfd, newfd_flags
 */
import koffi from 'koffi';
import { check, errno, ioctl, SystemError, uninterrupted } from './libc.js';
import { addressOf } from './memory.js';
import { setNoNewPrivs } from './process.js';

const seccomp = koffi.load('libc.so.6').func('long syscall(long, uint32, uint32, void*)') as (
  number: number,
  operation: number,
  flags: number,
  fprog: Uint8Array,
) => number;

const SYS_SECCOMP = process.arch === 'arm64' ? 277 : 317;
const SET_MODE_FILTER = 1;
const FILTER_FLAG_NEW_LISTENER = 8;
/** Linux 5.19: once the supervisor has received a call, only a fatal signal interrupts it. */
const FILTER_FLAG_WAIT_KILLABLE_RECV = 32;

const NOTIF_RECV = 0xc0502100;
const NOTIF_SEND = 0xc0182101;
const NOTIF_ADDFD = 0x40182103;
const ADDFD_SETFD = 1;
const ADDFD_SEND = 2;
const RESPONSE_CONTINUE = 1;
export const O_CLOEXEC = 0o2000000;

/** An id that no call has: the kernel's begin at a random number and count up. */
const NO_CALL = 0n;
const EACCES = 13;
const EINVAL = 22;

/** A filter that is installed. */
export interface Listener {
  readonly fd: number;
  /** The thread and its descendants have given up set-user-ID programs, which root need not. */
  readonly noNewPrivs: boolean;
  /** Signals cannot interrupt a call that the supervisor has received. */
  readonly killable: boolean;
}

/**
 * Filters the calling thread and what it forks from now on, for ever. `program`: instructions of
 * classic BPF. Without `wantKillable` the filter is as before Linux 5.19. Throws a
 * SystemError('seccomp'): EBUSY when a filter above has a listener, EINVAL or ENOSYS when the
 * kernel has no user notification.
 */
export function installFilter(program: Uint8Array, wantKillable: boolean): Listener {
  const copy = new Uint8Array(new ArrayBuffer(program.length));
  copy.set(program);
  const fprog = new DataView(new ArrayBuffer(16));
  fprog.setUint16(0, copy.length / 8, true);
  fprog.setBigUint64(8, addressOf(copy), true);
  return install(new Uint8Array(fprog.buffer), wantKillable, false);
}

/** Tries without what the kernel refuses: first WAIT_KILLABLE_RECV, then the privilege. */
function install(fprog: Uint8Array, killable: boolean, noNewPrivs: boolean): Listener {
  const flags = FILTER_FLAG_NEW_LISTENER | (killable ? FILTER_FLAG_WAIT_KILLABLE_RECV : 0);
  const fd = seccomp(SYS_SECCOMP, SET_MODE_FILTER, flags, fprog);
  if (fd >= 0) return { fd, noNewPrivs, killable };
  if (errno() === EINVAL && killable) return install(fprog, false, noNewPrivs);
  if (errno() !== EACCES || noNewPrivs) throw new SystemError('seccomp', errno());
  setNoNewPrivs();
  return install(fprog, killable, true);
}

/** A stopped call. Arguments are unsigned and have 64 bits. */
export class Notification {
  readonly bytes = new Uint8Array(new ArrayBuffer(80));
  private readonly view = new DataView(this.bytes.buffer);

  get id(): bigint {
    return this.view.getBigUint64(0, true);
  }
  /** The thread, in the process id namespace of the supervisor. */
  get thread(): number {
    return this.view.getUint32(8, true);
  }
  get call(): number {
    return this.view.getInt32(16, true);
  }
  /** An argument that is a pointer or a size. */
  wide(argument: number): bigint {
    return this.view.getBigUint64(32 + 8 * argument, true);
  }
  /** An argument that is an int: its low 32 bits. */
  int(argument: number): number {
    return this.view.getInt32(32 + 8 * argument, true);
  }
}

/** The next stopped call; false: its thread is gone. */
export function receive(listener: number, into: Notification): boolean {
  into.bytes.fill(0); // the kernel refuses other content
  return ioctl(listener, NOTIF_RECV, into.bytes) >= 0;
}

/**
 * What the stopped call returns: a value; a negative errno; or 'continue': the kernel executes it.
 */
export type Outcome = { readonly value: number } | { readonly errno: number } | 'continue';

const response = new Uint8Array(new ArrayBuffer(24));
const responseView = new DataView(response.buffer);

/** Answers a call. Returns false when its thread does not wait any more: a signal, or its end. */
export function respond(listener: number, id: bigint, outcome: Outcome): boolean {
  response.fill(0);
  const view = responseView;
  view.setBigUint64(0, id, true);
  if (outcome === 'continue') view.setUint32(20, RESPONSE_CONTINUE, true);
  else if ('errno' in outcome) view.setInt32(16, -outcome.errno, true);
  else view.setBigInt64(8, BigInt(outcome.value), true);
  return uninterrupted(() => ioctl(listener, NOTIF_SEND, response)) >= 0;
}

/**
 * Gives the caller a descriptor of the open file `fd`, and answers its call with the number (Linux
 * 5.14). `at`: the number; undefined: the lowest that is free. Throws a SystemError: ENOENT when
 * the thread does not wait any more, EMFILE.
 */
export function respondWithFd(listener: number, id: bigint, fd: number, at: number | undefined, flags: number): void {
  const view = new DataView(new ArrayBuffer(24));
  view.setBigUint64(0, id, true);
  view.setUint32(8, ADDFD_SEND | (at === undefined ? 0 : ADDFD_SETFD), true);
  view.setUint32(12, fd, true);
  view.setUint32(16, at ?? 0, true);
  view.setUint32(20, flags, true);
  const request = new Uint8Array(view.buffer);
  check(
    uninterrupted(() => ioctl(listener, NOTIF_ADDFD, request)),
    'SECCOMP_IOCTL_NOTIF_ADDFD',
  );
}

/** The kernel has `respondWithFd`: Linux 5.14 and later. Such a kernel looks for the call first. */
export function canRespondWithFd(listener: number): boolean {
  try {
    respondWithFd(listener, NO_CALL, listener, undefined, 0);
  } catch (error) {
    return error instanceof SystemError && error.code === 'ENOENT';
  }
  return true;
}
