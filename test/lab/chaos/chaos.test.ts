/**
 * `ulvs lab chaos`: a short run with real traffic. ULVS_SEEDS="1 2 …" and ULVS_SECONDS=60 make it
 * longer.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ChaosResult } from '../../../src/lab/chaos/chaos.js';
import { DIST } from '../../e2e/testbed.js';
import { isRoot } from '../../support/netns.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const run = promisify(execFile);
const SEEDS = (process.env.ULVS_SEEDS ?? '1').split(' ');
const SECONDS = process.env.ULVS_SECONDS ?? '3';
const chaos = (...words: string[]) => run(process.execPath, [path.join(DIST, 'cli/main.js'), 'lab', 'chaos', ...words]);

describe.skipIf(!isRoot)('in spite of faults everything holds that must', () => {
  it.each(SEEDS)('seed %s', { timeout: 180_000 + Number(SECONDS) * 1000 }, async (seed) => {
    const words = ['--seed', seed, '--seconds', SECONDS, '--downloads', '4', '--rate', '10', '--device', 'packet'];
    const { stdout } = await chaos(...words, '--json').catch((failed: { stdout: string }) => failed);
    const result = JSON.parse(stdout) as ChaosResult;
    expect(result).toMatchObject({ broken: [], lostToVictims: expect.any(Number) });
    expect(Math.min(result.looks, result.bytes, result.opened)).toBeGreaterThan(0);
  });
});

it('the plan of a seed is printed', async () => {
  const { stdout } = await chaos('--plan', '--seed', '3', '--seconds', '10');
  expect(stdout).toMatch(/^seed 3\n +0\.50 s {2}\w/);
});
