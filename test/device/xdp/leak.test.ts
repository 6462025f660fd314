/**
 * Frames pass two XdpDevices that share a Umem, as a director forwards them:
 *
 *     g: g0 ═ SYNs made by the kernel ═► e0 :d: e1 ─► r0 :r       10.0.0.0/8 │ dropped at r0
 *
 * After each turn the kernel has a frame, or the frame is free. ULVS_FRAMES=10000000 makes a long
 * run.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Batch } from '../../../src/device/batch.js';
import type { Umem } from '../../../src/device/umem.js';
import { mappedUmem } from '../../../src/device/umem-memory.js';
import { XdpDevice } from '../../../src/device/xdp/device.js';
import { Source } from '../../../src/lab/flood/source.js';
import { Namespaces } from '../../support/netns.js';
import { withoutXdp } from './missing.js';

const FRAMES = Number(process.env.ULVS_FRAMES ?? 300_000);
const UMEM = 16_384;
const CHUNK = 4096;

describe.skipIf(withoutXdp !== '')('frames through two xdp devices', () => {
  const spaces = new Namespaces('xdpleak');
  let flood: Source;
  let umem: Umem;
  let [inside, outside]: XdpDevice[] = [];
  let g: string;

  beforeAll(() => {
    const [d, r] = [spaces.add('d'), spaces.add('r')];
    g = spaces.add('g');
    spaces.veth(g, 'g0', d, 'e0');
    spaces.veth(d, 'e1', r, 'r0');
    umem = mappedUmem(UMEM).umem;
    [inside, outside] = ['e0', 'e1'].map((name) =>
      spaces.inside(d, () => new XdpDevice(umem, name, { entries: 4096 })),
    );
    const [srcMac, dstMac] = ['02:00:00:00:00:a0', '02:00:00:00:00:b0'];
    const target = { srcMac, dstMac, vip: '10.0.0.100', port: 80 };
    const many = { clients: 65_536, ports: 32_768 };
    flood = spaces.inside(g, () => new Source({ device: 'g0', kind: 'syn', target, ...many }));
  });
  afterAll(() => {
    for (const device of [inside, outside]) device?.close();
    flood?.close();
    spaces.remove();
  });

  it(`loses none of ${FRAMES}`, { timeout: 600_000 }, () => {
    const batch = new Batch(64);
    let [turns, freed] = [0, 0];
    const turn = () => {
      const n = inside!.rx(batch);
      if (n === 0) return false;
      // Every 7th is not sent: what the director drops.
      if (++turns % 7 === 0) umem.free(batch.offsets[--batch.n]!);
      freed += turns % 7 === 0 ? 1 : 0;
      outside!.tx(batch);
      outside!.rx(batch);
      if (umem.freeFrames + inside!.inKernel + outside!.inKernel + batch.n !== UMEM) throw new Error(`turn ${turns}`);
      for (let i = 0; i < batch.n; i++) umem.free(batch.offsets[i]!);
      batch.n = 0;
      return true;
    };
    for (let sent = 0; sent < FRAMES; sent += CHUNK) {
      spaces.inside(g, () => flood.burst(CHUNK));
      while (turn());
    }
    const { rxPackets, rxDropped } = inside!.stats;
    const { txPackets, txDropped } = outside!.stats;
    expect(rxPackets + rxDropped).toBeGreaterThanOrEqual(FRAMES);
    expect(rxPackets).toBeGreaterThan(0.99 * FRAMES);
    expect(txPackets + txDropped).toBe(rxPackets - freed);
    expect(txDropped).toBe(0);
    for (const device of [inside, outside]) device!.close();
    expect(umem.freeFrames).toBe(UMEM);
  });

  it('gives each frame to one caller only', () => {
    const seen = new Set(Array.from({ length: UMEM }, () => umem.alloc()));
    expect(seen.size).toBe(UMEM);
    expect(umem.alloc()).toBe(-1);
  });
});
