/** `ulvs decapsulate`: a realserver without tunnels serves clients of LVS-Tun, by each type. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../support/netns.js';
import { DIST, Testbed } from './testbed.js';

if (!isRoot) console.log('decapsulate: skipped, needs root for namespaces');

const VIP = '10.1.0.100';
const rule = (port: number, type: string) =>
  `-A -t ${VIP}:${port} -s rr\n-a -t ${VIP}:${port} -r 10.2.0.11:${port} -i --tun-type ${type}`;

describe.skipIf(!isRoot)('ulvs decapsulate', () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = new Testbed('decap');
    const { director, servers } = testbed;
    testbed.run(
      director,
      'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth2.rp_filter=0',
    );
    testbed.run(servers, `ip addr add ${VIP}/32 dev lo`);
    const listen = `require('http').createServer((q, a) => q.resume().on('end', () => a.end('x'.repeat(100000))))`;
    const ports = [80, 81, 82].map((port) => `${listen}.listen(${port}, '${VIP}')`);
    await testbed.serve(servers, `${ports.join(';')};setTimeout(() => console.log('ready'), 100)`);
  });
  afterAll(() => testbed.remove());

  const bytes = (port: number) => testbed.try(testbed.client, `curl -s -m 5 http://${VIP}:${port}/ | wc -c`).trim();

  it('gives ipip, gre and gue packets to the stack of the realserver', { timeout: 60_000 }, async () => {
    const rules = [rule(80, 'ipip'), rule(81, 'gre'), rule(82, 'gue --tun-port 6080')].join('\n');
    const director = await testbed.up('-c', testbed.config('tun.yaml', { rules }));
    expect(bytes(80)).toBe('0');
    const argv = [process.execPath, `${DIST}/cli/main.js`, 'decapsulate', '--name', 'tun9'];
    const running = testbed.start(testbed.servers, argv);
    await running.says('ready: ipip, gre, gue by tun9');
    expect([80, 81, 82].map(bytes)).toEqual(['100000', '100000', '100000']);
    running.kill('SIGTERM');
    const { code, out } = await running.ended;
    expect([code, out]).toEqual([0, expect.stringMatching(/\n[1-9]\d* packets, \d+ bytes; 0 malformed, 0 dropped\n$/)]);
    expect(testbed.run(testbed.servers, 'ip -br link')).not.toContain('tun9');
    director.kill('SIGTERM');
    await director.ended;
  });

  it('gets an upload over cap, whose client sends merged packets', { timeout: 60_000 }, async () => {
    const config = testbed.config('cap.yaml', { rules: rule(80, 'ipip') });
    testbed.file('cap.yaml', readFileSync(config, 'utf8').replaceAll('kind: packet', 'kind: cap'));
    const director = await testbed.up('-c', config);
    const running = testbed.start(testbed.servers, [process.execPath, `${DIST}/cli/main.js`, 'decapsulate']);
    await running.says('ready: ');
    // Cut for 1500 bytes in place of 1480, most segments are refused: 200 kB take 5 s and more.
    const post = `head -c 1000000 /dev/zero | curl -s -m 5 -H Expect: --data-binary @- http://${VIP}/ | wc -c`;
    const answer = testbed.try(testbed.client, post).trim();
    for (const program of [running, director]) program.kill('SIGTERM');
    await Promise.all([running.ended, director.ended]);
    expect(answer).toBe('100000');
  });

  it('says in one line what it cannot use', { timeout: 60_000 }, async () => {
    const holder = `require('dgram').createSocket('udp4').bind(6080, () => console.log('ready'))`;
    await testbed.serve(testbed.servers, holder);
    const argv = [process.execPath, `${DIST}/cli/main.js`, 'decapsulate'];
    const { code, err } = await testbed.start(testbed.servers, argv).ended;
    expect([code, err]).toEqual([2, expect.stringMatching(/^ulvs: UDP port 6080: .*EADDRINUSE.*\n$/)]);
  });
});
