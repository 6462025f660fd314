/**
 * Health checks of a running director: destinations that are killed, hang, answer wrongly and come back; an operator's
 * weight; reload; a script that hangs.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../../src/control/api/ask.js';
import { SocketClient } from '../../../src/control/api/client.js';
import type { ServiceStatus } from '../../../src/health/spec.js';
import { isRoot } from '../../support/netns.js';
import { type Program, Testbed, until } from '../testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const VIP = '10.1.0.100';
const RULES = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m -w 4
-a -t ${VIP}:80 -r 10.2.0.12:8080 -m -w 4`;
/** An HTTP server on one address; it answers with its name. /health answers with the second argument. */
const web = (address: string) =>
  `require('http').createServer((q, a) => a.end(q.url === '/health' ? 'fine' : '${address}\\n')).listen(8080, '${address}', () => console.log('ready'))`;
const QUICK = 'interval: 0.2, fastInterval: 0.1, rise: 1, fall: 2, timeout: 1';
const HTTP = `checks: [{ service: "-t ${VIP}:80", run: [{ type: http, path: /health, expect: fine, ${QUICK} }] }]`;

describe.skipIf(!isRoot)('health checks of a director', { timeout: 60_000 }, () => {
  let testbed: Testbed;
  let program: Program | undefined;
  const servers: Program[] = [];

  beforeAll(() => {
    testbed = new Testbed('health');
  });
  afterEach(async () => {
    for (const one of [program, ...servers.splice(0)]) {
      one?.kill('SIGCONT');
      one?.kill(one === program ? 'SIGTERM' : 'SIGKILL');
      await one?.ended;
    }
    program = undefined;
  });
  afterAll(() => testbed.remove());

  async function up(more: string, rules = RULES): Promise<void> {
    for (const address of ['10.2.0.11', '10.2.0.12']) servers.push(await testbed.serve(testbed.servers, web(address)));
    program = await testbed.up('-c', testbed.config('health.yaml', { rules, more }));
  }
  const saved = async () => (await testbed.ulvsadm('-Sn')).out;
  /** The weights in force, by address. Asks without a program in between. */
  async function weights(): Promise<number[]> {
    const client = new SocketClient(testbed.socket);
    const { services } = await ask(client, { op: 'list' });
    client.close();
    const all = [...services![0]!.destinations].sort((a, b) => (a.address < b.address ? -1 : 1));
    return all.map(({ weight, present }) => present?.weight ?? weight);
  }
  const become = async (...wanted: number[]) => {
    for (let i = 0; i < 4 && !(await until(async () => `${await weights()}` === `${wanted}`)); i++);
    expect(await weights()).toEqual(wanted);
  };
  async function status(): Promise<ServiceStatus> {
    const { out } = await testbed.ulvs(['health', '--json', '--socket', testbed.socket]).ended;
    return (JSON.parse(out) as { services: ServiceStatus[] }).services[0]!;
  }
  const clients = (n: number) =>
    new Set(Array.from({ length: n }, () => testbed.try(testbed.client, `curl -s -m 2 http://${VIP}/`)));

  it('a destination that is killed gets no new connection, and gets its weight back', async () => {
    await up(HTTP);
    await become(4, 4);
    expect(clients(4).size).toBe(2);
    servers[0]!.kill('SIGKILL');
    await become(0, 4);
    expect(clients(6)).toEqual(new Set(['10.2.0.12\n']));
    expect(program!.err).toMatch(/10\.2\.0\.11:8080 of -t 10\.1\.0\.100:80 is down: http: connection refused/);
    expect(await saved()).toContain('10.2.0.11:8080 -m -w 4');
    servers.push(await testbed.serve(testbed.servers, web('10.2.0.11')));
    await become(4, 4);
    expect(clients(4).size).toBe(2);
  });

  it('one that hangs is down within its deadline', async () => {
    await up(HTTP);
    await become(4, 4);
    servers[1]!.kill('SIGSTOP');
    await become(4, 0);
    servers[1]!.kill('SIGCONT');
    await become(4, 4);
    const { targets, up: ups } = await status();
    expect(ups).toBe(2);
    expect(targets.find(({ name }) => name === '10.2.0.12:8080')!.changes).toBe(2);
  });

  it("an operator's weight stays: 0 is not undone, another is kept for later", async () => {
    await up(HTTP);
    await become(4, 4);
    await testbed.ulvsadm(`-e -t ${VIP}:80 -r 10.2.0.12:8080 -m -w 0`);
    await become(4, 0);
    servers[0]!.kill('SIGKILL');
    await become(0, 0);
    await testbed.ulvsadm(`-e -t ${VIP}:80 -r 10.2.0.11:8080 -m -w 7`);
    expect(await weights()).toEqual([0, 0]);
    servers.push(await testbed.serve(testbed.servers, web('10.2.0.11')));
    await become(7, 0);
  });

  it('a reload keeps what the checks know, and undoes nothing of theirs', async () => {
    await up(HTTP);
    servers[0]!.kill('SIGKILL');
    await become(0, 4);
    program!.kill('SIGHUP');
    await program!.says('configuration reloaded');
    expect(program!.err).not.toContain('undone');
    expect(await weights()).toEqual([0, 4]);
    const off = testbed.config('health.yaml', { rules: RULES });
    expect(off).not.toBe('');
    const from = program!.err.length;
    program!.kill('SIGHUP');
    await program!.says('configuration reloaded', from);
    await become(4, 4);
  });

  it('the metrics have health and traffic, on a Unix socket', async () => {
    await up(`${HTTP}\nmetrics: { listen: ${testbed.folder}/metrics.sock }`);
    await become(4, 4);
    clients(3);
    const scrape = () =>
      testbed.try(testbed.director, `curl -s --unix-socket ${testbed.folder}/metrics.sock http://x/metrics`);
    // Health, totals and durations come by timers of their own.
    const wanted = [
      /ulvs_destination_up\{[^}]*10\.2\.0\.11:8080"\} 1/,
      /^node_ipvs_connections_total [3-9]$/m,
      /^ulvs_check_duration_seconds\{[^}]*check="http"\} 0\.\d+$/m,
    ];
    await until(() => {
      const now = scrape();
      return wanted.every((one) => one.test(now));
    });
    const text = scrape();
    expect(text).toMatch(/^node_ipvs_connections_total [3-9]$/m);
    expect(text).toMatch(/^node_ipvs_backend_weight\{[^}]*remote_address="10\.2\.0\.12"[^}]*\} 4$/m);
    expect(text).toMatch(/^ulvs_check_duration_seconds\{[^}]*check="http"\} 0\.\d+$/m);
    expect(testbed.try(testbed.director, `curl -s --unix-socket ${testbed.folder}/metrics.sock http://x/`)).toContain(
      '/metrics',
    );
  });

  it('the sorry server has the clients while the quorum is lost', async () => {
    const sorry = `checks: [{ service: "-t ${VIP}:80", sorry: "10.2.0.12:8080", onFailure: remove, run: [{ type: tcp, ${QUICK} }] }]`;
    await up(sorry);
    await become(4, 0);
    expect(clients(4)).toEqual(new Set(['10.2.0.11\n']));
    servers[0]!.kill('SIGKILL');
    await become(0, 4);
    expect(clients(4)).toEqual(new Set(['10.2.0.12\n']));
    servers.push(await testbed.serve(testbed.servers, web('10.2.0.11')));
    await become(4, 0);
    expect(clients(4)).toEqual(new Set(['10.2.0.11\n']));
  });

  it('a destination added later is checked too; scripts set weights; one that hangs holds up nothing', async () => {
    const script = testbed.file(
      'weight',
      '#!/bin/sh\n[ "$ULVS_DESTINATION" = 10.2.0.12:8080 ] && sleep 60\nexit 52\n',
      0o755,
    );
    const only = RULES.split('\n').slice(0, 2).join('\n');
    await up(`checks: [{ service: "-t ${VIP}:80", run: [{ type: script, command: [${script}], ${QUICK} }] }]`, only);
    await become(50);
    await testbed.ulvsadm(`-a -t ${VIP}:80 -r 10.2.0.12:8080 -m -w 4`);
    await become(50, 0);
    const { out } = await testbed.ulvs(['health', '--socket', testbed.socket]).ended;
    expect(out).toMatch(/10\.2\.0\.12:8080 +down/);
    expect(out).toContain('no good answer within 1 s');
  });
});
