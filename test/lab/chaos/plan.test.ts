import { expect, it } from 'vitest';
import { chaosPlan } from '../../../src/lab/chaos/chaos.js';
import { FAULTS } from '../../../src/lab/chaos/faults.js';

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);
const SECONDS = 60;

it('is the same for the same seed, and another for another one', () => {
  for (const seed of SEEDS)
    expect(chaosPlan({ seed, seconds: SECONDS })).toEqual(chaosPlan({ seed, seconds: SECONDS }));
  const plans = SEEDS.map((seed) => JSON.stringify(chaosPlan({ seed, seconds: SECONDS })));
  expect(new Set(plans).size).toBe(SEEDS.length);
});

it('has every fault at every place, in some seed', () => {
  const planned = new Set(
    SEEDS.flatMap((seed) => chaosPlan({ seed, seconds: SECONDS }).map(({ fault, place }) => `${fault} ${place}`)),
  );
  const all = FAULTS.flatMap(({ name, places }) => places.map((place) => `${name} ${place}`));
  expect(all.filter((one) => !planned.has(one))).toEqual([]);
});

it('never has two faults at one place, and ends in time', () => {
  for (const seed of SEEDS) {
    const plan = chaosPlan({ seed, seconds: SECONDS });
    for (const [i, step] of plan.entries()) {
      expect(step.at + step.lasts).toBeLessThanOrEqual(SECONDS * 1000);
      const before = plan.slice(0, i).filter(({ place }) => place === step.place);
      expect(before.every(({ at, lasts }) => at + lasts < step.at)).toBe(true);
    }
  }
});
