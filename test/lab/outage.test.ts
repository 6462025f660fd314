/**
 * What connections lose when an interface goes and comes, or another process takes over: `ulvs lab
 * outage` with real traffic. ULVS_EVENTS="recreate mac …" and ULVS_ROUNDS=50 make it longer.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/lab/outage/run.js';
import { DIST } from '../e2e/testbed.js';
import { isRoot } from '../support/netns.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const run = promisify(execFile);
const EVENTS = (process.env.ULVS_EVENTS ?? 'recreate takeover worker').split(' ');
const ROUNDS = Number(process.env.ULVS_ROUNDS ?? 1);
const KINDS = { recreate: 'packet', takeover: 'xdp', kill: 'xdp' } as Record<string, string>;
/** Connections that the SYN proxy has spliced outlive these, too. */
const MORE = { takeover: ['--synproxy'], kill: ['--synproxy'] } as Record<string, readonly string[]>;

async function outage(event: string): Promise<Outcome> {
  const load = ['--downloads', '5', '--flows', '2', '--rate', '10', '--longest', '5000'];
  const words = ['lab', 'outage', event, '--device', KINDS[event] ?? 'packet', '--rounds', `${ROUNDS}`, '--json'];
  const { stdout } = await run(process.execPath, [
    path.join(DIST, 'cli/main.js'),
    ...words,
    ...load,
    ...(MORE[event] ?? []),
  ]);
  return JSON.parse(stdout) as Outcome;
}

describe.skipIf(!isRoot)('connections outlive', () => {
  it.concurrent.each(EVENTS)('%s', { timeout: 60_000 + ROUNDS * 10_000 }, async (event) => {
    const { other, hit, goesOn, log } = await outage(event);
    expect({ goesOn, lost: other.lost + hit.lost, wrong: other.wrong + hit.wrong, log }).toMatchObject({
      goesOn: true,
      lost: 0,
      wrong: 0,
    });
  });

  it.concurrent('a state that is damaged costs connections, and no new ones', { timeout: 60_000 }, async () => {
    const { other, hit, goesOn, log } = await outage('state-cut');
    expect({ goesOn, wrong: other.wrong + hit.wrong, log }).toMatchObject({ goesOn: true, wrong: 0 });
    expect(other.lost).toBeGreaterThan(0);
    expect(log.join()).toContain('.refused');
  });

  it('says which event it does not know', async () => {
    const failed = await outage('recreat').catch((error: { stderr: string }) => error);
    expect(failed).toMatchObject({
      stderr: expect.stringMatching(/^ulvs lab: no event recreat; did you mean recreate/),
    });
  });
});
