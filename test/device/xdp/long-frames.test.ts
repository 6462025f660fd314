/**
 * Frames longer than a page through XdpDevices: several descriptors each, in native and generic
 * mode.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Batch } from '../../../src/device/batch.js';
import type { Umem } from '../../../src/device/umem.js';
import { frameSizeFor, mappedUmem } from '../../../src/device/umem-memory.js';
import { XdpDevice } from '../../../src/device/xdp/device.js';
import { collect, collectUdp, datagramSender, isPlain, plainFrame, send, wrongIn } from '../../support/frames.js';
import { Namespaces } from '../../support/netns.js';
import { withoutXdp } from './missing.js';

const MTU = 16_000;
const FRAMES = 512;

/** ns a: a0 10.9.0.1/24 ─── veth ─── b0 10.9.0.2/24 :ns b. */
describe.skipIf(withoutXdp !== '').each(['native', 'generic'] as const)('long frames, %s', (mode) => {
  let spaces: Namespaces;
  let a: string;
  let b: string;
  let umem: Umem;
  const open: XdpDevice[] = [];

  beforeEach(() => {
    spaces = new Namespaces('xdplong');
    [a, b] = [spaces.add('a'), spaces.add('b')];
    spaces.veth(a, 'a0', b, 'b0');
    spaces.run(a, `ip addr add 10.9.0.1/24 dev a0; ip link set a0 mtu ${MTU}`);
    spaces.run(b, `ip addr add 10.9.0.2/24 dev b0; ip link set b0 mtu ${MTU}`);
    umem = mappedUmem(FRAMES, frameSizeFor([MTU])).umem;
  });
  afterEach(() => {
    for (const device of open.splice(0)) device.close();
    spaces.remove();
  });

  function device(space: string, name: string, of = umem): XdpDevice {
    const made = spaces.inside(space, () => new XdpDevice(of, name, { mode, entries: 128 }));
    open.push(made);
    return made;
  }

  it('arrive byte by byte, among short ones, and all frames of the Umem are free then', async () => {
    const [from, to] = [device(a, 'a0'), device(b, 'b0')];
    expect([from.mode, to.mode]).toEqual([mode, mode]);
    const edges = [3838, 3839, 7676, 7677, 11_514, 11_515, MTU + 14];
    const batch = new Batch(64);
    const got: Uint8Array[] = [];
    const wanted: Uint8Array[] = [];
    for (let round = 0; round < 20; round++) {
      const some = Array.from({ length: 12 }, (_, i) =>
        plainFrame(edges[(i + round) % 12] ?? 60 + ((i * 3571 + round * 911) % 9000), wanted.length + i),
      );
      wanted.push(...some);
      expect(send(from, umem, some)).toBe(some.length);
      const more = await collect(to, umem, (all) => all.filter(isPlain).length >= some.length);
      got.push(...more.filter(isPlain));
      from.rx(batch);
      while (batch.n > 0) umem.free(batch.offsets[--batch.n]!);
    }
    expect(got.length).toBe(wanted.length);
    for (const [i, frame] of got.entries()) expect(Buffer.compare(frame, wanted[i]!), `frame ${i}`).toBe(0);
    expect(from.stats).toMatchObject({ txPackets: wanted.length, txDropped: 0 });
    expect(to.stats).toMatchObject({ rxDropped: 0, rxOversize: 0 });
    expect(umem.freeFrames + umem.heldFrames).toBe(FRAMES);
    for (const one of open.splice(0)) one.close();
    expect(umem.freeFrames).toBe(FRAMES);
  });

  it('that are longer than a frame of the Umem are counted and dropped', async () => {
    const small = mappedUmem(FRAMES, 8192).umem;
    for (const [space, name] of [
      [a, 'a0'],
      [b, 'b0'],
    ] as const)
      spaces.run(space, `ip link set ${name} mtu 7900`);
    const [from, to] = [device(a, 'a0'), device(b, 'b0', small)];
    spaces.run(b, `ip link set b0 mtu ${MTU}`);
    spaces.run(a, `ip link set a0 mtu ${MTU}`);
    send(from, umem, [plainFrame(15_000, 1), plainFrame(7934, 2)]);
    const got = (await collect(to, small, (all) => all.some(isPlain))).filter(isPlain);
    expect(got.map(({ length }) => length)).toEqual([7934]);
    expect(to.stats.rxOversize).toBe(1);
    expect(small.freeFrames + small.heldFrames).toBe(FRAMES);
  });

  it('have their partial checksums completed', async () => {
    const to = device(b, 'b0');
    spaces.run(a, 'ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:b0 dev a0');
    spaces.node(a, datagramSender(12, '3000+n*997'));
    const got = await collectUdp(to, umem, 12);
    expect(got.length).toBe(12);
    expect(got.map(wrongIn).filter(Boolean)).toEqual([]);
  });
});
