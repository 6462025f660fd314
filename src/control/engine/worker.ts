/**
 * The thread of the dataplane. It owns the devices and blocks in poll(2), not in an event loop:
 * busy while packets arrive, asleep while none do. It reads messages between turns.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { DeviceError } from '../../device/error.js';
import { Bell, Poller } from '../../device/poll.js';
import { goFirst, processorTime, threadNumber, UrgencyLimit } from '../../sys/priority.js';
import { WakeLatency } from '../../sys/wake-latency.js';
import { monotonic } from './clock.js';
import { fromPosted, type Message, type PostedMessage, type Report, type RunnerSetup } from './messages.js';
import { placeWorker } from './placement.js';
import { Rest } from './rest.js';
import { Runner } from './runner.js';
import { prepare, standBy } from './standby/standing-by.js';

/** Idle turns before the thread sleeps: a device that was just emptied often has more frames. */
const SPINS = 3;
/** Longest sleep, in ms: timers are handled this often when no frames arrive. */
const SLEEP_MS = 50;
/** Longest time, in ms, that messages take between two turns, but for the last of them. */
const PAUSE_MS = 1;
/** Time, in ms, after which a worker itself ends that it goes first (worker-handle.ts). */
const LONGEST_URGENCY_MS = 1000;
/** Longest time, in ms, for the frames that other workers hand off before all pause. */
const DRAIN_MS = 20;

const port = parentPort!;
const setup = workerData as RunnerSetup;

function report(message: Report): void {
  port.postMessage(message);
}

/** All messages, one after the other; undefined: none waits. */
function* messages(): Generator<Message | undefined, never> {
  for (;;) {
    const posted = receiveMessageOnPort(port)?.message as PostedMessage | undefined;
    if (posted === undefined) yield undefined;
    else yield* fromPosted(posted);
  }
}

const incoming = messages();

function nextMessage(): Message | undefined {
  return incoming.next().value;
}

/**
 * Handles messages that wait, for as long as forwarding may pause; the others wait for the next
 * turn. False: one of them was `stop`.
 */
function handleMessages(runner: Runner, flags: Int32Array): boolean {
  const end = monotonic() + PAUSE_MS;
  for (let message = nextMessage(); message !== undefined; message = nextMessage()) {
    if (!runner.handle(message)) return false;
    // All devices together: what one receives may leave by another.
    if (message.kind === 'attach' || monotonic() < end) continue;
    Atomics.store(flags, 0, 1);
    return true;
  }
  return true;
}

function run(runner: Runner, flags: Int32Array, rest: Rest | undefined): void {
  const wakeup = new Bell(setup.wakeFd);
  const { places } = runner;
  let poller = pollerOf(runner, wakeup);
  const urgency = new UrgencyLimit(flags.subarray(1, 2), setup.compilers, LONGEST_URGENCY_MS);
  for (let idle = 0, version = places.version; ; ) {
    if (Atomics.exchange(flags, 0, 0) !== 0 && !handleMessages(runner, flags)) return;
    if (runner.isPaused) return waitForStop(runner, flags);
    if (version !== places.version) {
      version = places.version;
      poller = pollerOf(runner, wakeup);
    }
    const now = rest === undefined ? monotonic() : rest.between(monotonic());
    urgency.check(now);
    idle = runner.turn(now) > 0 ? 0 : idle + 1;
    if (idle === 0) rest?.worked(now);
    if (
      idle <= SPINS ||
      rest?.mayComeSoon(now) ||
      runner.isBusy ||
      Atomics.load(flags, 0) !== 0 ||
      runner.dispatch?.maySleep() === false
    )
      continue;
    poller.wait(SLEEP_MS);
    rest?.slept(monotonic() - now);
    runner.dispatch?.awake();
    if (poller.ready(0)) wakeup.answer();
    idle = 0;
  }
}

/** What says whether CPUs may sleep; where that is not allowed it does nothing (placement.ts). */
function keepAwake(): (awake: boolean) => void {
  const request = WakeLatency.open();
  return typeof request === 'string' ? () => {} : (awake) => request.keepAwake(awake);
}

/** Another process has the table and the devices: this thread only waits for its end. */
function waitForStop(runner: Runner, flags: Int32Array): void {
  const { places, dispatch } = runner;
  runner.drain(DRAIN_MS);
  report({ kind: 'paused', worker: dispatch?.index ?? 0, positions: places.positions });
  for (;;) {
    Atomics.wait(flags, 0, 0);
    Atomics.store(flags, 0, 0);
    for (let message = nextMessage(); message !== undefined; message = nextMessage())
      if (message.kind === 'stop') return;
  }
}

function pollerOf({ places }: Runner, wakeup: Bell): Poller {
  return new Poller([wakeup.fd, ...places.descriptors]);
}

function main(): void {
  let runner: Runner;
  try {
    runner = new Runner(setup, monotonic(), report);
    if (setup.standby !== undefined) prepare(runner, setup, setup.standby);
  } catch (error) {
    report({ kind: 'failed', message: (error as Error).message, mistake: error instanceof DeviceError });
    return;
  }
  report({ kind: 'ready', thread: threadNumber() });
  if (setup.standby !== undefined) standBy(runner, setup, setup.standby);
  const flags = new Int32Array(setup.flags);
  const worker = setup.workers?.index ?? 0;
  const compilerTime = () => processorTime(setup.compilers);
  const begin = () => {
    if (goFirst()) report({ kind: 'goesFirst', worker });
  };
  const rest = placeWorker(setup.config, worker) ? new Rest(flags, compilerTime, begin, keepAwake()) : undefined;
  try {
    run(runner, flags, rest);
  } finally {
    rest?.end();
    runner.close();
  }
  report({ kind: 'stopped' });
}

main();
