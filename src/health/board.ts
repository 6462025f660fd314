/**
 * All services with checks: which checks are due, and what follows from their answers. It does no
 * I/O and reads no clock: the thread of the checks drives it, and tests drive it in virtual time.
 *
 *     plans ─► Board ── due(now) ──► checks to start
 *                ▲  └── turn(now) ─► weights and log lines that have changed
 *                └───── answer(…) ── answers
 */
import { type Due, Group } from './group.js';
import type { HealthEvent, Outcome, ServicePlan, ServiceStatus, Verdict } from './spec.js';

/** A check that runs. */
export interface Running extends Due {
  readonly group: Group;
}

export class Board {
  private groups = new Map<string, Group>();

  /** `random` returns 0 to 1. */
  constructor(private readonly random: () => number) {}

  /** Takes the plans of all services. What stays keeps its state. */
  plan(plans: readonly ServicePlan[], now: number): void {
    const old = this.groups;
    this.groups = new Map(plans.map((plan) => [plan.name, this.group(plan, old.get(plan.name), now)]));
  }

  private group(plan: ServicePlan, old: Group | undefined, now: number): Group {
    if (old === undefined) return new Group(plan, now, this.random);
    old.replan(plan, now);
    return old;
  }

  /** The checks to start now. They run until `answer`. */
  due(now: number): Running[] {
    const all: Running[] = [];
    for (const group of this.groups.values())
      for (const due of group.due(now)) {
        due.judge.begin();
        all.push({ ...due, group });
      }
    return all;
  }

  /** `took`: duration in ms. */
  answer(running: Running, outcome: Outcome, took: number, now: number): void {
    running.group.answer(running, outcome, took, now);
  }

  /** Weights and lines for the log that have changed since the last call. */
  turn(now: number): { verdicts: Verdict[]; events: HealthEvent[] } {
    const turns = [...this.groups.values()].map((group) => group.turn(now));
    return { verdicts: turns.flatMap(({ verdicts }) => verdicts), events: turns.flatMap(({ events }) => events) };
  }

  status(now: number): ServiceStatus[] {
    return [...this.groups.values()].map((group) => group.status(now));
  }
}
