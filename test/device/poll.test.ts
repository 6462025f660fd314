/** Poller and Bell. */
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { Batch } from '../../src/device/batch.js';
import { PacketDevice } from '../../src/device/packet/packet.js';
import { Bell, Poller } from '../../src/device/poll.js';
import { Umem } from '../../src/device/umem.js';
import { drain, isPlain, plainFrame, send } from '../support/frames.js';
import { isRoot, Namespaces } from '../support/netns.js';

describe('Poller', () => {
  it('times out, and wakes for the bell that was rung', () => {
    const bells = [new Bell(), new Bell()];
    const poller = new Poller([bells[0]!.fd, -1, bells[1]!.fd]);
    const start = performance.now();
    expect(poller.wait(20)).toBe(0);
    expect(performance.now() - start).toBeGreaterThanOrEqual(19);
    bells[1]!.ring();
    bells[1]!.ring();
    expect(poller.wait(1000)).toBe(1);
    expect([0, 1, 2].map((i) => poller.ready(i))).toEqual([false, false, true]);
    expect([bells[0]!.answer(), bells[1]!.answer(), bells[1]!.answer()]).toEqual([false, true, false]);
    expect(poller.wait(0)).toBe(0);
    for (const bell of bells) bell.close();
  });

  it('is woken from another thread', async () => {
    const bell = new Bell();
    const worker = new Worker(
      "const {workerData:fd}=require('worker_threads');setTimeout(()=>require('fs').writeSync(fd,Buffer.from([1,0,0,0,0,0,0,0])),50)",
      { eval: true, workerData: bell.fd },
    );
    await new Promise((done) => worker.once('online', done));
    expect(new Poller([bell.fd]).wait(5000)).toBe(1);
    expect(bell.answer()).toBe(true);
    await worker.terminate();
    bell.close();
  });
});

if (!isRoot) console.log('poll with devices: skipped, needs root for namespaces');

describe.skipIf(!isRoot)('Poller with a packet device', () => {
  const spaces = new Namespaces('poll');
  afterEach(() => spaces.remove());

  it('wakes for a frame, and does not spin when the interface goes down', () => {
    const [a, b] = [spaces.add('a'), spaces.add('b')];
    spaces.veth(a, 'a0', b, 'b0');
    const umem = new Umem(64);
    const from = spaces.inside(a, () => new PacketDevice(umem, 'a0'));
    const to = spaces.inside(b, () => new PacketDevice(umem, 'b0'));
    const poller = new Poller([to.fd]);
    const batch = new Batch();
    const frames: Uint8Array[] = [];
    send(from, umem, [plainFrame(60, 1)]);
    for (let i = 0; i < 20 && !frames.some(isPlain); i++) {
      poller.wait(500);
      to.rx(batch);
      drain(batch, umem, frames);
    }
    expect(frames.filter(isPlain).length).toBe(1);
    spaces.run(b, 'ip link set b0 down');
    poller.wait(100);
    const start = performance.now();
    expect(poller.wait(60)).toBe(0);
    expect(performance.now() - start).toBeGreaterThanOrEqual(59);
    from.close();
    to.close();
  });
});
