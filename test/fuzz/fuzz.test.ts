/**
 * Every fuzz target for a moment: its kept corpus, then changed inputs. `make fuzz` goes on for
 * longer and by coverage. ULVS_FUZZ: seconds for each target.
 */
import { describe, expect, it } from 'vitest';
import { Random, SEED } from '../support/seed.js';
import { fuzz } from './engine/campaign.js';
import { Corpus } from './engine/corpus.js';
import { failureOf, minimise } from './engine/minimise.js';
import type { Target } from './engine/target.js';
import { TARGETS } from './targets/index.js';

const SECONDS = Number(process.env.ULVS_FUZZ ?? 0.8);
const CORPUS = 'test/fuzz/corpus';
const limit = 60_000 + 1000 * SECONDS;

describe('fuzz targets hold', () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))('%s', { timeout: limit }, async (name, target) => {
    const kept = new Corpus(CORPUS, name).read();
    expect(kept.length + target.seeds().length).toBeGreaterThan(0);
    const { executions, failure } = await fuzz(target, kept, { seconds: SECONDS }, new Random());
    const inputs = failure?.inputs.map((input) => Buffer.from(input).toString('hex'));
    expect(failure?.message, `seed ${SEED}, session ${failure?.epoch}, inputs ${inputs}`).toBeUndefined();
    expect(executions).toBeGreaterThan(0);
  });
});

describe('the engine', () => {
  /** Fails once a 7 and, later, a 9 came; other inputs do not matter. */
  const planted: Target = {
    name: 'planted',
    about: 'a fault that needs two inputs',
    covers: [],
    epoch: 1000,
    seeds: () => [Uint8Array.of(1), Uint8Array.of(2)],
    begin: () => {
      let seven = false;
      return {
        run: (input) => {
          if (input[0] === 7) seven = true;
          if (seven && input[0] === 9) throw new Error('planted');
        },
      };
    },
  };

  it('finds a planted fault, and the two inputs that it needs', async () => {
    const { failure } = await fuzz(planted, [], { seconds: 20, executions: 1_000_000 }, new Random());
    expect(failure?.message).toContain('planted');
    expect(failure?.inputs.map(([first]) => first)).toEqual([7, 9]);
    expect(await failureOf(planted, 0, failure?.inputs ?? [])).toContain('planted');
    expect(await minimise(planted, 0, [Uint8Array.of(7), Uint8Array.of(3), Uint8Array.of(9)])).toHaveLength(2);
  });
});
