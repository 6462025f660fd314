/** Zero points of counters, kept beside the process. */
import { expect, it } from 'vitest';
import { ShownCounters, type ZeroPoints } from '../../../src/control/rules/counter-base.js';
import { type CountersOf, type CountersView, NO_STATS, noCounters } from '../../../src/control/rules/counters.js';
import { STATS } from '../../../src/stats/counters.js';

const COUNTED = [7, 20, 10, 2000, 1000];
const counters: CountersView = {
  ...noCounters,
  destination: () => ({ ...NO_STATS, conns: 7, inpkts: 20, outpkts: 10, inbytes: 2000, outbytes: 1000 }),
  copyCounts: (_of, _slot, into, at) => into.set(COUNTED, at),
};

/** Zero points that outlive a process. */
function kept(): ZeroPoints {
  const rows = new Map<string, number[]>();
  const key = (of: CountersOf, slot: number) => `${of} ${slot}`;
  return {
    read: (of, slot) => rows.get(key(of, slot)) ?? [0, 0, 0, 0, 0],
    write: (of, slot, counts, from = 0) => void rows.set(key(of, slot), Array.from(counts).slice(from, from + STATS)),
  };
}

it('goes on with the zero points of any slots', () => {
  const points = kept();
  const before = new ShownCounters(counters, points);
  const slots = [0, 1, 5, 300];
  for (const slot of slots) before.zeroDestination(slot);
  const after = new ShownCounters(counters, points);
  after.restore([3], [300, ...slots]);
  for (const slot of slots) expect(after.destination(slot)).toEqual(before.destination(slot));
  expect(after.destination(5)).toEqual(NO_STATS);
  expect(after.destination(6)).toMatchObject({ conns: 7, outbytes: 1000 });
});
