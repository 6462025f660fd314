/** What outlives the process: downloads, counters and ulvsadm's changes after kill -9; which state is refused. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isRoot } from '../../support/netns.js';
import { type Program, Testbed } from '../testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const VIP = '10.1.0.100';
const NAT = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m
-a -t ${VIP}:80 -r 10.2.0.12:8080 -m`;
/** /slow: 3 MB in 30 pieces, 50 ms apart. */
const WEB = `require('http').createServer(async (q, a) => {
  if (q.url !== '/slow') return q.resume().on('end', () => a.end('ok\\n'));
  for (let i = 0; i < 30; i++) { a.write(Buffer.alloc(100000, i)); await new Promise((r) => setTimeout(r, 50)); }
  a.end();
}).listen(8080, () => console.log('ready'))`;
const DIGEST = createHash('sha256')
  .update(Buffer.concat(Array.from({ length: 30 }, (_, i) => Buffer.alloc(100_000, i))))
  .digest('hex');

describe.skipIf(!isRoot)('the state of a director', () => {
  const kinds = ['packet', 'xdp'] as const;
  let testbeds: Testbed[];
  let testbed: Testbed;
  let state: string;
  let program: Program | undefined;

  beforeAll(async () => {
    testbeds = kinds.map((kind) => new Testbed(`state-${kind}`, kind));
    await Promise.all(testbeds.map((one) => one.serve(one.servers, WEB)));
  });
  beforeEach(() => {
    testbed = testbeds[0]!;
    state = mkdtempSync('/dev/shm/ulvs-state-');
  });
  afterEach(async () => {
    program?.kill('SIGTERM');
    await program?.ended;
    program = undefined;
    rmSync(state, { recursive: true });
  });
  afterAll(() => Promise.all(testbeds.map((one) => one.remove())));

  const config = (rules = NAT) => testbed.config('state.yaml', { rules, more: `state: ${state}` });
  async function up(...words: string[]): Promise<void> {
    program = await testbed.up('-c', config(), ...words);
  }
  async function kill(): Promise<void> {
    program!.kill('SIGKILL');
    await program!.ended;
  }
  const listing = async (words = '-Sn') => (await testbed.ulvsadm(words)).out;

  it.each(kinds)(
    'has its connections, its counters and what ulvsadm changed after kill -9 (%s)',
    async (kind) => {
      testbed = testbeds[kinds.indexOf(kind)]!;
      // The host's stack would refuse the clients of an address of its own.
      testbed.run(testbed.director, `ip addr add ${VIP}/32 dev lo`);
      await up();
      await testbed.ulvsadm(`-e -t ${VIP}:80 -r 10.2.0.11:8080 -m -w 5`);
      await testbed.ulvsadm(`-A -u ${VIP}:53 -s wlc`);
      const downloads = Array.from({ length: 4 }, () =>
        testbed.start(testbed.client, ['sh', '-c', `curl -s -m 20 http://${VIP}/slow | sha256sum`]),
      );
      await sleep(400);
      const rules = await listing();
      await kill();
      await up();
      expect(program!.err).toContain('goes on with the connections of the former process');
      expect(await listing()).toBe(rules);
      for (const download of downloads) expect((await download.ended).out).toBe(`${DIGEST}  -\n`);
      expect(await listing('-Lnc')).toContain('10.2.0.11:8080');
      expect((await listing('-Ln --stats --exact')).split('\n')[3]).toMatch(/^TCP {2}10\.1\.0\.100:80 +4 /);
    },
    60_000,
  );

  it('has its connections with another number of workers and another size, too', async () => {
    const start = async (workers: number, max: number) => {
      const more = `state: ${state}\nworkers: ${workers}\nconnections: { max: ${max} }`;
      program = await testbed.up('-c', testbed.config('shape.yaml', { rules: NAT, more }));
      return program.err;
    };
    testbed.run(testbed.director, `ip addr replace ${VIP}/32 dev lo`);
    await start(1, 10_000);
    const downloads = Array.from({ length: 6 }, () =>
      testbed.start(testbed.client, ['sh', '-c', `curl -s -m 20 http://${VIP}/slow | sha256sum`]),
    );
    await sleep(300);
    await kill();
    expect(await start(2, 5000)).toMatch(/goes on with 6 connections of 1 worker with 10000 lines each \(version 3\)/);
    await kill();
    expect(await start(1, 20_000)).toMatch(
      /goes on with 6 connections of 2 workers with 2500 lines each \(version 3\)/,
    );
    for (const download of downloads) expect((await download.ended).out).toBe(`${DIGEST}  -\n`);
    expect((await listing('-Ln --stats --exact')).split('\n')[3]).toMatch(/^TCP {2}10\.1\.0\.100:80 +6 /);
  });

  it('follows a file that has changed, and says what is undone', async () => {
    await up();
    await testbed.ulvsadm(`-e -t ${VIP}:80 -r 10.2.0.11:8080 -m -w 5`);
    await kill();
    program = await testbed.up('-c', config(`${NAT}\n-A -t ${VIP}:81 -s rr`));
    expect(program.err).toMatch(
      /undone by the start, because the file has changed: 10\.2\.0\.11:8080 .* weight 1 again/,
    );
    expect(await listing()).toBe(`${NAT.replaceAll('-m', '-m -w 1')}\n-A -t ${VIP}:81 -s rr\n`);
  });

  it('is refused while another director uses it, and --fresh forgets it', async () => {
    await up();
    await testbed.ulvsadm(`-A -u ${VIP}:53 -s wlc`);
    const second = testbed.ulvs(['run', '-c', config(), '--socket', `${testbed.folder}/second.sock`]);
    const { code, err } = await second.ended;
    expect([code, err]).toEqual([
      2,
      `ulvs: state ${state}: another director uses it (pid ${program!.child.pid}); give each one its own 'state'\n`,
    ]);
    await kill();
    await up('--fresh');
    expect(await listing()).not.toContain('-u');
  });

  it('is moved aside where this version must not use it', async () => {
    await up();
    await kill();
    truncateSync(`${state}/worker-0`, 5 << 20);
    await up();
    expect(program!.err).toMatch(/worker-0 is not used: it has 5242880 bytes, not \d+; it is now .*worker-0\.refused/);
    await kill();
    const lines = readFileSync(`${state}/rules`, 'utf8').split('\n');
    writeFileSync(`${state}/rules`, lines.map((line, i) => (i === 1 ? line.replace('rr', 'xx') : line)).join('\n'));
    await up();
    expect(program!.err).toContain('rules is not used: line 2 is damaged; it is now');
    expect(program!.err).toContain('it belongs to other rules than those of this state');
    expect(await listing()).toBe(`${NAT.replaceAll('-m', '-m -w 1')}\n`);
  });
});
