/**
 * The control thread's end of the dataplane: a worker thread, or, where libpcap is used (its package lives by the main
 * thread's event loop), the same engine turned by that loop.
 */
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Bell } from '../device/poll.js';
import { Engine } from './engine.js';
import type { EngineSetup, Order, Report } from './orders.js';

export interface Dataplane {
  send(order: Order): void;
  /** Resolves when it has closed its devices. */
  stop(): Promise<void>;
}

/** Both throw an Error with one line for the user when a device cannot be had. */
export type StartDataplane = (
  setup: Omit<EngineSetup, 'flags' | 'bellFd'>,
  onReport: (report: Report) => void,
) => Promise<Dataplane>;

export class StartError extends Error {
  constructor(
    message: string,
    /** The user's to mend, rather than ours. */
    readonly mistake: boolean,
  ) {
    super(message);
    this.name = 'StartError';
  }
}

export const startWorker: StartDataplane = async (setup, onReport) => {
  const bell = new Bell();
  const flags = new SharedArrayBuffer(64);
  const workerData: EngineSetup = { ...setup, flags, bellFd: bell.fd };
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  const [first] = (await once(worker, 'message')) as [Report];
  if (first.kind === 'failed') {
    await worker.terminate();
    bell.close();
    throw new StartError(first.message, first.mistake);
  }
  onReport(first);
  worker.on('message', onReport);
  const send = (order: Order) => {
    worker.postMessage(order);
    Atomics.store(new Int32Array(flags), 0, 1);
    bell.ring();
  };
  const ended = once(worker, 'exit');
  worker.on('error', (error) => onReport({ kind: 'failed', message: `dataplane: ${error.stack}`, mistake: false }));
  const stop = async () => {
    send({ kind: 'stop' });
    await ended;
    bell.close();
  };
  return { send, stop };
};

/** ms between looks at the devices when none had a frame. */
const IDLE_MS = 1;

export const startInline: StartDataplane = async (setup, onReport) => {
  const full: EngineSetup = { ...setup, flags: new SharedArrayBuffer(64), bellFd: -1 };
  const engine = new Engine(full, performance.now(), onReport);
  onReport({ kind: 'ready', reasons: engine.reasons });
  let running = true;
  const turns = (async () => {
    while (running) {
      if (engine.turn(performance.now()) > 0) await nextTurn();
      else await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    }
    engine.close();
  })();
  return {
    send: (order) => void engine.obey(order),
    stop: () => {
      running = false;
      return turns;
    },
  };
};
