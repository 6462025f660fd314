/**
 * The thread of the health checks. It has an event loop of its own: no check runs in the thread of
 * the dataplane or of the control socket. Times are of the monotonic clock, so that a step of the
 * wall clock changes nothing.
 *
 *     control ── plan, status? ──► Board ── due ──► run (checkers/) ──► answer ──► weights, log lines ──► control
 */
import { parentPort } from 'node:worker_threads';
import type { Block } from '../stats/block.js';
import { Counters } from '../stats/counters.js';
import { beNicer } from '../sys/process.js';
import { Board } from './board.js';
import type { Running } from './group.js';
import { Passive } from './passive.js';
import { runCheck } from './run.js';
import type { HealthEvent, ServicePlan, ServiceStatus, Verdict } from './spec.js';

/** From the control thread. */
export type HealthMessage = {
  kind: 'plan';
  plans: readonly ServicePlan[];
  /** The counters of the first worker, whose gauges all share. */
  counters: Block;
};

/** To the control thread: what has changed, and the whole status a few times a second at most. */
export type HealthReport =
  | { kind: 'changed'; verdicts: readonly Verdict[]; events: readonly HealthEvent[] }
  | { kind: 'status'; services: readonly ServiceStatus[] };

/** Period of the search for due checks, ms. */
const TURN_MS = 20;
/** Period of the status, ms: with thousands of destinations it is long. */
const STATUS_MS = 200;
const LONG_STATUS_MS = 1000;
const MANY = 200;

/**
 * Steps of niceness below the dataplane: where processors are short, the checks get a quarter of
 * the time, and packets go first. With more steps they would starve on the only processor of a
 * director that is flooded, and all its real servers would be down.
 */
const NICER = 5;

beNicer(NICER);
const port = parentPort!;
const board = new Board(Math.random);
let nextStatus = 0;
let passive: Passive | undefined;

port.on('message', ({ plans, counters }: HealthMessage) => {
  passive ??= new Passive(new Counters(counters));
  passive.keep(plans.flatMap(({ targets }) => targets));
  board.plan(plans, performance.now());
  nextStatus = 0;
});

async function check(running: Running): Promise<void> {
  const began = performance.now();
  const outcome = await runCheck(running.target, running.judge.check, passive);
  const now = performance.now();
  board.answer(running, outcome, now - began, now);
  if (running.judge.changed) report(now);
}

function report(now: number): void {
  const { verdicts, events } = board.turn(now);
  if (verdicts.length + events.length > 0)
    port.postMessage({ kind: 'changed', verdicts, events } satisfies HealthReport);
}

function turn(): void {
  const now = performance.now();
  for (const running of board.due(now)) void check(running);
  report(now);
  if (now < nextStatus) return;
  const services = board.status(now);
  const all = services.reduce((sum, { targets }) => sum + targets.length, 0);
  nextStatus = now + (all > MANY ? LONG_STATUS_MS : STATUS_MS);
  port.postMessage({ kind: 'status', services } satisfies HealthReport);
}

setInterval(turn, TURN_MS);
