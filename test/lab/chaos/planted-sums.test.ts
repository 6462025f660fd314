/** A director with a planted bug that loses frames or counts wrongly: the invariants say so. */
import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { FrameCounts } from '../../../src/control/engine/frame-census.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { brokenSums, keptAfter } from '../../../src/lab/chaos/invariants.js';
import { FrameStat } from '../../../src/stats/counters.js';
import { loadRules } from '../../../src/ulvsadm/rules.js';
import { text } from '../../dataplane/fastpath/network.js';
import { anyFrame } from '../../dataplane/fastpath/traffic.js';
import { Random } from '../../support/seed.js';

const config = parseConfig(text({}), 'test.yaml');
const FRAMES = 2000;
/** The planted bugs show in one frame of so many. */
const SELDOM = 50;

/** What the invariants say after some traffic; `plant` puts a bug into the director first. */
async function afterTraffic(plant: (inner: InProcessDirector) => void) {
  const inner = new InProcessDirector(config, () => {});
  await loadRules(config, inner);
  const counts = new FrameCounts(FrameCounts.memory());
  counts.write(inner.director);
  plant(inner);
  const random = new Random(3);
  for (let i = 0; i < FRAMES; i++) {
    inner.receive(i & 1, anyFrame(random, i & 1));
    inner.advance(inner.now + 1);
  }
  counts.write(inner.director);
  const workers = [{ used: 0, frames: FRAMES, census: counts.read() }];
  const { status } = (await inner.request({ op: 'status' })) as { status: Parameters<typeof keptAfter>[0] };
  return { sums: brokenSums({ workers }), kept: keptAfter({ ...status, workers }, { before: 9, after: 9 }) };
}

/** Calls `instead` in one call of SELDOM. */
function seldom<T extends unknown[], R>(usual: (...words: T) => R, instead: (...words: T) => R): (...words: T) => R {
  let n = 0;
  return (...words) => (++n % SELDOM === 0 ? instead : usual)(...words);
}

it('nothing is said of a director without one, though frames wait', async () => {
  const { sums, kept } = await afterTraffic(() => {});
  expect(sums).toEqual([]);
  expect(kept.every((sentence) => sentence.endsWith('wait without traffic'))).toBe(true);
});

it('a frame that is never freed', async () => {
  const { sums } = await afterTraffic(({ director: { umem } }) => {
    umem.free = seldom<[number], void>(umem.free.bind(umem), () => {});
  });
  expect(sums).toEqual([expect.stringMatching(/^worker 0: [1-9]\d* frames are neither free nor in use$/)]);
});

it('a frame that is freed twice', async () => {
  const { sums } = await afterTraffic(({ director: { umem } }) => {
    const free = umem.free.bind(umem);
    umem.free = seldom(free, (at) => {
      free(at);
      if (umem.freeFrames < umem.usableFrames) free(at);
    });
  });
  expect(sums).toEqual([expect.stringMatching(/^worker 0: -[1-9]\d* frames are neither free nor in use$/)]);
});

it('a frame that is not counted', async () => {
  const { sums } = await afterTraffic(({ director: { counters } }) => {
    counters.drop = seldom<[number, number], void>(counters.drop.bind(counters), () => {});
  });
  expect(sums).toEqual([expect.stringMatching(/^worker 0: [1-9]\d* frames came in and have no verdict$/)]);
});

it('a frame that is counted twice', async () => {
  const { sums } = await afterTraffic(({ director: { counters } }) => {
    const drop = counters.drop.bind(counters);
    counters.drop = seldom(drop, (reason, bytes) => {
      drop(reason, bytes);
      drop(reason, bytes);
    });
  });
  expect(sums).toEqual([expect.stringMatching(/^worker 0: -[1-9]\d* frames came in and have no verdict$/)]);
});

it('a frame that is dropped without a reason', async () => {
  const { kept } = await afterTraffic(({ director: { counters } }) => {
    counters.drop = seldom<[number, number], void>(counters.drop.bind(counters), () => {
      counters.values[FrameStat.dropped]!++;
    });
  });
  expect(kept).toContainEqual(expect.stringMatching(/^\d+ frames dropped by reasons, \d+ in all$/));
});

it('descriptors, and frames that wait though nothing comes', async () => {
  const census = { all: 9, free: 8, kernel: 0, waiting: 1, unaccounted: 0, heap: 0, external: 0 };
  const status = { workers: [{ used: 0, frames: 0, census }], frames: { dropped: 0 }, drops: [] };
  const said = keptAfter(status as unknown as Parameters<typeof keptAfter>[0], { before: 60, after: 61 });
  expect(said).toEqual(['1 frames wait without traffic', 'descriptors: 60 before, 61 after']);
});
