/**
 * One process succeeds another: downloads go on, through one worker and through two; a successor
 * that fails leaves the old process forwarding; SIGUSR2 starts one, as a user without root.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../../support/netns.js';
import { type Program, Testbed, until } from '../testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const VIP = '10.1.0.100';
const NAT = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m`;
/** 30 pieces, 100 ms apart. */
const WEB = `require('http').createServer(async (q, a) => {
  for (let i = 0; i < 30; i++) { a.write(Buffer.alloc(100000, i)); await new Promise((r) => setTimeout(r, 100)); }
  a.end();
}).listen(8080, () => console.log('ready'))`;
const DIGEST = createHash('sha256')
  .update(Buffer.concat(Array.from({ length: 30 }, (_, i) => Buffer.alloc(100_000, i))))
  .digest('hex');
/** A successor that takes these steps and dies. */
const FAILING = `const [socket, ...steps] = process.argv.slice(1);
const s = require('net').connect(socket);
const next = () => { const step = steps.shift(); if (step) s.write(JSON.stringify({ v: 1, id: 1, request: { op: 'takeover', step, pid: process.pid } }) + '\\n'); else { console.log('dies'); process.exit(1); } };
let text = '';
s.on('data', (d) => { text += d; if (!text.endsWith('\\n')) return; text = ''; next(); });
s.on('connect', next);`;

describe.skipIf(!isRoot)('a takeover', () => {
  const kinds = ['packet', 'xdp'] as const;
  let testbeds: Testbed[];
  let testbed: Testbed;
  const state = `/dev/shm/ulvs-takeover-${process.pid}`;
  const programs: Program[] = [];

  beforeAll(async () => {
    testbeds = kinds.map((kind) => new Testbed(`takeover-${kind}`, kind));
    await Promise.all(testbeds.map((one) => one.serve(one.servers, WEB)));
  });
  afterEach(async () => {
    for (const program of programs) program.kill('SIGTERM');
    await Promise.all(programs.splice(0).map(({ ended }) => ended));
    testbed.run(testbed.director, `rm -rf ${state}`);
  });
  afterAll(() => Promise.all(testbeds.map((one) => one.remove())));

  async function up(more: string, ...words: string[]): Promise<Program> {
    const file = testbed.config('takeover.yaml', { rules: NAT, more: `state: ${state}\n${more}` });
    programs.push(await testbed.up('-c', file, ...words));
    return programs.at(-1)!;
  }
  function downloads(): Program[] {
    const line = `curl -s -m 30 http://${VIP}/ | sha256sum`;
    return Array.from({ length: 4 }, () => testbed.start(testbed.client, ['sh', '-c', line]));
  }
  async function expectWhole(all: readonly Program[]): Promise<void> {
    for (const one of all) expect((await one.ended).out).toBe(`${DIGEST}  -\n`);
  }

  it.each([
    ['packet', 2],
    ['xdp', 1],
    ['xdp', 2],
  ] as const)(
    'keeps downloads, twice in a row (%s, workers: %i)',
    async (kind, workers) => {
      testbed = testbeds[kinds.indexOf(kind)]!;
      const first = await up(`workers: ${workers}`);
      const open = downloads();
      await sleep(300);
      const second = await up(`workers: ${workers}`, '--takeover');
      expect((await first.ended).err).toContain('has taken over');
      await up(`workers: ${workers}`, '--takeover');
      expect((await second.ended).code).toBe(0);
      await expectWhole(open);
    },
    60_000,
  );

  it.each([
    ['packet', ['offer']],
    ['xdp', ['offer', 'go']],
  ] as const)(
    'that fails leaves the old process forwarding (%s, after %j)',
    async (kind, steps) => {
      testbed = testbeds[kinds.indexOf(kind)]!;
      const program = await up('workers: 2');
      const open = downloads();
      await sleep(300);
      const failing = testbed.start(testbed.director, [process.execPath, '-e', FAILING, testbed.socket, ...steps]);
      await failing.says('dies');
      await program.says('has ended before it forwarded; this director goes on');
      await expectWhole(open);
      expect((await testbed.ulvsadm(`-A -u ${VIP}:53 -s rr`)).code).toBe(0);
    },
    60_000,
  );

  it('whose rules have a mistake ends at once, and the old process takes changes', async () => {
    testbed = testbeds[0]!;
    await up('workers: 1');
    const wrong = testbed.config('wrong.yaml', { rules: NAT.replace('-s rr', '-s wrr2'), more: `state: ${state}` });
    const { code, err } = await testbed.ulvs(['run', '-c', wrong, '--takeover']).ended;
    expect([code, err]).toEqual([2, expect.stringContaining('wrong.yaml')]);
    expect((await testbed.ulvsadm(`-A -u ${VIP}:53 -s rr`)).code).toBe(0);
  });

  it('with an interface that is not there does not stop the old process', async () => {
    testbed = testbeds[0]!;
    const first = await up('workers: 1');
    const right = readFileSync(testbed.config('right.yaml', { rules: NAT, more: `state: ${state}` }), 'utf8');
    const wrong = testbed.file('wrong.yaml', right.replace('name: eth2', 'name: eth9'));
    const { code, err } = await testbed.ulvs(['run', '-c', wrong, '--takeover']).ended;
    expect([code, err]).toEqual([2, expect.stringContaining('eth9: no such network interface')]);
    expect(first.err).not.toContain('takes over');
  });

  it('whose sync interface is refused ends at once, and the old process takes changes', async () => {
    testbed = testbeds[0]!;
    const first = await up('workers: 1');
    const wrong = testbed.config('wrong.yaml', {
      rules: NAT,
      more: `state: ${state}\nsync: { master: { interface: eth9 } }`,
    });
    const { code, err } = await testbed.ulvs(['run', '-c', wrong, '--takeover']).ended;
    expect([code, err]).toEqual([2, expect.stringContaining('eth9')]);
    await first.says('this director goes on');
    expect((await testbed.ulvsadm(`-A -u ${VIP}:53 -s rr`)).code).toBe(0);
  });

  it('goes on when an address of its own cannot be used: the old process has ended', async () => {
    testbed = testbeds[0]!;
    const first = await up('workers: 1');
    const occupied = "require('net').createServer().listen(9731, '127.0.0.1', () => console.log('ready'))";
    programs.push(await testbed.serve(testbed.director, occupied));
    const second = await up('workers: 1\nmetrics: { listen: 127.0.0.1:9731 }', '--takeover');
    expect((await first.ended).code).toBe(0);
    expect(second.err).toContain('127.0.0.1:9731');
    expect((await testbed.ulvsadm('-L -n')).out).toContain(VIP);
  });

  it('with another number of workers stops the old process first, and keeps downloads', async () => {
    testbed = testbeds[0]!;
    const first = await up('workers: 1');
    const open = downloads();
    await sleep(300);
    const second = await up('workers: 2', '--takeover');
    expect(second.err).toContain("it has 'workers: 1', the configuration 2; it stops, and its state is converted");
    expect((await first.ended).code).toBe(0);
    expect(first.err).toContain('has taken over');
    await expectWhole(open);
  });

  it('with another number of workers goes back when the new process fails', async () => {
    testbed = testbeds[0]!;
    const first = await up('workers: 1');
    const open = downloads();
    await sleep(300);
    const failing = testbed.start(testbed.director, [
      process.execPath,
      '-e',
      FAILING,
      testbed.socket,
      'offer',
      'yield',
    ]);
    await failing.says('dies');
    await first.says('has ended before it was up; this director starts again');
    expect(await until(() => (first.err.match(/director is up/g) ?? []).length === 2)).toBe(true);
    await expectWhole(open);
  });

  it('by SIGUSR2 starts the successor with the rights of the user', async () => {
    testbed = testbeds[0]!;
    const run = path.dirname(testbed.socket);
    testbed.run(
      testbed.director,
      `mkdir -p ${state} ${run}; chown nobody ${state} ${run}; chmod 755 ${testbed.folder}`,
    );
    const first = await up('', '--user', 'nobody');
    const open = downloads();
    await sleep(300);
    first.kill('SIGUSR2');
    await first.says(/process \d+ has taken over/);
    expect(await until(() => first.child.exitCode !== null)).toBe(true);
    await expectWhole(open);
    const next = Number(/process (\d+) has taken over/.exec(first.err)![1]);
    const status = readFileSync(`/proc/${next}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t65534\t/m);
    process.kill(next, 'SIGTERM');
    expect(await until(() => first.err.includes('director is down'))).toBe(true);
  });
});
