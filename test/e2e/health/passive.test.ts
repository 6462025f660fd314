/** A passive check with real clients and servers: a server that refuses, one that is silent, and their way back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../../src/control/api/ask.js';
import { SocketClient } from '../../../src/control/api/client.js';
import { isRoot } from '../../support/netns.js';
import { type Program, Testbed, until } from '../testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const VIP = '10.1.0.100';
const RULES = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m
-a -t ${VIP}:80 -r 10.2.0.12:8080 -m`;
const CHECKS = `checks: [{ service: "-t ${VIP}:80", run: [
  { type: passive, failures: 2, share: 0.5, pause: 1, interval: 0.5, fastInterval: 0.2, rise: 1, fall: 1 } ] }]`;
const server = (address: string) =>
  `require('http').createServer((q, a) => a.end('ok')).listen(8080, '${address}', () => console.log('ready'))`;

describe.skipIf(!isRoot)('a passive check', { timeout: 60_000 }, () => {
  let testbed: Testbed;
  let program: Program;
  let load: Program;

  beforeAll(async () => {
    testbed = new Testbed('passive');
    await testbed.serve(testbed.servers, server('10.2.0.11'));
    await testbed.serve(testbed.servers, server('10.2.0.12'));
    program = await testbed.up('-c', testbed.config('passive.yaml', { rules: RULES, more: CHECKS }));
    const loop = `while sleep 0.02; do curl -s -m 2 -o /dev/null http://${VIP}/ & done`;
    load = testbed.start(testbed.client, ['bash', '-c', loop]);
  });
  afterAll(async () => {
    load.kill('SIGKILL');
    program.kill('SIGTERM');
    await program.ended;
    await testbed.remove();
  });

  async function states(): Promise<string> {
    const client = new SocketClient(testbed.socket);
    const { health } = await ask(client, { op: 'health' });
    client.close();
    return (health?.[0]?.targets ?? []).map(({ name, up }) => `${name} ${up ? 'up' : 'down'}`).join(', ');
  }
  async function become(wanted: RegExp): Promise<void> {
    for (let i = 0; i < 4 && !(await until(async () => wanted.test(await states()))); i++);
    expect(await states()).toMatch(wanted);
  }

  it.each([
    ['refuses', 'reject with tcp reset'],
    ['is silent', 'drop'],
    ['is reported unreachable', 'reject with icmp type host-unreachable'],
  ])('takes out a real server that %s, and lets clients try again', async (_, verdict) => {
    await become(/11:8080 up.*12:8080 up|12:8080 up.*11:8080 up/);
    testbed.run(
      testbed.servers,
      `nft add table ip fault; nft add chain ip fault in '{ type filter hook input priority 0; }';` +
        `nft add rule ip fault in ip daddr 10.2.0.12 tcp dport 8080 ${verdict}`,
    );
    await become(/12:8080 down/);
    expect(await states()).toContain('10.2.0.11:8080 up');
    testbed.run(testbed.servers, 'nft delete table ip fault');
    await become(/11:8080 up.*12:8080 up|12:8080 up.*11:8080 up/);
  });
});
