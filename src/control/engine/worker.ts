/**
 * The dataplane's thread: it owns the devices and blocks in its own wait, not in an event loop. Busy while packets flow,
 * asleep in poll(2) when none do; orders are read between turns.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { DeviceError } from '../../device/error.js';
import { Bell, Poller } from '../../device/poll.js';
import type { Order, Report, RunnerSetup } from './messages.js';
import { Runner } from './runner.js';

/** Idle turns before the thread sleeps: a device that was just emptied often has more. */
const SPINS = 3;
/** The longest sleep: timers are looked at this often when nothing comes. */
const SLEEP_MS = 50;

const port = parentPort!;
const setup = workerData as RunnerSetup;

function report(message: Report): void {
  port.postMessage(message);
}

function nextOrder(): Order | undefined {
  return receiveMessageOnPort(port)?.message as Order | undefined;
}

function obeyAll(engine: Runner): boolean {
  for (let order = nextOrder(); order !== undefined; order = nextOrder()) if (!engine.obey(order)) return false;
  return true;
}

function run(engine: Runner): void {
  const flags = new Int32Array(setup.flags);
  const bell = new Bell(setup.bellFd);
  const poller = new Poller([bell.fd, ...engine.devices.map(({ fd }) => fd)]);
  for (let idle = 0; ; ) {
    if (Atomics.exchange(flags, 0, 0) !== 0 && !obeyAll(engine)) return;
    idle = engine.turn(performance.now()) > 0 ? 0 : idle + 1;
    if (idle <= SPINS || engine.crew?.maySleep() === false) continue;
    poller.wait(SLEEP_MS);
    engine.crew?.awake();
    if (poller.ready(0)) bell.answer();
    idle = 0;
  }
}

function main(): void {
  let engine: Runner;
  try {
    engine = new Runner(setup, performance.now(), report);
  } catch (error) {
    report({ kind: 'failed', message: (error as Error).message, mistake: error instanceof DeviceError });
    return;
  }
  report({ kind: 'ready', reasons: engine.reasons, tun: engine.tun });
  try {
    run(engine);
  } finally {
    engine.close();
  }
  report({ kind: 'stopped' });
}

main();
