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
import type { HealthEvent, ServicePlan, ServiceStatus, StatusPart, Verdict } from './spec.js';

/** From the control thread. */
export type HealthMessage = {
  kind: 'plan';
  plans: readonly ServicePlan[];
  /** The counters of the first worker, whose gauges all share. */
  counters: Block;
};

/** To the control thread: what has changed, and the status: all of it, or a part. */
export type HealthReport =
  | { kind: 'changed'; verdicts: readonly Verdict[]; events: readonly HealthEvent[] }
  | { kind: 'status'; services: readonly ServiceStatus[] }
  | { kind: 'statusPart'; parts: readonly StatusPart[] };

/** Period of what is reported, ms. */
const TURN_MS = 20;
/**
 * The shortest time between two searches for due checks, ms. Each check costs the processor up to
 * 0.1 ms in one piece: thousands a second must not begin in bursts, because packets would wait.
 */
const SHORTEST_MS = 1;
/** Period of the status, ms. */
const STATUS_MS = 200;
/**
 * With more targets the status goes in parts, one in each turn, all within a second: in one piece
 * it would take 10 ms of both threads for 5,000.
 */
const MANY = 200;
const PARTS = 1000 / TURN_MS;

/**
 * Steps of niceness below the dataplane: where processors are short, the checks get a quarter of
 * the time, and packets go first. With more steps they would starve on the only processor of a
 * director that is flooded, and all its real servers would be down.
 */
const NICER = 5;

beNicer(NICER);
const port = parentPort!;
const board = new Board(Math.random);
let nextTurn = 0;
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

function reportStatus(now: number): void {
  const { size } = board;
  if (nextStatus > 0 && size > MANY) {
    const parts = board.statusPart(now, Math.ceil(size / PARTS));
    port.postMessage({ kind: 'statusPart', parts } satisfies HealthReport);
    return;
  }
  if (now < nextStatus) return;
  nextStatus = now + STATUS_MS;
  port.postMessage({ kind: 'status', services: board.status(now) } satisfies HealthReport);
}

function turn(): void {
  const now = performance.now();
  for (const running of board.due(now)) void check(running);
  if (now >= nextTurn) {
    nextTurn = now + TURN_MS;
    report(now);
    reportStatus(now);
  }
  setTimeout(turn, Math.max(SHORTEST_MS, Math.min(board.next, nextTurn) - performance.now()));
}

turn();
