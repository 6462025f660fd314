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
import type { HealthEvent, Outcome, ServicePlan, ServiceStatus, StatusPart, Verdict } from './spec.js';

export class Board {
  private groups = new Map<string, Group>();
  private readonly queue = new DueQueue<Queued>();
  /** Groups to look at in the next turn. */
  private readonly news = new Set<Group>();
  /** Where the next part of the status begins. */
  private told = { group: 0, target: 0 };

  /** `random` returns 0 to 1. */
  constructor(private readonly random: () => number) {}

  /** Takes the plans of all services. What stays keeps its state. */
  plan(plans: readonly ServicePlan[], now: number): void {
    const old = this.groups;
    this.groups = new Map(plans.map((plan) => [plan.name, this.group(plan, old.get(plan.name), now)]));
    for (const [name, group] of old) if (!this.groups.has(name)) group.end();
    this.told = { group: 0, target: 0 };
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

  /** Time at which the next check is due, ms; Infinity without one. */
  get next(): number {
    return this.queue.next;
  }

  /** Number of targets of all services. */
  get size(): number {
    let all = 0;
    for (const group of this.groups.values()) all += group.size;
    return all;
  }

  status(now: number): ServiceStatus[] {
    return [...this.groups.values()].map((group) => group.status(now));
  }

  /** The part of the status after the last one, with `most` targets at most; it begins again. */
  statusPart(now: number, most: number): StatusPart[] {
    const parts: StatusPart[] = [];
    const groups = [...this.groups.values()];
    // A service costs as much as a target, also one without targets.
    for (let left = most; left > 0 && parts.length < groups.length; left--) {
      const { group: index, target: first } = this.told;
      const group = groups[index]!;
      const part = { ...group.status(now, first, left), first };
      parts.push(part);
      left -= part.targets.length;
      const isWhole = first + part.targets.length >= group.size;
      this.told = isWhole
        ? { group: (index + 1) % groups.length, target: 0 }
        : { group: index, target: first + part.targets.length };
    }
    return parts;
  }
}
