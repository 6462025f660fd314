/**
 * A worker of a successor stands by while another process still forwards with the same devices,
 * frames and connection table (control/takeover). All that takes time is done before the other
 * process is asked to stop:
 *
 *     prepare   code warmed up ─► devices made, which wait ─► pages of the table mapped ─► report `ready`
 *     standBy   sleeps ── the other process has paused ──► frames, rings, index ─► forwards what waited
 *
 * From its sleep until nothing waits any more the thread goes before others (SCHED_RR): on a busy
 * machine it would wait longer for a processor than it computes.
 */
import { closeSync, openSync } from 'node:fs';
import { ENTRY_WORDS } from '../../../conntrack/entry.js';
import { addressAt, type FilePages } from '../../../sys/memory.js';
import { calmDown, hurry } from '../../../sys/priority.js';
import { monotonic } from '../clock.js';
import type { RunnerSetup } from '../messages.js';
import type { Runner } from '../runner.js';
import type { Backed } from '../shared-memory.js';
import { inlineWalks } from '../v8-flags.js';
import { awaitRelease, type Standby } from './standby.js';
import { warmBytes, warmUpPath } from './warm-up-path.js';

/** Longest time, in ms, that frames wait for a rebuild after another process has stopped. */
const PATIENCE_MS = 100;
/** Longest time, in ms, in which frames that have waited go before everything else. */
const BACKLOG_MS = 50;
const PAGE_WORDS = 1024;

/** Does what can be done while another process forwards. Throws a SystemError. */
export function prepare(runner: Runner, setup: RunnerSetup, { handles }: Standby): void {
  const files = filesOf(setup);
  try {
    const pages = [...files.flatMap(({ pages }) => pages), framesOf(setup)];
    inlineWalks();
    warmUpPath(runner.director, pages, runner.routes);
  } finally {
    for (const { fd } of files) closeSync(fd);
  }
  runner.adviseLargePages();
  handles.forEach((all, device) => {
    runner.attach(device, all, true);
  });
  touch(runner.director.connections.words, runner.director.connections.table.highWater);
}

/** Waits until another process has stopped to forward, and goes on where it has stopped. */
export function standBy(runner: Runner, setup: RunnerSetup, standby: Standby): void {
  hurry();
  const positions = awaitRelease(standby, setup.workers?.index ?? 0);
  runner.begin(setup.inherited, monotonic());
  positions.forEach((position, device) => {
    runner.resume(device, position);
  });
  runner.rebuildFirst(PATIENCE_MS);
  runner.handle({ kind: 'beginFlows' });
  forwardBacklog(runner, BACKLOG_MS);
  calmDown();
}

/** Forwards the frames that have waited, for `ms` at most. */
function forwardBacklog(runner: Runner, ms: number): void {
  const end = monotonic() + ms;
  while (runner.turn(monotonic()) > 0 && monotonic() < end);
}

/** The files of table and counters, opened. The caller closes them. */
function filesOf({ backed = [] }: RunnerSetup): { fd: number; pages: FilePages[] }[] {
  return backed.map(({ path, parts }: Backed) => {
    const fd = openSync(path, 'r+');
    const pages = parts.map(({ buffer, offset, at, bytes }) => ({
      address: addressAt(buffer) + offset,
      bytes,
      fd,
      at,
    }));
    return { fd, pages };
  });
}

function framesOf({ umem: { address, frameSize, fd } }: RunnerSetup): FilePages {
  return { address, bytes: warmBytes(frameSize), fd, at: 0 };
}

/** Maps the pages of the lines in use: later each would be a page fault. */
function touch(words: Int32Array, lines: number): void {
  for (let at = 0; at < (lines + 1) * ENTRY_WORDS; at += PAGE_WORDS) Atomics.load(words, at);
}
