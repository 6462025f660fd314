/**
 * The packet path allocates nothing and stays compiled: a process of its own runs test/bench/steady.ts, every path and both
 * families, with connections beginning and ending all the time. ULVS_PACKETS=10000000 for the long run.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const PACKETS = Number(process.env.ULVS_PACKETS ?? 2_000_000);
const ROOT = join(import.meta.dirname, '../..');
const BUILT = join(ROOT, `build/allocation-${process.pid}`);
/** What a hundred kilobytes in 2 million packets are: housekeeping of ten times a second, the compiler's own notes. */
const BYTES_PER_PACKET = 0.1;

beforeAll(() => {
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  execFileSync(tsc, ['-p', 'tsconfig.bench.json', '--outDir', BUILT, '--sourceMap', 'false'], { cwd: ROOT });
  // As the dataplane runs.
  execFileSync(join(ROOT, 'scripts/bundle.sh'), [join(BUILT, 'test/bench/steady.js')]);
});
afterAll(() => rmSync(BUILT, { recursive: true, force: true }));

/** Everything the process said between its marks, and how the heap grew. */
function run(...words: string[]): { between: string[]; grown: number } {
  const flags = ['--expose-gc', '--trace-gc', '--trace-deopt'];
  const out = execFileSync(process.execPath, [...flags, join(BUILT, 'test/bench/steady.js'), ...words], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const lines = out.split('\n');
  const [begin, end] = [lines.indexOf('--- begin'), lines.indexOf('--- end')];
  expect(begin, out.slice(-2000)).toBeGreaterThan(0);
  expect(end).toBeGreaterThan(begin);
  const grown = /heap grew by (-?\d+)/.exec(lines.at(end + 1) ?? out)?.[1];
  return { between: lines.slice(begin + 1, end).filter(isLoss), grown: Number(grown) };
}

/** V8 moves a running loop from Maglev to TurboFan by a bailout, too (Node.js 24): a step up. */
function isLoss(line: string): boolean {
  return !line.includes('reason: prepare for on stack replacement (OSR)');
}

it(`runs ${PACKETS} packets without a collection, a deoptimisation or heap growth`, { timeout: 300_000 }, () => {
  const { between, grown } = run(`${PACKETS}`);
  expect(between).toEqual([]);
  expect(grown).toBeLessThan(PACKETS * BYTES_PER_PACKET);
});

// Again, if need be: the compiler works beside us, and may be done before it has seen the rarest way. What is wrong is so each time.
it('nor for dialogues of the persistence engine sip', { timeout: 300_000, retry: 2 }, () => {
  const { between, grown } = run('1000000', 'sip');
  expect(between).toEqual([]);
  // One number in a box for each packet would be twelve million.
  expect(grown).toBeLessThan(500_000);
});
