/** XdpDevice on veth pairs, in native and generic mode. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Batch } from '../../../src/device/batch.js';
import { Poller } from '../../../src/device/poll.js';
import { Umem } from '../../../src/device/umem.js';
import { mappedUmem } from '../../../src/device/umem-memory.js';
import { XdpDevice, type XdpOptions } from '../../../src/device/xdp/device.js';
import {
  collect,
  collectUdp,
  datagramSender,
  drain,
  isPlain,
  plainFrame,
  send,
  wrongIn,
} from '../../support/frames.js';
import { Namespaces } from '../../support/netns.js';
import { withoutXdp } from './missing.js';

/**
 * ns a: a0 10.9.0.1/24 ─── veth ─── b0 10.9.0.2/24 :ns b. The devices under test sit on both ends.
 */
describe.skipIf(withoutXdp !== '').each(['native', 'generic'] as const)('XdpDevice, %s', (mode) => {
  let spaces: Namespaces;
  let a: string;
  let b: string;
  let umem: Umem;
  const open: XdpDevice[] = [];

  beforeEach(() => {
    spaces = new Namespaces('xdp');
    a = spaces.add('a');
    b = spaces.add('b');
    spaces.veth(a, 'a0', b, 'b0');
    spaces.run(a, 'ip addr add 10.9.0.1/24 dev a0');
    spaces.run(b, 'ip addr add 10.9.0.2/24 dev b0');
    umem = mappedUmem(1024).umem;
  });
  afterEach(() => {
    for (const device of open.splice(0)) device.close();
    spaces.remove();
  });

  function device(space: string, name: string, options: XdpOptions = {}, of = umem): XdpDevice {
    const made = spaces.inside(space, () => new XdpDevice(of, name, { mode, entries: 256, ...options }));
    open.push(made);
    return made;
  }

  it('returns the received frames, byte by byte, and counts them', async () => {
    const from = device(a, 'a0');
    const to = device(b, 'b0');
    expect([from.mode, from.zeroCopy, from.reason]).toEqual([mode, false, '']);
    const wanted = Array.from({ length: 200 }, (_, i) => plainFrame(60 + ((i * 37) % 1455), i));
    expect(send(from, umem, wanted)).toBe(200);
    const got = (await collect(to, umem, (all) => all.filter(isPlain).length >= 200)).filter(isPlain);
    expect(got.length).toBe(200);
    for (const [i, frame] of got.entries()) expect(Buffer.compare(frame, wanted[i]!)).toBe(0);
    const bytes = wanted.reduce((sum, frame) => sum + frame.length, 0);
    expect(from.stats).toMatchObject({ txPackets: 200, txBytes: bytes, txDropped: 0 });
    expect(to.stats).toMatchObject({ rxDropped: 0, rxOversize: 0 });
    expect(to.stats.rxPackets).toBeGreaterThanOrEqual(200);
    for (const one of open.splice(0)) one.close();
    expect(umem.freeFrames).toBe(1024);
  });

  it('completes the partial checksums of a veth', async () => {
    const to = device(b, 'b0');
    spaces.run(a, 'ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:b0 dev a0');
    spaces.node(a, datagramSender(50, '1+n*13'));
    const got = await collectUdp(to, umem, 50);
    expect(got.length).toBe(50);
    expect(got.map(wrongIn).filter(Boolean)).toEqual([]);
  });

  it('takes frames as long as the frames of the Umem, to the last byte', async () => {
    for (const [space, name] of [
      [a, 'a0'],
      [b, 'b0'],
    ] as const)
      spaces.run(space, `ip link set ${name} mtu 1772`);
    const from = device(a, 'a0');
    const to = device(b, 'b0');
    const wanted = [plainFrame(100, 1), plainFrame(1790, 2), plainFrame(90, 3)];
    send(from, umem, wanted);
    const got = (await collect(to, umem, (all) => all.filter(isPlain).length >= 3)).filter(isPlain);
    expect(got.map((frame) => Buffer.from(frame))).toEqual(wanted.map((frame) => Buffer.from(frame)));
  });

  it('has the kernel wait with frames while none of the Umem is free, and loses none it took', async () => {
    const small = mappedUmem(32).umem;
    const from = device(a, 'a0');
    const to = device(b, 'b0', { entries: 16 }, small);
    expect([to.inKernel, small.freeFrames]).toEqual([16, 16]);
    const wanted = Array.from({ length: 12 }, (_, i) => plainFrame(60, i));
    const batch = new Batch(64);
    const taken: Uint8Array[] = [];
    for (let round = 0; round < 5; round++) {
      send(from, umem, wanted);
      await new Promise((done) => setTimeout(done, 20));
      to.rx(batch);
      expect(batch.n + to.inKernel + small.freeFrames).toBe(32);
    }
    drain(batch, small, taken);
    to.rx(batch);
    drain(batch, small, taken);
    const { rxPackets, rxDropped } = to.stats;
    expect(taken.length).toBe(rxPackets);
    expect(rxPackets + rxDropped).toBeGreaterThanOrEqual(60);
    expect(rxPackets).toBeGreaterThanOrEqual(30);
  });

  it('receives by all queues', async () => {
    spaces.run(a, 'ethtool -L a0 rx 2 tx 2');
    spaces.run(b, 'ethtool -L b0 rx 2 tx 2');
    const to = device(b, 'b0');
    expect(to.inKernel).toBe(512);
    spaces.run(a, 'ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:b0 dev a0');
    spaces.node(
      a,
      `const d=require('dgram');for(let i=0;i<64;i++){const s=d.createSocket('udp4');s.send('x'.repeat(20+i),9,'10.9.0.2',()=>s.close())}`,
    );
    const poller = new Poller([to.fd]);
    expect(poller.wait(5000)).toBe(1);
    expect((await collectUdp(to, umem, 64)).length).toBe(64);
    expect(poller.wait(0)).toBe(0);
    if (mode === 'native')
      for (const queue of [0, 1])
        expect(spaces.run(b, `ethtool -S b0 | grep rx_queue_${queue}_xdp_packets`)).toMatch(/: [1-9]/);
  });

  it('takes its program away when it is closed, and leaves offloads as they were', () => {
    const before = spaces.run(b, 'ethtool -k b0');
    const made = device(b, 'b0');
    expect(spaces.run(b, 'ip link show b0')).toMatch(mode === 'native' ? / xdp / : / xdpgeneric /);
    expect(spaces.run(b, 'ip -d link show b0')).toContain('allmulti 1');
    expect(() => device(b, 'b0', {}, mappedUmem(64).umem)).toThrow(/^b0: already in use by another process \(bind\); /);
    spaces.inside(b, () => made.close());
    expect(spaces.run(b, 'ip -d link show b0')).not.toMatch(/ xdp|prog\/xdp|allmulti 1/);
    expect(spaces.run(b, 'ethtool -k b0')).toBe(before);
    expect(umem.freeFrames).toBe(1024);
    expect(made.rx(new Batch())).toBe(0);
    device(b, 'b0');
  });
});

describe.skipIf(withoutXdp !== '')('XdpDevice', () => {
  it.each<[what: string, name: string, of: () => Umem, message: RegExp]>([
    [
      'an interface that is not there',
      'nope0',
      () => mappedUmem(16).umem,
      /^nope0: no such network interface; 'ip link'/,
    ],
    [
      'an MTU that does not fit',
      'a0',
      () => mappedUmem(16).umem,
      /^a0: its MTU 9000 does not fit into frames of 1790 bytes/,
    ],
    [
      'frames longer than 16 KB',
      'a0',
      () => mappedUmem(16, 32_768).umem,
      /^a0: AF_XDP cannot use frames of 32768 bytes; use/,
    ],
    ['frames in memory of its own', 'a0', () => new Umem(16, 4096), /^a0: .*(MTU 9000|begin on a page)/],
  ])('refuses %s', (_, name, of, message) => {
    const spaces = new Namespaces('xdpno');
    try {
      const [a, b] = [spaces.add('a'), spaces.add('b')];
      spaces.veth(a, 'a0', b, 'b0');
      spaces.run(a, 'ip link set a0 mtu 9000');
      spaces.inside(a, () => expect(() => new XdpDevice(of(), name)).toThrow(message));
    } finally {
      spaces.remove();
    }
  });
});
