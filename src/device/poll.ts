/**
 * Poller waits for several file descriptors at once. Bell ends the wait from another thread.
 *
 *     pollfd[n]  | fd 32 | events 16 | revents 16 |       8 bytes each, laid out once
 */

import { check, close, errno, eventfd, pollAt, readAt, SystemError, writeAt } from '../sys/libc.js';
import { addressAt } from '../sys/memory.js';
import { clearSocketError } from '../sys/packet-socket.js';

const POLLIN = 1;
const POLLERR = 8;
const EINTR = 4;
const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;

/**
 * poll(2) over a fixed set of descriptors. A wait allocates nothing. A negative descriptor is never
 * ready.
 */
export class Poller {
  private readonly fds: Int32Array;
  private readonly events: Int16Array;
  private readonly address: number;

  constructor(readonly descriptors: readonly number[]) {
    const block = new ArrayBuffer(Math.max(8, descriptors.length * 8));
    this.fds = new Int32Array(block);
    this.events = new Int16Array(block);
    this.address = addressAt(block);
    descriptors.forEach((fd, i) => {
      this.fds[i * 2] = fd;
      this.events[i * 4 + 2] = POLLIN;
    });
  }

  /**
   * Blocks until a descriptor has input or `timeoutMs` is over (milliseconds; −1: no limit).
   * Returns how many are ready; 0 after the timeout and after a signal. Throws a SystemError.
   */
  wait(timeoutMs: number): number {
    const ready = pollAt(this.address, this.descriptors.length, timeoutMs);
    if (ready > 0) this.clearErrors();
    if (ready >= 0) return ready;
    if (errno() === EINTR) return 0;
    throw new SystemError('poll', errno());
  }

  /** True when descriptor number `i` had input at the last wait. */
  ready(i: number): boolean {
    return (this.events[i * 4 + 3]! & POLLIN) !== 0;
  }

  /**
   * A packet socket whose interface went down keeps its error, and ends every wait at once, until
   * SO_ERROR is read.
   */
  private clearErrors(): void {
    for (let i = 0; i < this.descriptors.length; i++)
      if ((this.events[i * 4 + 3]! & POLLERR) !== 0) clearSocketError(this.descriptors[i]!);
  }
}

/**
 * A doorbell between threads (eventfd(2)): `ring` in one thread ends the `wait` of a Poller that
 * has its `fd`.
 */
export class Bell {
  readonly fd: number;
  private readonly word = new BigUint64Array(new ArrayBuffer(8));
  private readonly address = addressAt(this.word.buffer);

  /**
   * Creates an eventfd, or uses `fd`, the number of one that another thread created. Throws a
   * SystemError.
   */
  constructor(fd?: number) {
    this.fd = fd ?? check(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), 'eventfd');
  }

  ring(): void {
    this.word[0] = 1n;
    writeAt(this.fd, this.address, 8);
  }

  /** Resets the bell. Returns true when it was rung since the last call. */
  answer(): boolean {
    return readAt(this.fd, this.address, 8) === 8;
  }

  close(): void {
    close(this.fd);
  }
}
