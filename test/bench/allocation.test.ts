/**
 * Tests that the packet path allocates nothing and stays compiled. A separate process runs
 * test/bench/steady.ts: all paths and both families, while connections begin and end all the time.
 * ULVS_PACKETS=10000000 makes the run longer.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const PACKETS = Number(process.env.ULVS_PACKETS ?? 2_000_000);
const ROOT = join(import.meta.dirname, '../..');
const BUILT = join(ROOT, `build/allocation-${process.pid}`);
/**
 * The limit, about 200 kB for 2 million packets. It leaves room for housekeeping ten times a second
 * and for the compiler's own data.
 */
const BYTES_PER_PACKET = 0.1;

beforeAll(() => {
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  execFileSync(tsc, ['-p', 'tsconfig.bench.json', '--outDir', BUILT, '--sourceMap', 'false'], { cwd: ROOT });
  // Bundled, as the dataplane is.
  execFileSync(join(ROOT, 'scripts/bundle.mjs'), [join(BUILT, 'test/bench/steady.js')]);
});
afterAll(() => rmSync(BUILT, { recursive: true, force: true }));

/** The lines that the process printed between its marks, and the growth of the heap in bytes. */
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

/**
 * False for the bailout by which V8 (Node.js 24) moves a running loop from Maglev to TurboFan: it
 * is no loss.
 */
function isLoss(line: string): boolean {
  return !line.includes('reason: prepare for on stack replacement (OSR)');
}

// Retries: the compiler runs in parallel and may finish before it has seen the rarest path, or keep
// memory of its own. A real defect fails each time.
it(`runs ${PACKETS} packets without a collection, a deoptimisation or heap growth`, {
  timeout: 300_000,
  retry: 2,
}, () => {
  const { between, grown } = run(`${PACKETS}`);
  expect(between).toEqual([]);
  expect(grown).toBeLessThan(PACKETS * BYTES_PER_PACKET);
});

// Retries for the same reason.
it('nor with a master of synchronisation', { timeout: 300_000, retry: 2 }, () => {
  const { between, grown } = run('1000000', 'sync');
  expect(between).toEqual([]);
  expect(grown).toBeLessThan(500_000);
});

// Retries for the same reason.
it('nor for dialogues of the persistence engine sip', { timeout: 300_000, retry: 2 }, () => {
  const { between, grown } = run('1000000', 'sip');
  expect(between).toEqual([]);
  // One boxed number for each packet would be twelve million bytes.
  expect(grown).toBeLessThan(500_000);
});
