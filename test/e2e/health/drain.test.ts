/** `ulvs drain` under load: keep-alive, long downloads, persistent clients; undrain; what is left at the timeout. */
import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../../support/netns.js';
import { type Program, Testbed, until } from '../testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const VIP = '10.1.0.100';
const RULES = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m -w 4
-a -t ${VIP}:80 -r 10.2.0.12:8080 -m -w 4
-A -t ${VIP}:81 -s rr -p 300
-a -t ${VIP}:81 -r 10.2.0.11:8080 -m
-a -t ${VIP}:81 -r 10.2.0.12:8080 -m`;
/** /slow: 3 MB in 30 pieces, 100 ms apart. /hold: an answer that does not end. */
const WEB = `require('http').createServer(async (q, a) => {
  a.setHeader('by', q.socket.localAddress.replace('::ffff:', ''));
  if (q.url === '/hold') return a.write('x');
  if (q.url !== '/slow') return a.end('ok');
  for (let i = 0; i < 30; i++) { a.write(Buffer.alloc(100000)); await new Promise((r) => setTimeout(r, 100)); }
  a.end();
}).listen(8080, () => console.log('ready'))`;
/** Requests on four kept connections that are renewed each 20 requests, and two downloads; ends at "stop" with a summary. */
const LOAD = `const http = require('http');
let failed = 0, good = 0, stop = false; const by = {};
process.stdin.on('end', () => (stop = true)).resume();
const get = (agent, path) => new Promise((done) => {
  const q = http.get({ host: '${VIP}', path, agent, timeout: 8000 }, (r) => {
    let n = 0; r.on('data', (d) => (n += d.length)); r.on('error', () => { failed++; done(); });
    r.on('end', () => { by[r.headers.by] = Date.now(); if (n === (path === '/slow' ? 3e6 : 2)) good++; else failed++; done(); });
  });
  q.on('error', () => { failed++; done(); }); q.on('timeout', () => q.destroy());
});
const kept = async () => { while (!stop) { const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < 20 && !stop; i++) { await get(agent, '/'); await new Promise((r) => setTimeout(r, 10)); } agent.destroy(); } };
const slow = async () => { while (!stop) await get(undefined, '/slow'); };
console.log('ready');
Promise.all([kept(), kept(), kept(), kept(), slow(), slow()]).then(() => console.log(JSON.stringify({ failed, good, by })));`;

describe.skipIf(!isRoot)('ulvs drain', { timeout: 60_000 }, () => {
  let testbed: Testbed;
  let program: Program;
  let state: string;

  beforeAll(async () => {
    testbed = new Testbed('drain');
    state = mkdtempSync('/dev/shm/ulvs-drain-');
    await testbed.serve(testbed.servers, WEB);
    program = await testbed.up('-c', testbed.config('drain.yaml', { rules: RULES, more: `state: ${state}` }));
  });
  afterAll(async () => {
    program.kill('SIGTERM');
    await program.ended;
    await testbed.remove();
    rmSync(state, { recursive: true, force: true });
  });

  const ulvs = (...words: string[]) => testbed.ulvs([...words, '--socket', testbed.socket]).ended;
  const get = (port: number) =>
    testbed.try(testbed.client, `curl -s -m 3 -o /dev/null -w '%header{by}' http://${VIP}:${port}/`).trim();
  const listing = async () => (await testbed.ulvsadm('-Ln')).out;

  it('fails no request, keeps downloads, and ends with the destination removed', async () => {
    const script = testbed.file('load.cjs', LOAD);
    const client = testbed.start(testbed.client, ['sh', '-c', `(sleep 9; true) | ${process.execPath} ${script}`]);
    await client.says('ready');
    await until(async () => /10\.2\.0\.11:8080 +Masq +4 +[1-9]/.test(await listing()));
    const { code, out, err } = await ulvs('drain', '10.2.0.11', '--to-zero-weight-in', '1', '--timeout', '30');
    expect({ code, out }).toEqual({
      code: 0,
      out: `10.2.0.11:8080 of -t ${VIP}:81 is removed\n10.2.0.11:8080 of -t ${VIP}:80 is removed\n`,
    });
    expect(err).toMatch(/\d+ connections? left/);
    expect(await listing()).not.toContain('10.2.0.11:8080');
    const { failed, good } = JSON.parse((await client.ended).out.split('\n').at(-2)!) as {
      failed: number;
      good: number;
    };
    expect({ failed, many: good > 50 }).toEqual({ failed: 0, many: true });
  });

  it('undrain gives the weight back, which a reload in between does not', async () => {
    program.kill('SIGHUP');
    await program.says('configuration reloaded');
    expect((await ulvs('drain', '10.2.0.11:8080', '--keep')).code).toBe(0);
    const from = program.err.length;
    program.kill('SIGHUP');
    await program.says('configuration reloaded', from);
    expect(await listing()).toMatch(/10\.2\.0\.11:8080 +Masq +0 /);
    expect((await testbed.ulvsadm('-Sn')).out).toContain('10.2.0.11:8080 -m -w 4');
    expect((await ulvs('undrain', '10.2.0.11')).code).toBe(0);
    expect(await listing()).toMatch(/10\.2\.0\.11:8080 +Masq +4 /);
  });

  it('a persistent client of a drained destination gets another one', async () => {
    const mine = get(81);
    expect(get(81)).toBe(mine);
    expect((await ulvs('drain', mine, '--keep')).code).toBe(0);
    expect(get(81)).not.toBe(mine);
    await ulvs('undrain', mine);
  });

  it('--rst resets what is left, on both sides', async () => {
    const held = testbed.start(testbed.client, ['curl', '-sS', '-m', '60', '-o', '/dev/null', `http://${VIP}/hold`]);
    await until(async () => /Masq +4 +1 /.test(await listing()));
    const dest = /(10\.2\.0\.1\d):8080 +Masq +4 +1 /.exec(await listing())![1]!;
    expect(testbed.run(testbed.servers, 'ss -tn state established')).toContain(`${dest}]:8080`);
    const { code, out, err } = await ulvs('drain', `${dest}:8080`, '--timeout', '0', '--rst', '--keep');
    expect({ code, out: out.includes('kept at weight 0'), err: /1 connection is reset/.test(err) }).toEqual({
      code: 0,
      out: true,
      err: true,
    });
    expect((await held.ended).err).toMatch(/reset by peer/i);
    expect(testbed.run(testbed.servers, 'ss -tn state established')).not.toContain(`${dest}]:8080`);
    expect((await ulvs('drain', dest, '--rst')).err).toContain('give --timeout');
    expect((await ulvs('undrain', dest)).code).toBe(0);
  });

  it('survives a restart of the director', async () => {
    expect((await ulvs('drain', '10.2.0.11:8080', '--timeout', '0', '--keep')).code).toBeLessThan(2);
    program.kill('SIGKILL');
    await program.ended;
    program = await testbed.up('-c', `${testbed.folder}/drain.yaml`);
    expect(await listing()).toMatch(/10\.2\.0\.11:8080 +Masq +0 /);
    expect((await testbed.ulvsadm('-Sn')).out).toContain('10.2.0.11:8080 -m -w 4');
    expect((await ulvs('undrain', '10.2.0.11')).code).toBe(0);
    expect(await listing()).toMatch(/10\.2\.0\.11:8080 +Masq +4 /);
  });

  it('says what was left, and what does not exist', async () => {
    const held = testbed.start(testbed.client, ['curl', '-s', '-m', '60', '-o', '/dev/null', `http://${VIP}/hold`]);
    await until(async () => /Masq +4 +1 /.test(await listing()));
    const dest = /(10\.2\.0\.1\d):8080 +Masq +4 +1 /.exec(await listing())![1]!;
    const { code, err } = await ulvs('drain', `${dest}:8080`, '--timeout', '0.5', '--keep');
    expect({ code, left: /1 connection was left after 0\.5 s/.test(err) }).toEqual({ code: 1, left: true });
    held.kill('SIGKILL');
    await held.ended;
    expect((await ulvs('drain', '10.9.9.9')).err).toContain('no service has the real server 10.9.9.9');
  });
});
