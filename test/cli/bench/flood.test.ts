/** `ulvs bench flood` as it is typed. Needs root and dist. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { down, up } from '../../../src/lab/build/lab.js';
import { listStates } from '../../../src/lab/build/state.js';
import { findTopology } from '../../../src/lab/topologies/index.js';
import { withoutXdp } from '../../device/xdp/missing.js';
import { isRoot } from '../../support/netns.js';

const ULVS = 'dist/cli/main.js';

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
  testbed: string;
}

/**
 * Runs the command, with a SIGINT once stderr matches `interruptAt`. `testbed` is the id of what it
 * had built by then.
 */
async function bench(words: readonly string[], interruptAt?: RegExp): Promise<Ended> {
  const child = spawn(process.execPath, [ULVS, 'bench', 'flood', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = { code: 0, stdout: '', stderr: '', testbed: '' };
  child.stdout.on('data', (chunk) => {
    ended.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    ended.stderr += chunk;
    if (!interruptAt?.test(ended.stderr) || ended.testbed !== '') return;
    ended.testbed = testbedOf(child.pid!);
    child.kill('SIGINT');
  });
  [ended.code] = (await once(child, 'close')) as [number];
  return ended;
}

function testbedOf(pid: number): string {
  const beds = listStates().filter(({ topology, owner }) => topology === 'flood' && owner === pid);
  return beds[0]?.id ?? 'none';
}

const few = ['--rate', '10000', '--seconds', '1', '--clients', '16', '--ports', '4'];
const missing = isRoot ? withoutXdp : 'needs root';

describe.skipIf(missing !== '')(`ulvs bench flood ${missing}`, () => {
  it('prints its result as JSON', async () => {
    const { stdout, stderr, code } = await bench([...few, '--device', 'packet', '--method', 'dr', '--json']);
    expect(code, stderr).toBe(0);
    const { rows, heading, losses } = JSON.parse(stdout);
    expect(heading).toBe('dr over packet');
    expect(rows).toHaveLength(1);
    const [{ sent, arrived, inRate, delays }] = rows;
    expect(sent - arrived).toBe(losses.reduce((sum: number, { frames }: { frames: number }) => sum + frames, 0));
    expect(inRate).toBeGreaterThan(1000);
    expect(delays.p99).toBeGreaterThanOrEqual(delays.p50);
  });

  it('floods a lab that is up', async () => {
    const lab = await up(findTopology('nat'), { device: 'packet' });
    try {
      const { stdout, stderr, code } = await bench([...few, '--kind', 'udp', '--lab', lab.id, '--json']);
      expect(code, stderr).toBe(0);
      const { rows, heading } = JSON.parse(stdout);
      expect(heading).toBe(`lab ${lab.id} over packet`);
      expect(rows[0].arrived).toBeGreaterThan(0.9 * rows[0].sent);
      expect(rows[0].sent).toBeGreaterThan(1000);
    } finally {
      await down(lab);
    }
  });

  it('removes everything at once at Ctrl-C', async () => {
    const begun = performance.now();
    const { stderr, code, testbed } = await bench(['--rate', '1000', '--seconds', '600', '--kind', 'udp'], /opening/);
    expect(testbed).toMatch(/^flood-/);
    expect(stderr).toContain('interrupted; everything is taken down again');
    expect(code).toBe(2);
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })).not.toMatch(
      new RegExp(`flood-.*-${process.pid}`),
    );
  });

  it.each([
    [['--clients', '1000'], 'a power of two from 1 to 65536'],
    [['--seconds', '0'], 'A whole number from 1 to 3600'],
    [['--device', 'wire'], 'Allowed choices are xdp, packet, tap'],
    [['--lab', 'nowhere'], 'no lab nowhere is up'],
  ])('refuses %j with one line', async (words, sentence) => {
    const { stderr, code } = await bench(words);
    expect(stderr).toContain(sentence);
    expect(code).not.toBe(0);
  });
});
