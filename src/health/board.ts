/**
 * All services with checks: which checks are due, and what follows from their answers. It does no
 * I/O and reads no clock: the thread of the checks drives it, and tests drive it in virtual time.
 *
 *     plans ─► Board ── due(now) ──► checks to start
 *                ▲  └── turn(now) ─► weights and log lines that have changed
 *                └───── answer(…) ── answers
 */
import { DueQueue } from './due-queue.js';
import { Group, type Queued, type Running } from './group.js';
import type { HealthEvent, Outcome, ServicePlan, ServiceStatus, Verdict } from './spec.js';

export class Board {
  private groups = new Map<string, Group>();
  private readonly queue = new DueQueue<Queued>();
  /** Groups to look at in the next turn. */
  private readonly news = new Set<Group>();

  /** `random` returns 0 to 1. */
  constructor(private readonly random: () => number) {}

  /** Takes the plans of all services. What stays keeps its state. */
  plan(plans: readonly ServicePlan[], now: number): void {
    const old = this.groups;
    this.groups = new Map(plans.map((plan) => [plan.name, this.group(plan, old.get(plan.name), now)]));
    for (const [name, group] of old) if (!this.groups.has(name)) group.end();
    this.news.clear();
    for (const group of this.groups.values()) this.news.add(group);
  }

  private group(plan: ServicePlan, old: Group | undefined, now: number): Group {
    if (old === undefined) return new Group(plan, now, this.random, this.queue);
    old.replan(plan, now);
    return old;
  }

  /** The checks to start now. They run until `answer`. */
  due(now: number): Running[] {
    const all: Running[] = [];
    for (let next = this.queue.take(now); next !== undefined; next = this.queue.take(now)) {
      const running = next.group.start(next);
      if (running !== undefined) all.push(running);
    }
    return all;
  }

  /** `took`: duration in ms. */
  answer(running: Running, outcome: Outcome, took: number, now: number): void {
    const { group } = running;
    group.answer(running, outcome, took, now);
    if (group.hasNews) this.news.add(group);
  }

  /** Weights and lines for the log that have changed since the last call. */
  turn(now: number): { verdicts: Verdict[]; events: HealthEvent[] } {
    const turns = [...this.news].map((group) => group.turn(now));
    for (const group of this.news) if (!group.hasNews) this.news.delete(group);
    return { verdicts: turns.flatMap(({ verdicts }) => verdicts), events: turns.flatMap(({ events }) => events) };
  }

  status(now: number): ServiceStatus[] {
    return [...this.groups.values()].map((group) => group.status(now));
  }
}
