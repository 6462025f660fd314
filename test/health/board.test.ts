import { describe, expect, it } from 'vitest';
import { withParts } from '../../src/control/health/with-parts.js';
import { Board } from '../../src/health/board.js';
import type { Running } from '../../src/health/group.js';
import type { Check, Outcome, ServicePlan, ServiceStatus, Verdict } from '../../src/health/spec.js';
import { CHECK } from './check.js';

const OK: Outcome = { ok: true, text: 'connected' };
const BAD: Outcome = { ok: false, text: 'connection refused' };

function plan(more: Partial<ServicePlan> = {}, checks: readonly Check[] = [CHECK], slots = [1, 2, 3]): ServicePlan {
  const targets = slots.map((slot) => ({
    slot,
    name: `10.0.0.${slot}:80`,
    address: `10.0.0.${slot}`,
    pinged: `10.0.0.${slot}`,
    port: 80,
    checks,
  }));
  return { name: '-t 10.0.0.100:80', quorum: 1, hysteresis: 0, sorry: -1, slowStart: 0, targets, ...more };
}

/** A board in virtual time. `answer` says what a check sees; undefined: it hangs. */
class Clock {
  now = 0;
  readonly board = new Board(() => 0);
  readonly shares = new Map<number, number>();
  readonly weights = new Map<number, number>();
  readonly said: string[] = [];
  readonly runs: { id: string; slot: number; at: number }[] = [];
  readonly hanging: Running[] = [];
  answer: (slot: number, id: string) => Outcome | undefined = () => OK;

  constructor(first: ServicePlan) {
    this.board.plan([first], 0);
  }

  /** Runs the clock in steps of 20 ms, as the thread does. */
  run(ms: number): this {
    for (const end = this.now + ms; this.now < end; this.now += 20) this.turn();
    return this;
  }

  private turn(): void {
    for (const running of this.board.due(this.now)) {
      const { target, judge } = running;
      this.runs.push({ id: judge.check.id, slot: target.slot, at: this.now });
      const outcome = this.answer(target.slot, judge.check.id);
      if (outcome === undefined) this.hanging.push(running);
      else this.board.answer(running, outcome, 1, this.now);
    }
    const { verdicts, events } = this.board.turn(this.now);
    for (const verdict of verdicts) this.take(verdict);
    this.said.push(...events.map(({ text }) => text));
  }

  private take({ slot, share, weight }: Verdict): void {
    this.shares.set(slot, share);
    this.weights.set(slot, weight);
  }
}

describe('rise and fall', () => {
  it('goes down at the third failure and up at the second success, at the fast interval', () => {
    const clock = new Clock(plan()).run(4000);
    clock.answer = (slot) => (slot === 2 ? BAD : OK);
    const failed = clock.now;
    // The first failure comes within the interval, two more at the fast one.
    clock.run(2000 + 2 * 520 + 40);
    expect([...clock.shares]).toEqual([
      [1, 1],
      [2, 0],
      [3, 1],
    ]);
    expect(clock.now - failed).toBeLessThan(3200);
    expect(clock.said).toEqual(['10.0.0.2:80 of -t 10.0.0.100:80 is down: tcp: connection refused']);
    clock.answer = () => OK;
    clock.run(2 * 520 + 40);
    expect(clock.shares.get(2)).toBe(1);
    expect(clock.said.at(-1)).toBe('10.0.0.2:80 of -t 10.0.0.100:80 is up');
  });

  it('a failure between successes changes nothing', () => {
    const clock = new Clock(plan());
    let n = 0;
    clock.answer = () => (n++ % 3 === 0 ? OK : BAD);
    // One destination only, so that the pattern is its own: good, bad, bad, good …
    clock.board.plan([plan({}, [CHECK], [1])], 0);
    clock.run(60_000);
    expect(clock.said).toEqual([]);
  });

  it('flapping faster than rise and fall leaves one state, and the interval stays bounded', () => {
    const clock = new Clock(plan({}, [CHECK], [1]));
    clock.answer = () => (Math.floor(clock.now / 700) % 2 === 0 ? OK : BAD);
    clock.run(600_000);
    expect(clock.runs.length).toBeGreaterThan(300);
    expect(clock.runs.length).toBeLessThan(1300);
    const gaps = clock.runs.slice(1).map(({ at }, i) => at - clock.runs[i]!.at);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(2020);
  });

  it('a check that hangs is not started again, and holds up no other', () => {
    const clock = new Clock(plan());
    clock.answer = (slot) => (slot === 1 ? undefined : OK);
    clock.run(20_000);
    expect(clock.runs.filter(({ slot }) => slot === 1)).toHaveLength(1);
    expect(clock.runs.filter(({ slot }) => slot === 2).length).toBeGreaterThan(8);
    clock.board.answer(clock.hanging[0]!, BAD, 2000, clock.now);
    clock.run(1000);
    expect(clock.runs.filter(({ slot }) => slot === 1).length).toBeGreaterThan(1);
  });

  it('an answer that comes after its destination has gone changes nothing', () => {
    const clock = new Clock(plan());
    clock.answer = () => undefined;
    clock.run(100);
    clock.board.plan([plan({}, [CHECK], [2])], clock.now);
    for (const running of clock.hanging) clock.board.answer(running, BAD, 1, clock.now);
    expect(clock.board.status(clock.now)[0]!.targets.map(({ slot }) => slot)).toEqual([2]);
  });
});

describe('the status in parts', () => {
  it('is the whole status after a round, also with services without targets', () => {
    const slots = { a: [1, 2, 3], b: [], c: [4, 5, 6, 7, 8], d: [9] };
    const plans = Object.entries(slots).map(([name, list]) => plan({ name }, [CHECK], list));
    const board = new Board(() => 0);
    board.plan(plans, 0);
    let status: readonly ServiceStatus[] = board.status(0);
    for (const most of [1, 2, 3, 4, 5, 6]) {
      const parts = Array.from({ length: 26 }, () => board.statusPart(most * 100, most));
      for (const part of parts) status = withParts(status, part);
      expect(status).toEqual(board.status(most * 100));
      const sizes = parts.map((all) => all.reduce((sum, { targets }) => sum + targets.length, 0));
      expect(Math.max(...sizes)).toBeLessThanOrEqual(most);
    }
  });
});

describe('what follows', () => {
  it('slow start raises the weight in steps', () => {
    const clock = new Clock(plan({ slowStart: 10_000 }, [{ ...CHECK, fall: 1, rise: 1 }], [1])).run(100);
    expect(clock.shares.get(1)).toBe(1);
    clock.answer = () => BAD;
    clock.run(2100);
    expect(clock.shares.get(1)).toBe(0);
    clock.answer = () => OK;
    const seen: number[] = [];
    for (let i = 0; i < 60; i++) seen.push(clock.run(200).shares.get(1)!);
    const rising = seen.filter((share, i) => i === 0 || share !== seen[i - 1]);
    expect(rising.slice(0, 4)).toEqual([0, 0.05, 0.1, 0.15]);
    expect(rising).toEqual([...rising].sort((a, b) => a - b));
    expect(rising.at(-1)).toBe(1);
  });

  it('the quorum has hysteresis, and without it the sorry server has the clients', () => {
    const clock = new Clock(
      plan({ quorum: 2, hysteresis: 1, sorry: 9 }, [{ ...CHECK, fall: 1, rise: 1 }], [1, 2, 3, 4]),
    );
    const withSorry = plan({ quorum: 2, hysteresis: 1, sorry: 9 }, [{ ...CHECK, fall: 1, rise: 1 }], [1, 2, 3, 4]);
    const sorry = { slot: 9, name: '10.0.0.9:80', address: '10.0.0.9', pinged: '10.0.0.9', port: 80, checks: [] };
    clock.board.plan([{ ...withSorry, targets: [...withSorry.targets, sorry] }], 0);
    const down = new Set<number>();
    clock.answer = (slot) => (down.has(slot) ? BAD : OK);
    const state = () => [1, 2, 3, 4, 9].map((slot) => clock.shares.get(slot));
    clock.run(3000);
    expect(state()).toEqual([1, 1, 1, 1, 0]);
    for (const slot of [1, 2, 3]) down.add(slot);
    clock.run(3000);
    // One is up: 2 - 1 is still enough.
    expect(state()).toEqual([0, 0, 0, 1, 0]);
    down.add(4);
    clock.run(3000);
    expect(state()).toEqual([0, 0, 0, 0, 1]);
    down.clear();
    down.add(1).add(2);
    clock.run(3000);
    // Two are up: 2 + 1 are needed.
    expect(state()).toEqual([0, 0, 0, 0, 1]);
    down.delete(1);
    clock.run(3000);
    expect(state()).toEqual([1, 0, 1, 1, 0]);
    expect(clock.said.filter((line) => line.includes('quorum'))).toEqual([
      '-t 10.0.0.100:80: the quorum is lost: 0 of 4 up',
      '-t 10.0.0.100:80: the quorum is reached: 3 of 4 up',
    ]);
  });

  it('a check after another runs only while that one is up', () => {
    const checks = [
      { ...CHECK, fall: 1, rise: 1 },
      { ...CHECK, id: 'http', after: 'tcp' },
    ];
    const clock = new Clock(plan({}, checks, [1])).run(5000);
    clock.answer = (_, id) => (id === 'tcp' ? BAD : OK);
    clock.run(3000);
    const from = clock.runs.length;
    clock.run(10_000);
    expect(clock.runs.slice(from).some(({ id }) => id === 'http')).toBe(false);
    expect(clock.shares.get(1)).toBe(0);
  });

  it("a script's weight stands in for the operator's", () => {
    const clock = new Clock(plan({}, [CHECK], [1]));
    clock.answer = () => ({ ok: true, text: 'exit code 52', weight: 50 });
    clock.run(3000);
    expect(clock.weights.get(1)).toBe(50);
  });

  it('a new plan keeps the state of what stays', () => {
    const clock = new Clock(plan());
    clock.answer = (slot) => (slot === 2 ? BAD : OK);
    clock.run(6000);
    clock.board.plan([plan({}, [{ ...CHECK, interval: 5000 }], [2, 3, 4])], clock.now);
    clock.run(40);
    expect([2, 3, 4].map((slot) => clock.shares.get(slot))).toEqual([0, 1, 1]);
  });

  it('a check that waits for another runs soon after that one is up', () => {
    const checks = [
      { ...CHECK, fall: 1, rise: 1 },
      { ...CHECK, id: 'http', after: 'tcp' },
    ];
    const clock = new Clock(plan({}, checks, [1])).run(5000);
    clock.answer = (_, id) => (id === 'tcp' ? BAD : OK);
    clock.run(10_000);
    clock.answer = () => OK;
    const from = clock.runs.length;
    clock.run(600);
    expect(clock.runs.slice(from).map(({ id }) => id)).toContain('http');
    const before = clock.runs.length;
    clock.run(10_000);
    expect(clock.runs.slice(before).filter(({ id }) => id === 'http')).toHaveLength(5);
  });

  it('new plans while checks run and wait leave each check once in the queue', () => {
    const checks = [CHECK, { ...CHECK, id: 'http', after: 'tcp' }];
    const clock = new Clock(plan({}, checks, [1, 2]));
    clock.answer = (slot, id) => (slot === 2 && id === 'tcp' ? BAD : OK);
    for (let i = 0; i < 20; i++) {
      clock.run(700);
      const interval = i % 2 === 0 ? 3000 : 2000;
      clock.board.plan(
        [
          plan(
            {},
            checks.map((check) => ({ ...check, interval })),
            i % 3 === 0 ? [1] : [1, 2],
          ),
        ],
        clock.now,
      );
    }
    clock.board.plan([plan({}, checks, [1, 2])], clock.now);
    clock.answer = () => OK;
    clock.run(10_000);
    const from = clock.runs.length;
    clock.run(20_000);
    const counts = [1, 2].flatMap((slot) =>
      ['tcp', 'http'].map((id) => clock.runs.slice(from).filter((run) => run.slot === slot && run.id === id).length),
    );
    expect(counts).toEqual([10, 10, 10, 10]);
  });

  it('a service that has gone is checked no more, and has no say', () => {
    const clock = new Clock(plan());
    clock.answer = () => undefined;
    clock.run(40);
    clock.board.plan([], clock.now);
    for (const running of clock.hanging) clock.board.answer(running, BAD, 1, clock.now);
    const from = clock.runs.length;
    clock.run(10_000);
    expect(clock.runs).toHaveLength(from);
  });

  it('5,000 destinations: every check runs, none early, none late', () => {
    const slots = Array.from({ length: 5000 }, (_, i) => i);
    const clock = new Clock(plan({}, [CHECK], slots)).run(10_000);
    expect(clock.runs).toHaveLength(25_000);
  });
});
