/** A frame without an Ethernet header, as captures have them, after a reassembled datagram. */
import { expect, it } from 'vitest';
import type { InProcessDirector } from '../../src/control/inprocess.js';
import { replayScenario } from '../../src/replay/scenario.js';
import { FrameStat } from '../../src/stats/counters.js';

it('is dropped once, and frees no frame of the datagram', async () => {
  let inner: InProcessDirector | undefined;
  await replayScenario('test/conformance/recorded/frag/frag-masq', (one) => {
    inner = one;
  });
  const { umem, counters } = inner!.director;
  const before = [umem.freeFrames, counters.values[FrameStat.in]!, counters.values[FrameStat.dropped]!];
  for (let i = 1; i <= 3; i++) {
    inner!.receive(0, Buffer.from('020000', 'hex'));
    const after = [umem.freeFrames, counters.values[FrameStat.in]!, counters.values[FrameStat.dropped]!];
    expect(after).toEqual([before[0], before[1]! + i, before[2]! + i]);
  }
});
