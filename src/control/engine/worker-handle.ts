/**
 * The control thread's end of the dataplane: a worker thread, or, where libpcap is used (its package lives by the main
 * thread's event loop), the same engine turned by that loop.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Bell } from '../../device/poll.js';
import type { Order, Report, RunnerSetup } from './messages.js';
import { Runner } from './runner.js';

export interface Dataplane {
  send(order: Order): void;
  /** Resolves when it has closed its devices. */
  stop(): Promise<void>;
}

export type DataplaneSetup = Omit<RunnerSetup, 'flags' | 'bellFd'>;

/** All throw an Error with one line for the user when a device cannot be had. */
export type StartDataplane = (
  setup: DataplaneSetup,
  onReport: (report: Report) => void,
  /** Its owner's to close; without one it has its own. */
  bell?: Bell,
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

/** A dataplane that does not end by itself within this time (ms) is ended. */
const STOP_MS = 5000;

export const startWorker: StartDataplane = async (setup, onReport, given) => {
  const bell = given ?? new Bell();
  const flags = new SharedArrayBuffer(64);
  const workerData: RunnerSetup = { ...setup, flags, bellFd: bell.fd };
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  let running = true;
  let stopping = false;
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      running = false;
      if (given === undefined) bell.close();
      resolve();
    });
  });
  try {
    onReport(await firstReport(worker));
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  const die = (why: string) => onReport({ kind: 'failed', message: `dataplane: ${why}`, mistake: false });
  worker.on('message', onReport);
  worker.on('error', (error) => die(error.stack ?? error.message));
  worker.on('exit', () => stopping || die('its thread ended'));
  const send = (order: Order) => {
    if (!running) return;
    worker.postMessage(order);
    Atomics.store(new Int32Array(flags), 0, 1);
    bell.ring();
  };
  const stop = async () => {
    stopping = true;
    send({ kind: 'stop' });
    const timer = setTimeout(() => void worker.terminate(), STOP_MS);
    await ended;
    clearTimeout(timer);
  };
  return { send, stop };
};

/**
 * Several workers as one dataplane. The last one is started first: the first one's XDP program feeds the sockets of all. Only the
 * first one's reasons are told, the others' are the same.
 */
export async function startWorkers(
  setups: readonly DataplaneSetup[],
  bells: readonly Bell[],
  onReport: (report: Report) => void,
): Promise<Dataplane> {
  const workers: Dataplane[] = [];
  const stop = async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    // Not before: the last of them may still ring for another.
    for (const bell of bells) bell.close();
  };
  const others = (report: Report) => (report.kind === 'ready' ? undefined : onReport(report));
  try {
    for (let i = setups.length - 1; i >= 0; i--)
      workers.unshift(await startWorker(setups[i]!, i === 0 ? onReport : others, bells[i]));
  } catch (error) {
    await stop();
    throw error;
  }
  const send = (order: Order) => {
    for (const worker of workers) worker.send(order);
  };
  return { send, stop };
}

/** `ready`, or a StartError: it said why it cannot start, or died without a word. */
function firstReport(worker: Worker): Promise<Report> {
  return new Promise((resolve, reject) => {
    worker.once('message', (report: Report) => {
      if (report.kind === 'failed') reject(new StartError(report.message, report.mistake));
      else resolve(report);
    });
    worker.once('error', (error) => reject(new StartError(`dataplane: ${error.stack}`, false)));
    worker.once('exit', () => reject(new StartError('dataplane: its thread ended before it was ready', false)));
  });
}

/** ms between looks at the devices when none had a frame. */
const IDLE_MS = 1;

export const startInline: StartDataplane = async (setup, onReport) => {
  const full: RunnerSetup = { ...setup, flags: new SharedArrayBuffer(64), bellFd: -1 };
  const engine = new Runner(full, performance.now(), onReport);
  onReport({ kind: 'ready', reasons: engine.reasons, tun: engine.tun });
  let running = true;
  const turn = async () => {
    while (running) {
      if (engine.turn(performance.now()) > 0) await nextTurn();
      else await sleep(IDLE_MS);
    }
  };
  const turns = turn()
    .catch((error: Error) => onReport({ kind: 'failed', message: `dataplane: ${error.stack}`, mistake: false }))
    .finally(() => engine.close());
  return {
    send: (order) => void (running && engine.obey(order)),
    stop: () => {
      running = false;
      return turns;
    },
  };
};
