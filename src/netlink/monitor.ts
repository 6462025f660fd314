/**
 * Changes of links, addresses, routes, rules and neighbours as they happen. Node's event loop cannot watch a netlink
 * socket, so a small thread sleeps in poll() for it; an eventfd wakes it to end.
 *
 *    kernel ──multicast──► netlink socket ─┐            ┌─ postMessage ─► onChange / onLost
 *                                          ├─ poll() ─ thread
 *    close() ──────────────► eventfd ──────┘            └─ exits, then both descriptors are closed
 */
import { Worker } from 'node:worker_threads';
import * as libc from '../sys/libc.js';
import { type Change, groupMask, KINDS, type Kind } from './change.js';
import { openGroupSocket } from './socket.js';

const DEFAULT_BUFFER = 8 << 20;

export interface MonitorOptions {
  /** Default: all. */
  readonly kinds?: readonly Kind[];
  /** In the order they happened; one call for what came together. */
  readonly onChange: (changes: readonly Change[]) => void;
  /** Some changes were lost (the text says why), or the monitor itself failed: dump again. */
  readonly onLost: (reason: string) => void;
  /** What the kernel queues before changes are lost, in bytes. */
  readonly bufferBytes?: number;
}

/** What the thread gets, and what it posts. */
export interface MonitorDescriptors {
  readonly fd: number;
  readonly wakeFd: number;
}
export interface MonitorReport {
  readonly changes: readonly Change[];
  /** Set: changes were lost before or among these. */
  readonly lost?: string;
}

export interface Monitor {
  /** No callback comes any more once this is called; resolves when the thread has ended. */
  close(): Promise<void>;
}

/**
 * Starts to listen; when it returns the kernel already queues changes, so a dump made afterwards misses nothing.
 * Listens in the network namespace of the calling thread. It does not keep the process alive. Throws SystemError.
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
  // Only after the listeners: adding one to a worker takes a reference again.
  worker.unref();
  const wake = () => void libc.write(wakeFd, wakeSignal(), 8);
  // A process cannot exit while one of its threads sleeps in a system call.
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

/** The descriptors are closed by this side, and only then: the thread may still poll them, and numbers are used again. */
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
