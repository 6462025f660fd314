/**
 * The control thread's end of the dataplane: a worker thread. A device of libpcap needs the event
 * loop of the main thread, so that its dataplane runs there.
 */
import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Bell } from '../../device/poll.js';
import { LoopStats } from '../../stats/loop-stats.js';
import { Urgency } from '../../sys/priority.js';
import { monotonic } from './clock.js';
import { fromPosted, type Message, type Report, type RunnerSetup, toPosted } from './messages.js';
import { compilers } from './placement.js';
import { Runner } from './runner.js';
import { isTraffic, setWorkerHeap } from './v8-flags.js';

/** A running dataplane. */
export interface Dataplane {
  /** To the worker of this number, or to all. */
  send(message: Message, worker?: number): void;
  /**
   * Starts a worker that has died anew. It knows nothing of the rules and the network. Rejects as
   * StartDataplane. Undefined: the dataplane cannot (libpcap).
   */
  restart?(worker: number, setup: DataplaneSetup): Promise<void>;
  /** Resolves when no thread uses the devices any more. */
  stop(): Promise<void>;
}

/** The setup without what the handle adds. */
export type DataplaneSetup = Omit<RunnerSetup, 'flags' | 'wakeFd' | 'compilers'>;

/** Starts a dataplane. Rejects with an Error of one line when a device is not available. */
export type StartDataplane = (
  setup: DataplaneSetup,
  onReport: (report: Report) => void,
  /** Wakes the thread; its owner closes it. Absent: the dataplane has its own. */
  wakeup?: Bell,
) => Promise<Dataplane>;

/** The dataplane did not start; the message is one line. */
export class StartError extends Error {
  constructor(
    message: string,
    /** The user can mend it. */
    readonly mistake: boolean,
  ) {
    super(message);
    this.name = 'StartError';
  }
}

/**
 * The young generation of a worker's heap, in MB. Forwarding waits while V8 copies what lives
 * there. Many rules at once fill it, packets do not.
 */
const YOUNG_MB = 3;

/**
 * So many actions in one message are part of a load of many rules. Where there is traffic, the
 * worker goes before other threads then, until so many ms after the last such message: applying
 * rules, it waits for V8's threads more often than ever. Without traffic it would only delay the
 * thread that loads the rules.
 */
const MANY = 32;
const URGENT_MS = 200;

/** Time, in ms, after which a dataplane that does not stop is terminated. */
const STOP_MS = 5000;

/** Starts a dataplane in a thread of its own. */
export const startWorker: StartDataplane = async (setup, onReport, given) => {
  const wakeup = given ?? new Bell();
  const flags = new SharedArrayBuffer(64);
  const words = new Int32Array(flags);
  const workerData: RunnerSetup = { ...setup, flags, wakeFd: wakeup.fd, compilers: compilers() };
  const endWorkerHeap = setWorkerHeap();
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  let running = true;
  let stopping = false;
  let urgency: Urgency | undefined;
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      running = false;
      urgency?.end();
      if (given === undefined) wakeup.close();
      resolve();
    });
  });
  try {
    const ready = await firstReport(worker);
    urgency = urgencyOf(ready, setup, words.subarray(1, 2));
    onReport(ready);
  } catch (error) {
    await worker.terminate();
    throw error;
  } finally {
    // The thread has its heap by now; those of others stay small.
    endWorkerHeap();
  }
  const index = setup.workers?.index ?? 0;
  const died = (why: string) => onReport({ kind: 'died', worker: index, message: `dataplane: ${why}` });
  let reason = 'its thread ended';
  worker.on('message', (report: Report) => {
    if (report.kind === 'goesFirst') urgency?.stay();
    onReport(report);
  });
  worker.on('error', (error) => {
    reason = error.stack ?? error.message;
  });
  // Only now nobody uses the devices any more.
  worker.on('exit', () => stopping || died(reason));
  const loop = new LoopStats(setup.loop);
  const send = (message: Message) => {
    if (!running) return;
    if (message.kind === 'actions' && message.actions.length >= MANY && isTraffic(loop.frames)) urgency?.extend();
    for (const posted of toPosted(message)) worker.postMessage(posted);
    // Each wake takes this thread's processor away: messages of one piece of work are one wake.
    if (!waking) queueMicrotask(wake);
    waking = true;
  };
  let waking = false;
  const wake = () => {
    waking = false;
    // It does not sleep while the word is 1.
    if (!running || Atomics.exchange(words, 0, 1) !== 0) return;
    Atomics.notify(words, 0);
    wakeup.ring();
  };
  const stop = async () => {
    stopping = true;
    send({ kind: 'stop' });
    const timer = setTimeout(() => void worker.terminate(), STOP_MS);
    await ended;
    clearTimeout(timer);
  };
  const restart = async (_: number, next: DataplaneSetup) => {
    again = await startWorker(next, onReport, given);
  };
  let again: Dataplane | undefined;
  return {
    send: (message) => (again ?? { send }).send(message),
    stop: () => (again ?? { stop }).stop(),
    restart,
  };
};

/**
 * Starts workers as one dataplane, the first one last, as their devices were opened. `setups`: by
 * worker. The caller closes `wakeups`.
 */
export async function startWorkers(
  setups: readonly DataplaneSetup[],
  wakeups: readonly Bell[],
  onReport: (report: Report) => void,
): Promise<Dataplane> {
  const workers: Dataplane[] = [];
  const stop = async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
  };
  try {
    for (let i = setups.length - 1; i >= 0; i--) workers.unshift(await startWorker(setups[i]!, onReport, wakeups[i]));
  } catch (error) {
    await stop();
    throw error;
  }
  const send = (message: Message, only?: number) => {
    workers.forEach((worker, i) => {
      if (only === undefined || only === i) worker.send(message);
    });
  };
  const restart = async (worker: number, setup: DataplaneSetup) => {
    workers[worker] = await startWorker(setup, onReport, wakeups[worker]);
  };
  return { send, stop, restart };
}

type Ready = Extract<Report, { kind: 'ready' }>;
type Failed = Extract<Report, { kind: 'failed' }>;

/**
 * Undefined where workers would leave the other threads no processor, the one that loads the rules
 * among them.
 */
function urgencyOf({ thread }: Ready, { config }: DataplaneSetup, word: Int32Array): Urgency | undefined {
  if (thread === undefined || availableParallelism() <= config.workers) return undefined;
  return new Urgency(thread, compilers(), URGENT_MS, word);
}

/** Resolves with `ready`. Rejects with a StartError when the thread reports a failure or ends. */
function firstReport(worker: Worker): Promise<Ready> {
  return new Promise((resolve, reject) => {
    worker.once('message', (report: Ready | Failed) => {
      if (report.kind === 'failed') reject(new StartError(report.message, report.mistake));
      else resolve(report);
    });
    worker.once('error', (error) => reject(new StartError(`dataplane: ${error.stack}`, false)));
    worker.once('exit', () => reject(new StartError('dataplane: its thread ended before it was ready', false)));
  });
}

/** Pause, in ms, between turns when no device had a frame. */
const IDLE_MS = 1;

/** Starts a dataplane in the main thread. */
export const startInline: StartDataplane = async (setup, onReport) => {
  const full: RunnerSetup = { ...setup, flags: new SharedArrayBuffer(64), wakeFd: -1, compilers: [] };
  const runner = new Runner(full, monotonic(), onReport);
  onReport({ kind: 'ready' });
  let running = true;
  const waiting: Message[] = [];
  const turn = async () => {
    while (running) {
      const message = waiting.shift();
      if (message !== undefined) runner.handle(message);
      if (runner.turn(monotonic()) > 0 || waiting.length > 0) await nextTurn();
      else await sleep(IDLE_MS);
    }
  };
  const turns = turn()
    .catch((error: Error) => onReport({ kind: 'failed', message: `dataplane: ${error.stack}`, mistake: false }))
    .finally(() => runner.close());
  return {
    send: (message) => {
      for (const posted of toPosted(message)) waiting.push(...fromPosted(posted));
    },
    stop: () => {
      running = false;
      return turns;
    },
  };
};
