/**
 * Reports changes of links, addresses, routes, rules and neighbours as they happen. The event loop
 * of Node cannot wait for a netlink socket. So a small thread waits in poll(2), and an eventfd ends
 * it.
 *
 *    kernel ──multicast──► netlink socket ─┐            ┌─ postMessage ─► onChange / onLost
 *                                          ├─ poll() ─ thread
 *    close() ──────────────► eventfd ──────┘            └─ exits; then both are closed
 */
import { Worker } from 'node:worker_threads';
import * as libc from '../sys/libc.js';
import { type Change, groupMask, KINDS, type Kind } from './change.js';
import { openGroupSocket } from './socket.js';

/** Bytes. */
const DEFAULT_BUFFER = 8 << 20;

export interface MonitorOptions {
  /** All when left out. */
  readonly kinds?: readonly Kind[];
  /** Called with changes in their order; changes that arrive together are one call. */
  readonly onChange: (changes: readonly Change[]) => void;
  /**
   * Called when changes were lost, or when the monitor failed: dump again. The text is the reason.
   */
  readonly onLost: (reason: string) => void;
  /** Bytes that the kernel queues before it loses changes. */
  readonly bufferBytes?: number;
}

/** What the thread gets (MonitorDescriptors) and what it posts (MonitorReport). */
export interface MonitorDescriptors {
  readonly fd: number;
  readonly wakeFd: number;
}
export interface MonitorReport {
  readonly changes: readonly Change[];
  /** Set when changes were lost before or among these. */
  readonly lost?: string;
}

export interface Monitor {
  /** Ends the callbacks at once. Resolves when the thread has ended. */
  close(): Promise<void>;
}

/**
 * Starts to listen, in the network namespace of the calling thread. When this function returns, the
 * kernel queues changes. So a dump after it misses nothing. The monitor does not keep the process
 * alive. Throws a SystemError.
 */
export function monitor({ kinds = KINDS, onChange, onLost, bufferBytes = DEFAULT_BUFFER }: MonitorOptions): Monitor {
  const fd = openGroupSocket(groupMask(kinds), bufferBytes);
  const wakeFd = libc.check(libc.eventfd(0, 0), 'eventfd');
  const worker = new Worker(new URL('./monitor-thread.js', import.meta.url), { workerData: { fd, wakeFd } });
  let open = true;
  worker.on('message', ({ changes, lost }: MonitorReport) => {
    if (open && changes.length > 0) onChange(changes);
    if (open && lost !== undefined) onLost(lost);
  });
  worker.on('error', (error) => open && onLost(`monitor thread: ${error.message}`));
  const ended = endOf(worker, [fd, wakeFd]);
  // After the listeners: each new listener of a worker keeps the process alive again.
  worker.unref();
  const wake = () => void libc.write(wakeFd, wakeSignal(), 8);
  // A process cannot exit while a thread waits in a system call.
  process.once('exit', wake);
  ended.then(() => {
    open = false;
    process.off('exit', wake);
  });
  return {
    close: () => {
      if (open) wake();
      if (open) worker.ref();
      open = false;
      return ended;
    },
  };
}

/**
 * Closes the descriptors when the thread has ended, not before: the thread may still poll them, and
 * the kernel uses numbers again.
 */
function endOf(worker: Worker, fds: readonly number[]): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => {
      for (const fd of fds) libc.close(fd);
      resolve();
    });
  });
}

function wakeSignal(): Uint8Array {
  return new Uint8Array(new BigUint64Array([1n]).buffer);
}
