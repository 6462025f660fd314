/**
 * The director shares its interfaces with the host's kernel. The host's traffic works as without a
 * director, even if a packet was intercepted because it resembles the director's traffic (the TUN
 * device returns it).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../support/netns.js';
import { type Program, Testbed, until } from './testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const VIP = '10.1.0.100';
const VIP2 = '10.3.0.100';
const RULES = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m
-A -t ${VIP2}:80 -s rr
-a -t ${VIP2}:80 -r 10.2.0.12:8080 -m
-A -t ${VIP}:81 -s rr
-a -t ${VIP}:81 -r 10.2.0.11:8181 -m`;

/** A server that sends its name to each client. */
const greeter = (port: number, name: string) =>
  `require('net').createServer((s) => s.on('error', () => {}).end('${name}')).listen(${port}, () => console.log('ready'))`;

/** Connects from a given local port and prints what it receives. */
const hear = (host: string, port: number, localPort: number) =>
  `node -e "const s = require('net').connect({ host: '${host}', port: ${port}, localPort: ${localPort} });
   s.setTimeout(3000, () => { console.log('silence'); s.destroy(); });
   s.on('data', (d) => process.stdout.write(d)).on('error', (e) => console.log(e.code))"`;

describe.skipIf(!isRoot)("the host's own traffic", () => {
  let testbed: Testbed;
  let program: Program;

  beforeAll(async () => {
    testbed = new Testbed('host');
    testbed.run(
      testbed.director,
      `sysctl -qw net.ipv4.ip_forward=1; ip addr add ${VIP}/32 dev eth0; ip addr add ${VIP2}/32 dev eth1`,
    );
    await testbed.serve(testbed.servers, greeter(8080, 'balanced'));
    await testbed.serve(testbed.servers, greeter(5555, 'direct'));
    await testbed.serve(testbed.director, greeter(2222, 'host'));
    await testbed.serve(testbed.client, greeter(9999, 'outside'));
    program = await testbed.up('-c', testbed.config('host.yaml', { rules: RULES }));
  });
  afterAll(() => testbed.remove());

  /** The number of packets that the TUN device returned to the host so far. */
  function returned(): number {
    const name = /ulvs\d+/.exec(testbed.run(testbed.director, 'ip -br link'))![0];
    return Number(testbed.run(testbed.director, `cat /sys/class/net/${name}/statistics/rx_packets`));
  }

  it('does not disturb the balanced services', () => {
    expect(testbed.try(testbed.client, hear(VIP, 80, 0))).toBe('balanced');
    expect(testbed.try(testbed.client, hear(VIP2, 80, 0))).toBe('balanced');
  });

  it.each([0, 8181])("passes from a realserver to the director's own address (source port %d)", (port) => {
    const before = returned();
    expect(testbed.try(testbed.servers, hear('10.2.0.254', 2222, port))).toBe('host');
    expect(returned() - before > 0).toBe(port === 8181);
  });

  it.each([0, 8181])('passes from a realserver through the director to the client (source port %d)', (port) => {
    const before = returned();
    expect(testbed.try(testbed.servers, hear('10.1.0.1', 9999, port))).toBe('outside');
    expect(returned() - before > 0).toBe(port === 8181);
  });

  it('passes to other ports of the VIP, by ping and by forwarding', () => {
    expect(testbed.try(testbed.client, hear(VIP, 2222, 0))).toBe('host');
    expect(testbed.try(testbed.client, hear('10.2.0.11', 5555, 0))).toBe('direct');
    for (const address of [VIP, '10.1.0.254', '10.2.0.11']) {
      const ping = testbed.try(testbed.client, `ping -c3 -i0.05 -W2 ${address}`);
      expect(ping).toContain('3 packets transmitted, 3 received, 0% packet loss');
      expect(ping).not.toContain('DUP');
    }
  });

  it('passes to an address that the host gets later', async () => {
    expect((await testbed.ulvsadm('-A -t 10.1.0.150:80 -s rr')).code).toBe(0);
    expect((await testbed.ulvsadm('-a -t 10.1.0.150:80 -r 10.2.0.11:8080 -m')).code).toBe(0);
    const whole = () => /set daddr4 \{[^}]*10\.1\.0\.150\b/.test(testbed.run(testbed.director, 'nft list ruleset'));
    expect(whole()).toBe(true);
    testbed.run(testbed.director, 'ip addr add 10.1.0.150/32 dev lo');
    expect(await until(() => !whole())).toBe(true);
    expect(testbed.try(testbed.client, hear('10.1.0.150', 2222, 0))).toBe('host');
    expect(testbed.try(testbed.client, hear('10.1.0.150', 80, 0))).toBe('balanced');
    const ping = testbed.try(testbed.client, 'ping -c3 -i0.05 -W2 10.1.0.150');
    expect(ping).toContain('3 received');
    expect(ping).not.toContain('DUP');
  });

  it('does not change that replies leave by the route of their VIP', async () => {
    // The client's other address is behind both networks; the director's default route leads there
    // by the first one only.
    testbed.run(testbed.director, 'ip route add 10.9.0.0/24 via 10.1.0.1');
    testbed.run(
      testbed.director,
      `ip route add 10.9.0.0/24 via 10.3.0.1 table 100; ip rule add from ${VIP2} table 100`,
    );
    const received = (dev: string) =>
      Number(testbed.run(testbed.client, `cat /sys/class/net/${dev}/statistics/rx_packets`));
    const growth = (vip: string) => {
      const before = [received('eth0'), received('eth1')];
      for (let i = 0; i < 5; i++)
        expect(testbed.try(testbed.client, `curl -s --http0.9 -m 3 --interface 10.9.0.1 http://${vip}/`)).toBe(
          'balanced',
        );
      return [received('eth0') - before[0]!, received('eth1') - before[1]!];
    };
    await until(
      () => testbed.try(testbed.client, `curl -s --http0.9 -m 1 --interface 10.9.0.1 http://${VIP2}/`) === 'balanced',
    );
    const [first0, first1] = growth(VIP);
    const [second0, second1] = growth(VIP2);
    expect({ first0: first0! >= 15, first1: first1! <= 2 }).toEqual({ first0: true, first1: true });
    expect({ second0: second0! <= 2, second1: second1! >= 15 }).toEqual({ second0: true, second1: true });
  });

  it('has the VIPs back when the director has ended', async () => {
    program.kill('SIGTERM');
    expect((await program.ended).code).toBe(0);
    expect(testbed.try(testbed.client, hear(VIP, 80, 0))).toBe('ECONNREFUSED\n');
    expect(testbed.try(testbed.client, hear(VIP, 2222, 0))).toBe('host');
  });
});
