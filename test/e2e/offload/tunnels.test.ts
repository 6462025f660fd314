/**
 * Tunnels by the classifier of devices of kind packet: uploads in GSO packets, which leave with the
 * headers of the tunnel in one piece, or cut by the kernel behind these headers.
 */
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutXdp } from '../../device/xdp/missing.js';
import { DIST, Testbed } from '../testbed.js';

const VIP = '10.1.0.100';
const BYTES = 20_000_000;
const TYPES = { 80: 'ipip', 81: 'gre', 82: 'gue --tun-port 6080' } as const;
const PORTS = Object.keys(TYPES) as unknown as readonly (keyof typeof TYPES)[];
const rule = (port: keyof typeof TYPES) =>
  `-A -t ${VIP}:${port} -s rr\n-a -t ${VIP}:${port} -r 10.2.0.11:${port} -i --tun-type ${TYPES[port]}`;

/** Answers with the hash of what came. */
const server = `const { createHash } = require('crypto'); for (const port of [${PORTS}])
require('net').createServer({ allowHalfOpen: true }, (s) => { const hash = createHash('sha256');
s.on('error', () => {}).on('data', (d) => hash.update(d)).on('end', () => s.end(hash.digest('hex'))); }).listen(port, '${VIP}');
setTimeout(() => console.log('ready'), 100)`;
const upload = (port: string | number, file: string) =>
  `const s = require('net').connect({ host: '${VIP}', port: ${port} }, () => s.end(require('fs').readFileSync('${file}')));
s.on('data', (d) => console.log(String(d)))`;

describe.skipIf(withoutXdp !== '')('tunnels, offloaded, packet', () => {
  let testbed: Testbed;
  let file: string;
  let sha256: string;

  beforeAll(async () => {
    testbed = new Testbed('offtun');
    const { director: d, servers: s } = testbed;
    testbed.run(d, 'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth2.rp_filter=0');
    testbed.run(s, `ip addr add ${VIP}/32 dev lo`);
    file = path.join(testbed.folder, 'data');
    const bytes = randomBytes(BYTES);
    writeFileSync(file, bytes);
    sha256 = createHash('sha256').update(bytes).digest('hex');
    await testbed.serve(s, server);
    const decapsulator = testbed.start(s, [process.execPath, `${DIST}/cli/main.js`, 'decapsulate']);
    await decapsulator.says('ready');
    const rules = PORTS.map(rule).join('\n');
    await testbed.up('-c', testbed.config('tun.yaml', { rules, more: 'offload: auto' }));
  });
  afterAll(() => testbed.remove());

  const forwarded = async (): Promise<number> =>
    JSON.parse((await testbed.ulvs(['status', '--json', '--socket', testbed.socket]).ended).out).offload.packets;

  const received = () => Number(testbed.run(testbed.servers, 'cat /sys/class/net/eth0/statistics/rx_packets'));

  describe.each([true, false])('segmentation by the device: %s', (whole) => {
    it.each(PORTS)('port %s', async (port) => {
      testbed.run(testbed.director, `ethtool -K eth2 tso ${whole ? 'on' : 'off'} gso ${whole ? 'on' : 'off'}`);
      const [before, frames] = [await forwarded(), received()];
      const uploaded = testbed.run(testbed.client, `node -e "${upload(port, file)}"`);
      expect(uploaded.trim()).toBe(sha256);
      expect((await forwarded()) - before).toBeGreaterThan((0.9 * BYTES) / 1460);
      if (whole) expect(received() - frames).toBeLessThan(BYTES / 1460 / 4);
      else expect(received() - frames).toBeGreaterThan(BYTES / 1460);
    });
  });
});
