/** GSO packets of UDP by the classifier of devices of kind packet: each datagram arrives by itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutXdp } from '../../device/xdp/missing.js';
import { Testbed } from '../testbed.js';

const VIP = '10.1.0.100';
const RULES = `-A -u ${VIP}:53 -s rr
-a -u ${VIP}:53 -r 10.2.0.11:5300 -m`;
/** GSO packets, and the datagrams of each. */
const PACKETS = 20;
const DATAGRAMS = 20;

/** Answers `end` with how many datagrams of which length came before it. */
const server = `const sizes = {}; const s = require('dgram').createSocket('udp4');
s.on('message', (m, from) => { if (String(m) === 'end') s.send(JSON.stringify(sizes), from.port, from.address);
else sizes[m.length] = (sizes[m.length] ?? 0) + 1; }).bind(5300, () => console.log('ready'))`;
/** Sets UDP_SEGMENT (linux/udp.h). The receiver's buffer holds a dozen such packets. */
const sender = `import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('${VIP}', 53)); s.settimeout(5)
s.send(b'end'); s.recv(2000)
for i in range(10): s.send(b'x' * 999); time.sleep(0.01)
s.setsockopt(17, 103, 1000)
for i in range(${PACKETS}): s.send(b'x' * ${1000 * DATAGRAMS - 1}); time.sleep(0.01)
s.setsockopt(17, 103, 0); s.send(b'end'); print(s.recv(2000).decode())`;

describe.skipIf(withoutXdp !== '')('GSO packets of UDP, offloaded, packet', () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = new Testbed('offudp');
    await testbed.serve(testbed.servers, server);
    await testbed.up('-c', testbed.config('udp.yaml', { rules: RULES, more: 'offload: auto' }));
  });
  afterAll(() => testbed.remove());

  it('keep their datagrams, and count each', async () => {
    const script = testbed.file('send.py', sender);
    const sizes = JSON.parse(testbed.run(testbed.client, `python3 ${script}`));
    expect(sizes).toEqual({ 999: 10 + PACKETS, 1000: PACKETS * (DATAGRAMS - 1) });
    const { out } = await testbed.ulvs(['status', '--json', '--socket', testbed.socket]).ended;
    expect(JSON.parse(out).offload.packets).toBeGreaterThan((PACKETS / 2) * DATAGRAMS);
    const listed = (await testbed.ulvsadm('-Ln --stats --exact')).out;
    const line = listed.split('\n').find((one) => one.includes('-> 10.2.0.11'))!;
    expect(line.trim().split(/\s+/)[3]).toBe(String(10 + PACKETS * DATAGRAMS + 2));
  });
});
