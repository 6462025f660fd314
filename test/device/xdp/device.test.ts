import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Umem } from '../../../src/device/umem.js';
import { mappedUmem } from '../../../src/device/umem-memory.js';
import { XdpDevice, type XdpOptions } from '../../../src/device/xdp.js';
import { collect, isPlain, plainFrame, send, wrongIn } from '../frames.js';
import { Namespaces } from '../netns.js';
import { withoutXdp } from './missing.js';

/** ns a: a0 10.9.0.1/24 ─── veth ─── b0 10.9.0.2/24 :ns b. The devices under test sit on both ends. */
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

  it('hands out the frames that came in, byte by byte, and counts them', async () => {
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

  it('finishes the checksums that a veth leaves undone', async () => {
    const to = device(b, 'b0');
    spaces.run(a, 'ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:b0 dev a0');
    spaces.node(
      a,
      `const s=require('dgram').createSocket('udp4');let n=0;
      const t=setInterval(()=>{s.send(Buffer.alloc(1+n*13,n),9,'10.9.0.2');if(++n===50){clearInterval(t);setTimeout(()=>s.close(),50)}},1)`,
    );
    const isUdp = (frame: Uint8Array) => frame[12] === 8 && frame[13] === 0 && frame[23] === 17;
    const got = (await collect(to, umem, (all) => all.filter(isUdp).length >= 50)).filter(isUdp);
    expect(got.length).toBe(50);
    expect(got.map(wrongIn).filter(Boolean)).toEqual([]);
  });
});
