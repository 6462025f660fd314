/**
 * Waits for several file descriptors at once, and the bell that ends the wait from another thread.
 *
 *     pollfd[n]  | fd 32 | events 16 | revents 16 |       8 bytes each, laid out once
 */
import { addressAt, check, close, errno, eventfd, pollAt, readAt, SystemError, writeAt } from '../sys/libc.js';
import { clearSocketError } from '../sys/packet-socket.js';

const POLLIN = 1;
const POLLERR = 8;
const EINTR = 4;
const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;

/** poll(2) over a fixed set of descriptors; a wait allocates nothing. Negative ones (memory, file) are never ready. */
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

  /** Blocks until one has input or `timeoutMs` (−1: for ever) is over; returns how many are ready, 0 also for a signal. */
  wait(timeoutMs: number): number {
    const ready = pollAt(this.address, this.descriptors.length, timeoutMs);
    if (ready > 0) this.clearErrors();
    if (ready >= 0) return ready;
    if (errno() === EINTR) return 0;
    throw new SystemError('poll', errno());
  }

  /** Whether descriptor number `i` had input at the last wait. */
  ready(i: number): boolean {
    return (this.events[i * 4 + 3]! & POLLIN) !== 0;
  }

  /** A packet socket whose interface went down stays in error, and would end every wait at once, until it is read. */
  private clearErrors(): void {
    for (let i = 0; i < this.descriptors.length; i++)
      if ((this.events[i * 4 + 3]! & POLLERR) !== 0) clearSocketError(this.descriptors[i]!);
  }
}

/** An eventfd: `ring` in one thread ends the `wait` of a Poller in another that has its `fd`. */
export class Bell {
  readonly fd: number;
  private readonly word = new BigUint64Array(new ArrayBuffer(8));
  private readonly address = addressAt(this.word.buffer);

  /** Makes one, or takes over the other end of `fd` (a number that was sent to this thread). */
  constructor(fd?: number) {
    this.fd = fd ?? check(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), 'eventfd');
  }

  ring(): void {
    this.word[0] = 1n;
    writeAt(this.fd, this.address, 8);
  }

  /** True when it was rung since the last call. */
  answer(): boolean {
    return readAt(this.fd, this.address, 8) === 8;
  }

  close(): void {
    close(this.fd);
  }
}
