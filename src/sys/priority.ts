/**
 * The priority of this process (setpriority(2)) and of its threads (sched(7)), and the processor
 * time that they get. Linux has one priority for each thread; a new thread has that of the thread
 * that starts it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { libc } from './libc.js';

const setScheduler = libc.func('int sched_setscheduler(int, int, void*)') as (
  thread: number,
  policy: number,
  param: Int32Array,
) => number;
const getScheduler = libc.func('int sched_getscheduler(int)') as (thread: number) => number;
const SCHED_OTHER = 0;
const SCHED_RR = 2;
/** A thread that it starts has the usual priority. */
const RESET_ON_FORK = 0x40000000;
/** The policy of a thread after `raise`. */
const RAISED = SCHED_RR | RESET_ON_FORK;
/** The two lowest of SCHED_RR; sched_param has nothing else. */
const URGENT = Int32Array.of(2);
const LESS_URGENT = Int32Array.of(1);
const USUAL = Int32Array.of(0);

/** Steps of nice(1) that `stepBack` gives way, and that `goBefore` goes ahead. */
const STEPS = 10;
/** Steps of `putBehind`. */
const STEPS_BEHIND = 5;
const LOWEST = 19;
const HIGHEST = -20;
/** RLIMIT_NICE that allows priority 0. */
const LIMIT_OF_0 = 20;
const CAP_SYS_NICE = 1n << 23n;

/**
 * All threads of this process give way to other processes until the returned function is called. No
 * effect where the process may not take the priority back (it needs CAP_SYS_NICE, or RLIMIT_NICE).
 */
export function stepBack(): () => void {
  const before = getPriority();
  if (!mayReturn(before)) return () => {};
  giveWay();
  return () => setAll(before);
}

/** The same until the end of the process. */
export function giveWay(): void {
  setAll(Math.min(LOWEST, getPriority() + STEPS));
}

/** The calling thread has the priority of `hurry`. */
let hurries = false;

/**
 * The calling thread goes before all threads of usual priority (SCHED_RR, sched(7)) until
 * `calmDown`, which must follow soon. No effect on a thread that somebody gave another policy, and
 * where it is not allowed: it needs CAP_SYS_NICE or RLIMIT_RTPRIO.
 */
export function hurry(): void {
  if (isUsual(0)) hurries = raise(0, URGENT);
}

/** The calling thread has its usual priority again. */
export function calmDown(): void {
  if (hurries) lower(0);
  hurries = false;
}

/**
 * The calling thread goes before all threads of usual priority from now on (SCHED_RR); threads that
 * it starts do not. Returns false where it is not allowed.
 */
export function goFirst(): boolean {
  return raise(0, URGENT);
}

/** Whether `goFirst` is allowed. The calling thread has the usual priority. */
export function mayGoFirst(): boolean {
  const may = goFirst();
  if (may) lower(0);
  return may;
}

/** The number of the calling thread (gettid(2)). */
export const threadNumber = libc.func('int gettid()') as () => number;

/**
 * A thread that forwards goes before all threads of usual priority for a while (SCHED_RR), and so
 * do those of V8, behind it. When V8 collects a thread's young objects, it waits until each thread
 * that compiles for it has come to a safe point, and that thread may wait for a processor.
 *
 *     usual ── extend ──► first ── `ms` later, or UrgencyLimit ──► usual
 *       └─────── stay ──────► first
 *
 * No effect on a thread that has another policy than the usual one, and where it is not allowed
 * (as `hurry`). `word`: shared with UrgencyLimit; it counts extensions, 0: usual or without an end.
 */
export class Urgency {
  private changed: number[] = [];
  private timer: NodeJS.Timeout | undefined;
  private stays = false;

  constructor(
    private readonly forwards: number,
    private readonly compilers: readonly number[],
    private readonly ms: number,
    private readonly word: Int32Array,
  ) {}

  extend(): void {
    if (this.stays) return;
    Atomics.add(this.word, 0, 1);
    if (this.timer !== undefined) {
      this.timer.refresh();
      return;
    }
    this.begin();
    this.timer = setTimeout(() => this.end(), this.ms).unref();
  }

  /** From now on, without an end. */
  stay(): void {
    this.stays = true;
    Atomics.store(this.word, 0, 0);
    clearTimeout(this.timer);
    this.begin();
  }

  /** The threads have their usual priority again. */
  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    Atomics.store(this.word, 0, 0);
    for (const thread of this.changed.splice(0)) lower(thread);
  }

  private begin(): void {
    this.change(this.forwards, URGENT);
    for (const thread of this.compilers) this.change(thread, LESS_URGENT);
  }

  private change(thread: number, priority: Int32Array): void {
    if (isUsual(thread) && raise(thread, priority)) this.changed.push(thread);
  }
}

/**
 * The end of an Urgency by the thread that goes first. The other one ends it by a timer, and may
 * wait for a processor: two directors whose workers go first use both processors of a machine.
 */
export class UrgencyLimit {
  private seen = 0;
  private end = 0;

  /** `word`: of the Urgency. `ms`: since its last extension; more than the Urgency's own. */
  constructor(
    private readonly word: Int32Array,
    private readonly compilers: readonly number[],
    private readonly ms: number,
  ) {}

  /** Call it between two turns. `now` in ms. */
  check(now: number): void {
    const extensions = this.word[0]!;
    if (extensions === 0) return;
    if (extensions !== this.seen) {
      this.seen = extensions;
      this.end = now + this.ms;
    } else if (now >= this.end && Atomics.compareExchange(this.word, 0, extensions, 0) === extensions)
      for (const thread of [0, ...this.compilers]) if (getScheduler(thread) === RAISED) lower(thread);
  }
}

/**
 * The calling thread gets nine tenths of a processor that it shares with another thread of this
 * process (setpriority(2)). No effect where it is not allowed: it needs CAP_SYS_NICE, or
 * RLIMIT_NICE.
 */
export function goBefore(): void {
  setOne(0, Math.max(HIGHEST, getPriority() - STEPS));
}

/** These threads of this process get a quarter of a processor that they share with another one. */
export function putBehind(threads: readonly number[]): void {
  for (const thread of threads) setOne(thread, Math.min(LOWEST, getPriority() + STEPS_BEHIND));
}

/** The numbers (gettid(2)) of all threads of this process but the first. */
export function otherThreads(): number[] {
  return readdirSync('/proc/self/task').flatMap((name) => (Number(name) === process.pid ? [] : [Number(name)]));
}

/**
 * The processor time that these threads of this process have used together, ms
 * (Documentation/scheduler/sched-stats.rst). 0 for one that has ended, and where the kernel counts
 * none.
 */
export function processorTime(threads: readonly number[]): number {
  return threads.reduce((sum, thread) => {
    try {
      return sum + Number.parseInt(readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1'), 10) / 1e6;
    } catch {
      return sum;
    }
  }, 0);
}

/** The kernel's can_nice: RLIMIT_NICE, or CAP_SYS_NICE outside of user namespaces. */
function mayReturn(priority: number): boolean {
  const [limits, status, uids] = ['limits', 'status', 'uid_map'].map((name) =>
    readFileSync(`/proc/self/${name}`, 'utf8'),
  );
  const limit = Number(/^Max nice priority +(\d+)/m.exec(limits!)?.[1] ?? 0);
  if (limit >= LIMIT_OF_0 - priority) return true;
  const capabilities = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(status!)?.[1] ?? 0}`);
  return (capabilities & CAP_SYS_NICE) !== 0n && /^\s*0\s+0\s+4294967295/.test(uids!);
}

/** `thread` 0: the calling one. False: it is not allowed. */
function raise(thread: number, priority: Int32Array): boolean {
  return setScheduler(thread, RAISED, priority) === 0;
}

/**
 * The usual priority again. Without CAP_SYS_NICE the kernel refuses to take RESET_ON_FORK back
 * (user_check_sched_setscheduler in kernel/sched): then the flag stays, which does nothing here.
 */
function lower(thread: number): void {
  if (setScheduler(thread, SCHED_OTHER, USUAL) !== 0) setScheduler(thread, SCHED_OTHER | RESET_ON_FORK, USUAL);
}

function isUsual(thread: number): boolean {
  return (getScheduler(thread) & ~RESET_ON_FORK) === SCHED_OTHER;
}

function setAll(priority: number): void {
  for (const thread of readdirSync('/proc/self/task')) setOne(Number(thread), priority);
}

/** `thread` 0: the calling one. No effect if it has ended, or where the right is missing. */
function setOne(thread: number, priority: number): void {
  try {
    setPriority(thread, priority);
  } catch {}
}
