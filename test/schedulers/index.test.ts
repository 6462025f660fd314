/**
 * Tests that every scheduler in the index is complete. A new scheduler is a file and a line in the
 * index.
 */
import { describe, expect, it } from 'vitest';
import { SCHEDULER_NAMES, SCHEDULERS } from '../../src/schedulers/index.js';
import type { ServiceConfig } from '../../src/service/config.js';
import { formatRecord } from '../../src/trace/format.js';
import { SCHEDULER_FLAGS, schedulerFlagNames } from '../../src/ulvsadm/flags.js';
import { help } from '../../src/ulvsadm/help.js';
import { Random } from '../support/seed.js';
import { Stand, to } from './service.js';

describe.each(SCHEDULERS)('$name', ({ name, chooses, flags = [] }) => {
  it('says in words how it chooses, and a trace says it too', () => {
    expect(chooses).toMatch(/^\S.{10,79}$/);
    const chosen = { step: 'chosen', scheduler: name, dest: '192.168.1.11:80', candidates: [] } as const;
    const record = { at: 0, device: 'eth0', hex: '', steps: [chosen], out: [], verdict: 'forwarded', dropped: false };
    expect(formatRecord(record)).toContain(`192.168.1.11:80: ${chooses}\n`);
  });

  it('has at most three flags, which ulvsadm reads and shows', () => {
    expect(flags.length).toBeLessThanOrEqual(3);
    for (const flag of flags) {
      const { bit, scheduler } = SCHEDULER_FLAGS.get(flag)!;
      expect(scheduler).toBe(name);
      expect(schedulerFlagNames({ scheduler: name, flags: bit } as ServiceConfig)).toBe(flag);
    }
  });
});

/** twos draws at random, so its generator advances, but no choice depends on an earlier one. */
const DETERMINISTIC = SCHEDULERS.filter(({ name }) => name !== 'twos');

it.each(DETERMINISTIC)('$name remembers earlier choices exactly if it says so', ({ name, remembers = false }) => {
  expect(divergesAfterOthers(name)).toBe(remembers);
});

/**
 * Compares two schedulers of the kind with the same destinations and loads. One of them has had
 * other arrivals. True when they choose differently.
 */
function divergesAfterOthers(scheduler: string): boolean {
  const random = new Random(1);
  const [fresh, used] = [new Stand(scheduler, [3, 2, 1]), new Stand(scheduler, [3, 2, 1])];
  for (let i = 0; i < 200; i++) {
    const arrival = to(`10.0.0.${random.below(8)}`);
    for (const stand of [fresh, used])
      for (const [at, name] of ['a', 'b', 'c'].entries()) stand.load(name, (i * 7 + at * 5) % 4);
    used.choose(arrival, i);
    const question = to(`10.0.0.${random.below(8)}`);
    if (fresh.choose(question, i) !== used.choose(question, i)) return true;
  }
  return false;
}

it('the help of ulvsadm lists exactly the schedulers of the index', () => {
  const listed = /one of (\S+),\n.*default scheduler/.exec(help('ulvsadm'))![1]!;
  expect(listed.split('|')).toEqual(SCHEDULER_NAMES);
});

it('names are unique, of schedulers and of flags', () => {
  const flags = SCHEDULERS.flatMap((scheduler) => scheduler.flags ?? []);
  expect(new Set(SCHEDULER_NAMES).size).toBe(SCHEDULERS.length);
  expect(new Set(flags).size).toBe(flags.length);
});
