/**
 * The health of one service: its destinations, the quorum, the sorry server, and the weights that
 * follow. It does no I/O and reads no clock.
 *
 *     answers ─► Judge (a check) ─► destination: up while all its checks are ─► quorum ─► share of each weight, 0 to 1
 *
 *     quorum:   quorate ── up < quorum - hysteresis ──► lost ── up >= quorum + hysteresis ──► quorate
 *     weight:   up   1, or time since it came up / slowStart      down 0
 *               while the quorum is lost and a sorry server exists: 0, and the sorry server 1
 */
import type { DueQueue } from './due-queue.js';
import { Judge } from './judge.js';
import type { Check, HealthEvent, Outcome, ServicePlan, ServiceStatus, Target, TargetStatus, Verdict } from './spec.js';

/** A destination. */
interface Member {
  readonly target: Target;
  readonly judges: ReadonlyMap<string, Judge>;
  /** Checks that were due while the check before them (`after`) was down. */
  readonly waiting: Set<Judge>;
  up: boolean;
  /** Time of the last change, ms. */
  since: number;
  changes: number;
  /** It has come up since the start, so that its weight rises slowly. */
  ramps: boolean;
  /** What was last said about the weight; NaN: nothing. */
  said: number;
  saidWeight: number;
}

/** A check in the queue. Each check of a group is in it once, or waits, or runs. */
export interface Queued {
  readonly group: Group;
  readonly slot: number;
  readonly judge: Judge;
}

/** A check that runs. */
export interface Running {
  readonly group: Group;
  readonly target: Target;
  readonly judge: Judge;
}

/** The smallest share of a weight that rises slowly. */
const FIRST_SHARE = 0.05;
/** Steps of a rising weight. */
const STEPS = 20;

export class Group {
  private members = new Map<number, Member>();
  /** Those whose weight may have changed since the last turn. */
  private readonly stale = new Set<Member>();
  private quorate = true;
  /** Destinations that are up, without the sorry server. */
  private up = 0;
  private events: HealthEvent[] = [];

  constructor(
    private plan: ServicePlan,
    now: number,
    private readonly random: () => number,
    private readonly queue: DueQueue<Queued>,
  ) {
    this.replan(plan, now);
  }

  /** Takes another plan. Destinations and checks that stay keep their state. */
  replan(plan: ServicePlan, now: number): void {
    const old = this.members;
    this.plan = plan;
    this.members = new Map(plan.targets.map((target) => [target.slot, this.member(target, old.get(target.slot), now)]));
    this.up = 0;
    for (const member of this.members.values()) if (member.up && this.counts(member)) this.up++;
    this.examineAll();
  }

  /** Ends: what is queued or runs has no effect any more. */
  end(): void {
    this.members.clear();
  }

  private examineAll(): void {
    this.stale.clear();
    for (const member of this.members.values()) this.stale.add(member);
  }

  private member(target: Target, old: Member | undefined, now: number): Member {
    const same = old?.target.name === target.name ? old : undefined;
    const judges = target.checks.map((check): [string, Judge] => {
      const judge = same?.judges.get(check.id);
      if (judge !== undefined && !same!.waiting.has(judge) && isSame(judge.check, check)) return [check.id, judge];
      const other = judge?.with(check, now) ?? new Judge(check, now, this.random);
      this.enqueue(target.slot, other);
      return [check.id, other];
    });
    const state = same ?? { up: true, since: now, changes: 0, ramps: false };
    const { up, since, changes, ramps } = state;
    const unsaid = { said: Number.NaN, saidWeight: -1 };
    return { target, judges: new Map(judges), waiting: new Set(), up, since, changes, ramps, ...unsaid };
  }

  private enqueue(slot: number, judge: Judge): void {
    this.queue.push({ group: this, slot, judge }, judge.next);
  }

  /** Starts a check that the queue gave. Undefined: it is of an old plan, or waits for another. */
  start({ slot, judge }: Queued): Running | undefined {
    const member = this.members.get(slot);
    if (member?.judges.get(judge.check.id) !== judge) return undefined;
    const { after } = judge.check;
    if (after !== '' && member.judges.get(after)?.up === false) {
      member.waiting.add(judge);
      return undefined;
    }
    return { group: this, target: member.target, judge };
  }

  /** Takes the answer of a check that was started. */
  answer({ target, judge }: Running, outcome: Outcome, took: number, now: number): void {
    const { weight } = judge;
    judge.end(outcome, took, now);
    const member = this.members.get(target.slot);
    if (member?.judges.get(judge.check.id) !== judge) return;
    this.enqueue(target.slot, judge);
    if (judge.weight !== weight) this.stale.add(member);
    if (judge.changed) this.judgeMember(member, judge, now);
  }

  private judgeMember(member: Member, { check, reason }: Judge, now: number): void {
    for (const judge of member.waiting) this.enqueue(member.target.slot, judge);
    member.waiting.clear();
    const up = [...member.judges.values()].every((judge) => judge.up);
    if (up === member.up) return;
    member.up = up;
    if (this.counts(member)) this.up += up ? 1 : -1;
    this.stale.add(member);
    member.since = now;
    member.changes++;
    member.ramps = up;
    const text = `${member.target.name} of ${this.plan.name} is ${up ? 'up' : `down: ${check.id}: ${reason}`}`;
    this.events.push({ level: up ? 'info' : 'warn', text });
  }

  /** `turn` has something to say, or to look at. */
  get hasNews(): boolean {
    return this.stale.size + this.events.length > 0;
  }

  /** What has changed since the last call. */
  turn(now: number): { verdicts: Verdict[]; events: HealthEvent[] } {
    this.judgeQuorum();
    const verdicts: Verdict[] = [];
    for (const member of this.stale) {
      const verdict = this.verdict(member, now);
      if (verdict.share !== member.said || verdict.weight !== member.saidWeight) verdicts.push(verdict);
      member.said = verdict.share;
      member.saidWeight = verdict.weight;
      if (!this.isRising(member, now)) this.stale.delete(member);
    }
    const { events } = this;
    this.events = [];
    return { verdicts, events };
  }

  private judgeQuorum(): void {
    const { quorum, hysteresis, name, sorry } = this.plan;
    const { up } = this;
    const quorate = this.quorate ? up >= quorum - hysteresis : up >= quorum + hysteresis;
    if (quorate === this.quorate) return;
    this.quorate = quorate;
    this.examineAll();
    const all = this.members.size - (this.members.has(sorry) ? 1 : 0);
    const text = `${name}: the quorum is ${quorate ? 'reached' : 'lost'}: ${up} of ${all} up`;
    this.events.push({ level: quorate ? 'info' : 'warn', text });
  }

  private verdict(member: Member, now: number): Verdict {
    const { sorry } = this.plan;
    const { slot } = member.target;
    const weight = Math.max(-1, ...[...member.judges.values()].map((judge) => judge.weight));
    if (slot === sorry) return { slot, share: this.quorate ? 0 : 1, weight: -1 };
    if (!member.up || (sorry >= 0 && !this.quorate)) return { slot, share: 0, weight: -1 };
    return { slot, share: this.share(member, now), weight };
  }

  private isRising({ up, ramps, since }: Member, now: number): boolean {
    return up && ramps && now - since < this.plan.slowStart;
  }

  private share(member: Member, now: number): number {
    if (!this.isRising(member, now)) return 1;
    const { slowStart } = this.plan;
    const { since } = member;
    return Math.max(FIRST_SHARE, Math.floor(((now - since) / slowStart) * STEPS) / STEPS);
  }

  /** The sorry server is no part of the quorum. */
  private counts({ target }: Member): boolean {
    return target.slot !== this.plan.sorry;
  }

  get size(): number {
    return this.members.size;
  }

  /** The status with `most` targets at most, from the `first` on. */
  status(now: number, first = 0, most = this.size): ServiceStatus {
    const { name, quorum } = this.plan;
    const members = [...this.members.values()].slice(first, first + most);
    const targets = members.map((member) => this.memberStatus(member, now));
    return { name, up: this.up, quorum, quorate: this.quorate, targets };
  }

  private memberStatus(member: Member, now: number): TargetStatus {
    const { target, up, since, changes, judges } = member;
    const { share } = this.verdict(member, now);
    const checks = [...judges.values()].map(({ status }) => status);
    return { slot: target.slot, name: target.name, up, share, since: now - since, changes, checks };
  }
}

function isSame(one: Check, other: Check): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
