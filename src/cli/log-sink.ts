/**
 * Where the log of a running director goes: a descriptor that may be full, closed, or a pipe that
 * nobody reads. A line is never waited for, and no error of the descriptor is one of the director.
 *
 *     line ─► has room? ─ yes ─► write(2) ─ ENOSPC, EPIPE, EAGAIN … ─► lost
 *                └─ no ─► queue (64 KiB) ─ every 200 ms ─► write(2)
 *                           └─ full ─► lost
 *     after lost lines the first that can be written is: "12 lines of the log were lost"
 */
import { writeSync } from 'node:fs';
import { poll } from '../sys/libc.js';

/** Bytes that a pipe with POLLOUT takes without a wait (PIPE_BUF). */
const ATOMIC = 4096;
const QUEUE_BYTES = 65_536;
const RETRY_MS = 200;

/** The descriptor. */
export interface LogOutput {
  /** A write of 4096 bytes does not wait. */
  hasRoom(): boolean;
  /** Returns the number of bytes written. Throws. */
  write(bytes: Buffer): number;
}

/** A file descriptor, asked by poll(2). */
export function descriptor(fd: number): LogOutput {
  const POLLOUT = 4;
  const entry = new Uint32Array(32);
  return {
    hasRoom: () => {
      entry.set([fd, POLLOUT]);
      // POLLERR and POLLHUP too: then write(2) says what is wrong, and does not wait.
      return poll(entry, 1, 0) > 0;
    },
    write: (bytes) => writeSync(fd, bytes),
  };
}

/** A destination for pino. */
export class LogSink {
  private readonly queue: Buffer[] = [];
  private queued = 0;
  private lost = 0;
  /** The last write took a part of a line: the next one begins with a newline. */
  private torn = false;
  private timer: NodeJS.Timeout | undefined;

  /** `lostText`: the line that says how many were lost, with its newline. */
  constructor(
    private readonly output: LogOutput,
    private readonly lostText: (count: number) => string,
  ) {}

  /** Writes a line with its newline, now or later, or counts it as lost. Longer ones are cut. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    const short = bytes.length <= ATOMIC ? bytes : Buffer.concat([bytes.subarray(0, ATOMIC - 1), Buffer.from('\n')]);
    this.drain();
    if (this.queue.length === 0 && this.lost === 0 && this.output.hasRoom()) this.put(short);
    else if (this.queued + short.length <= QUEUE_BYTES && !this.isBroken) this.enqueue(short);
    else this.lost++;
    if (this.queue.length > 0 || this.lost > 0) this.retryLater();
  }

  /** Writes what waits, as far as it can without a wait. */
  drain(): void {
    while (this.lost > 0 && this.queue.length === 0 && this.output.hasRoom()) if (!this.sayLost()) return;
    while (this.queue.length > 0 && this.output.hasRoom()) {
      const next = this.queue.shift()!;
      this.queued -= next.length;
      if (!this.put(next)) return;
    }
  }

  /** Lines were lost and nothing waits: the descriptor does not take anything. */
  private get isBroken(): boolean {
    return this.lost > 0 && this.queue.length === 0;
  }

  private sayLost(): boolean {
    const { lost } = this;
    this.lost = 0;
    if (this.put(Buffer.from(this.lostText(lost)))) return true;
    this.lost = lost;
    return false;
  }

  private enqueue(bytes: Buffer): void {
    this.queue.push(bytes);
    this.queued += bytes.length;
  }

  /** Returns false when the line is lost. */
  private put(bytes: Buffer): boolean {
    try {
      const whole = this.torn ? Buffer.concat([Buffer.from('\n'), bytes]) : bytes;
      const written = this.output.write(whole);
      this.torn = written < whole.length && (written > 0 || this.torn);
      if (written === whole.length) return true;
    } catch {
      // The disk is full, or the reader is gone: said when it is possible again.
    }
    this.lost++;
    return false;
  }

  private retryLater(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.drain();
      if (this.queue.length > 0 || this.lost > 0) this.retryLater();
    }, RETRY_MS).unref();
  }
}
