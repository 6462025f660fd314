/**
 * LVS-NAT with the director's own machine as a realserver: its replies pass the director, too, over
 * devices that it shares with the host. Other traffic of the host is unchanged, and nothing is left
 * behind. Needs root.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutXdp } from '../device/xdp/missing.js';
import { isRoot } from '../support/netns.js';
import { type Program, Testbed, until } from './testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const VIP = '10.1.0.100';
const VIP6 = 'fd01::100';
const OWN = '10.2.0.254';
const RULES = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m
-a -t ${VIP}:80 -r ${OWN}:8080 -m
-A -u ${VIP}:53 -s rr
-a -u ${VIP}:53 -r ${OWN}:5353 -m
-A -t [${VIP6}]:80 -s rr
-a -t [${VIP6}]:80 -r [fd02::254]:8080 -m`;

/** Sends its name, the client's address and a megabyte; over UDP its name alone. */
const server = (name: string) => `
  const net = require('net');
  net.createServer((s) => s.on('error', () => {}).end('${name} ' + s.remoteAddress + ' ' + 'x'.repeat(1e6)))
    .listen(8080, '::', () => {
      const udp = require('dgram').createSocket('udp4');
      udp.on('message', (_, { port, address }) => udp.send('${name}', port, address));
      udp.bind(5353, '${name === 'host' ? OWN : '10.2.0.11'}', () => console.log('ready'));
    })`;

const tcp = (host: string, port: number) => `node -e "
  let text = '';
  const s = require('net').connect({ host: '${host}', port: ${port} });
  s.setTimeout(3000, () => { console.log('silence'); s.destroy(); });
  s.on('data', (d) => (text += d)).on('error', (e) => console.log(e.code));
  s.on('end', () => console.log(text.slice(0, 30).trim(), text.length > 1e6))"`;
const udp = (host: string, port: number) => `node -e "
  const s = require('dgram').createSocket('udp4');
  s.on('message', (m, { address }) => { console.log(m.toString(), address); s.close(); });
  s.send('?', ${port}, '${host}');
  setTimeout(() => { console.log('silence'); process.exit(); }, 2000).unref()"`;

describe.skipIf(!isRoot).each([['packet', 2], ...(withoutXdp === '' ? ([['xdp', 1]] as const) : [])] as const)(
  'a masq destination of the director itself, over %s with %i workers',
  (kind, workers) => {
    let testbed: Testbed;
    let program: Program;
    const rules = () => testbed.run(testbed.director, 'ip rule; ip -6 rule');
    const ask = (line: string) => testbed.try(testbed.client, line).split('\n')[0];

    beforeAll(async () => {
      testbed = new Testbed(`local${workers}`, kind);
      for (const space of [testbed.client, testbed.director, testbed.servers])
        testbed.run(space, 'sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0');
      testbed.run(testbed.client, 'ip addr add fd01::1/64 dev eth0 nodad');
      testbed.run(testbed.director, 'ip addr add fd01::254/64 dev eth0 nodad; ip addr add fd02::254/64 dev eth2 nodad');
      await testbed.serve(testbed.servers, server('rs'));
      await testbed.serve(testbed.director, server('host'));
      program = await testbed.up('-c', testbed.config('local.yaml', { rules: RULES, more: `workers: ${workers}` }));
    });
    afterAll(() => testbed.remove());

    it('answers as the VIP, like the other realserver', () => {
      // Each worker takes turns by itself.
      const answers = new Set(Array.from({ length: 8 * workers - 6 }, () => ask(tcp(VIP, 80))));
      expect([...answers].sort()).toEqual([
        'host ::ffff:10.1.0.1 xxxxxxxxx true',
        'rs ::ffff:10.1.0.1 xxxxxxxxxxx true',
      ]);
      expect(ask(udp(VIP, 53))).toBe(`host ${VIP}`);
    });

    it('does so over IPv6', () => {
      expect(ask(tcp(VIP6, 80))).toBe('host fd01::1 xxxxxxxxxxxxxxxxx true');
    });

    it('still answers clients that use its own address', () => {
      expect(ask(tcp(OWN, 8080))).toContain('host ::ffff:10.1.0.1');
      expect(ask(udp(OWN, 5353))).toBe(`host ${OWN}`);
    });

    it('has its policy rules restored if they are deleted, and removed with it', {
      timeout: 60_000,
    }, async () => {
      expect(rules()).toContain(`from ${OWN} ipproto tcp sport 8080`);
      testbed.run(testbed.director, `ip rule del priority 10 from ${OWN} ipproto tcp sport 8080`);
      expect(await until(() => rules().includes(`from ${OWN} ipproto tcp sport 8080`))).toBe(true);
      await testbed.ulvsadm(`-d -t ${VIP}:80 -r ${OWN}:8080`);
      expect(rules()).not.toContain(`from ${OWN} ipproto tcp`);
      expect(rules()).toContain(`from ${OWN} ipproto udp sport 5353`);
      await testbed.ulvsadm(`-a -t ${VIP}:80 -r ${OWN}:8080 -m`);
      expect(rules()).toContain(`from ${OWN} ipproto tcp`);
    });

    it('leaves nothing behind; the next director removes the rules of a killed one', { timeout: 60_000 }, async () => {
      program.kill('SIGKILL');
      await program.ended;
      expect(rules()).toContain('ipproto');
      program = await testbed.up('-c', testbed.config('local.yaml', { rules: `-A -t ${VIP}:80 -s rr` }));
      expect(rules()).not.toContain('ipproto');
      program.kill('SIGTERM');
      await program.ended;
      expect(rules()).not.toContain('ipproto');
    });
  },
);
