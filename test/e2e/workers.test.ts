/**
 * `workers: N` on live machines: whole labs with two and three workers; and a machine with fewer
 * queues than workers, where the third worker must send by another queue. All workers behave as one
 * director.
 */
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../../src/lab/names.js';
import { withoutXdp } from '../device/xdp/missing.js';
import { type Program, Testbed } from './testbed.js';

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('skipped: needs root for namespaces');

describe.skipIf(!isRoot)('labs with several workers', () => {
  const cases = [
    ['xdp', 2, ['nat', 'ipv6-nat']],
    ['packet', 3, ['dr', 'full-nat']],
  ] as const;

  it.each(cases)('%s, %i workers', { timeout: 120_000 }, (device, workers, names) => {
    if (device === 'xdp' && withoutXdp !== '') return;
    const words = ['lab', 'test', ...names, '--quick', '--json', '--device', device, '--workers', String(workers)];
    const { stdout, stderr, status } = spawnSync(process.execPath, [program('cli/main.js'), ...words], {
      encoding: 'utf8',
    });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(
      lines.filter(({ failed }) => failed !== 0),
      stderr,
    ).toEqual([]);
    expect(status).toBe(0);
  });

  it('are refused on devices that one thread reads', () => {
    const words = ['lab', 'test', 'nat', '--device', 'tap', '--workers', '2'];
    const { stdout, stderr, status } = spawnSync(process.execPath, [program('cli/main.js'), ...words], {
      encoding: 'utf8',
    });
    expect(`${stdout}${stderr}`).toMatch(
      /director\.yaml:\d+: workers: 2 workers need devices of kind xdp or packet; eth0 is tap/,
    );
    expect(status).toBe(1);
  });
});

const VIP = '10.1.0.100';
const RULES = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m
-a -t ${VIP}:80 -r 10.2.0.12:8080 -m`;
const WORKERS = 3;
const GREETER = `require('net').createServer((s) => s.on('error', () => {}).end('hello')).listen(8080, () => console.log('ready'))`;
/** Makes `count` connections one after the other; prints how many received hello. */
const hear = (count: number) =>
  `node -e "let n = 0, good = 0; (function next() {
     if (n++ === ${count}) return console.log(good);
     let said = ''; const s = require('net').connect(80, '${VIP}');
     s.setTimeout(2000, () => s.destroy());
     s.on('data', (d) => said += d).on('error', () => {}).on('close', () => { good += said === 'hello'; next(); });
   })()"`;

const kinds = withoutXdp === '' ? (['packet', 'xdp'] as const) : (['packet'] as const);
describe.skipIf(!isRoot).each(kinds)('a machine with one queue per interface and three workers: %s', (kind) => {
  let testbed: Testbed;
  let director: Program;

  beforeAll(async () => {
    testbed = new Testbed(`workers${kind}`, kind);
    await testbed.serve(testbed.servers, GREETER);
  });
  afterEach(async () => {
    director.kill('SIGTERM');
    await director.ended;
  });
  afterAll(() => testbed.remove());

  it('has one table and one set of counters, and leaves nothing behind', { timeout: 30_000 }, async () => {
    const before = testbed.traces();
    director = await testbed.up('-c', testbed.config('workers.yaml', { rules: RULES, more: `workers: ${WORKERS}` }));
    expect(testbed.try(testbed.client, hear(60)).trim()).toBe('60');
    const { out } = await testbed.ulvsadm('-Lnc');
    expect(out.match(/^TCP .*10\.1\.0\.100:80/gm)).toHaveLength(60);
    const stats = (await testbed.ulvsadm('-Ln --stats --exact')).out;
    expect(stats).toMatch(/^TCP +10\.1\.0\.100:80 +60 /m);
    const counts = [...stats.matchAll(/-> 10\.2\.0\.1[12]:8080 +(\d+) /g)].map(([, conns]) => Number(conns));
    expect(counts[0]! + counts[1]!).toBe(60);
    expect(Math.abs(counts[0]! - counts[1]!)).toBeLessThanOrEqual(WORKERS);
    const status = await testbed.ulvs(['status', '--json', '--socket', testbed.socket]).ended;
    const { workers } = JSON.parse(status.out) as { workers: { used: number; frames: number }[] };
    expect(workers).toHaveLength(WORKERS);
    expect(workers.reduce((sum, { used }) => sum + used, 0)).toBe(60);
    expect(workers.filter(({ used, frames }) => used > 5 && frames > 50)).toHaveLength(WORKERS);
    director.kill('SIGTERM');
    expect((await director.ended).code).toBe(0);
    expect(testbed.traces()).toBe(before);
  });
});
