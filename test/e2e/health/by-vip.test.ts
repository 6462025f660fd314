/**
 * Health checks of DR and tunnel destinations: by the VIP at the real server, through the dataplane, on each kind of device,
 * with the VIP on the director and without.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../../src/control/api/ask.js';
import { SocketClient } from '../../../src/control/api/client.js';
import type { ServiceStatus } from '../../../src/health/spec.js';
import { isRoot } from '../../support/netns.js';
import { type Program, Testbed, until } from '../testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const VIP = '10.1.0.100';
const VIP6 = '2001:db8:1::100';
const RIP6 = '2001:db8:2::11';
/** TCP and UDP on port 8080 of an address: HTTP, and an echo. */
const server = (address: string, udp = 'udp4') => `
require('http').createServer((q, a) => a.end('by ' + q.headers.host)).listen(8080, '${address}', () => {
  const echo = require('dgram').createSocket('${udp}').bind(8080, '${address}', () => console.log('ready'));
  echo.on('message', (m, r) => echo.send(m, r.port, r.address));
});`;
const TIMES = 'interval: 0.2, fastInterval: 0.1, rise: 1, fall: 2, timeout: 1';
const checks = (vip: string) => `checks: [{ service: "-t ${vip}:8080", run: [
  { type: http, expect: by, ${TIMES} }, { type: udp, send: hello, expect: hello, ${TIMES} },
  { type: icmp, interval: 0.5, fastInterval: 0.5, rise: 1, fall: 2, connectTimeout: 1, timeout: 2 } ] }]`;

const CASES = [
  ['packet', 'on the director'],
  ['xdp', 'on no interface'],
] as const;

describe.skipIf(!isRoot).each(CASES)(
  'health checks of DR destinations on %s, the VIP %s',
  { timeout: 60_000 },
  (kind, where) => {
    let testbed: Testbed;
    let program: Program | undefined;
    const servers: Program[] = [];

    beforeAll(async () => {
      testbed = new Testbed(`hdr${kind}`, kind);
      // The real server has the VIP; its own address always answers.
      testbed.run(testbed.servers, `ip link set lo up; ip addr add ${VIP}/32 dev lo`);
      await testbed.serve(testbed.servers, server('10.2.0.11'));
    });
    afterEach(async () => {
      for (const one of [program, ...servers.splice(0)]) {
        one?.kill(one === program ? 'SIGTERM' : 'SIGKILL');
        await one?.ended;
      }
      program = undefined;
    });
    afterAll(() => testbed.remove());

    async function status(): Promise<ServiceStatus | undefined> {
      const client = new SocketClient(testbed.socket);
      const { health } = await ask(client, { op: 'health' });
      client.close();
      return health?.[0];
    }
    const states = async () => (await status())?.targets[0]?.checks.map(({ up, passed }) => up && passed > 0);
    async function become(...wanted: boolean[]): Promise<void> {
      for (let i = 0; i < 4 && !(await until(async () => `${await states()}` === `${wanted}`)); i++);
      expect(await states()).toEqual(wanted);
    }

    it('what counts is the server on the VIP', async () => {
      if (where === 'on the director') testbed.run(testbed.director, `ip addr add ${VIP}/32 dev eth0`);
      servers.push(await testbed.serve(testbed.servers, server(VIP)));
      const rules = `-A -t ${VIP}:8080 -s rr\n-a -t ${VIP}:8080 -r 10.2.0.11:8080 -g`;
      program = await testbed.up('-c', testbed.config('dr.yaml', { rules, more: checks(VIP) }));
      expect(program.err).not.toContain('own addresses');
      await become(true, true, true);
      servers.pop()!.kill('SIGKILL');
      await become(false, false, true);
      const { out } = await testbed.ulvsadm('-Ln');
      expect(out).toMatch(/10\.2\.0\.11:8080 +Route +0 +0 +0/);
      servers.push(await testbed.serve(testbed.servers, server(VIP)));
      await become(true, true, true);
      // The checks are no connections of the service.
      expect((await testbed.ulvsadm('-Ln --stats')).out).toMatch(/TCP +10\.1\.0\.100:8080 +0 +0 +0/);
      expect((await testbed.ulvsadm('-Lnc')).out).not.toContain('ESTABLISHED');
    });

    it('by IPv6, too', async () => {
      for (const space of [testbed.director, testbed.servers])
        testbed.run(space, 'sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0');
      testbed.run(testbed.director, 'ip addr add 2001:db8:2::254/64 dev eth2 nodad');
      testbed.run(testbed.servers, `ip addr add ${RIP6}/64 dev eth0 nodad; ip addr add ${VIP6}/128 dev lo`);
      if (where === 'on the director') testbed.run(testbed.director, `ip addr add ${VIP6}/128 dev eth0 nodad`);
      servers.push(await testbed.serve(testbed.servers, server(RIP6, 'udp6')));
      servers.push(await testbed.serve(testbed.servers, server(VIP6, 'udp6')));
      const rules = `-A -t [${VIP6}]:8080 -s rr\n-a -t [${VIP6}]:8080 -r [${RIP6}]:8080 -g`;
      program = await testbed.up('-c', testbed.config('dr6.yaml', { rules, more: checks(`[${VIP6}]`) }));
      expect(program.err).not.toContain('own addresses');
      await become(true, true, true);
      servers.pop()!.kill('SIGKILL');
      await become(false, false, true);
    });
  },
);
