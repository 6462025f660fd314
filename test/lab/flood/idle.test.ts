/** Busy while packets flow, asleep when none do: whatever the devices, a director that has nothing to do costs nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Flood } from '../../../src/lab/flood/flood.js';
import { usage } from '../../../src/lab/flood/processor.js';
import { Bed } from '../../../src/lab/flood/testbed.js';
import type { LabDevice } from '../../../src/lab/topology.js';
import { withoutXdp } from '../../device/xdp/missing.js';
import { isRoot } from '../../support/netns.js';

const WINDOW_MS = 2000;
/** After its start a process still collects garbage for some seconds. */
const WINDOWS = 8;
const missing = isRoot ? withoutXdp : 'needs root';

describe.skipIf(missing !== '')(`an idle director ${missing}`, () => {
  let bed: Bed | undefined;
  afterEach(async () => {
    await bed?.remove();
    bed = undefined;
  });

  /** The part of a CPU it used in the first window in which it used little; else in the last. */
  async function leastUsed(pid: number): Promise<number> {
    let part = 1;
    for (let i = 0; i < WINDOWS && part >= 0.01; i++) {
      const before = usage(pid);
      await sleep(WINDOW_MS);
      part = (usage(pid).process - before.process) / WINDOW_MS;
    }
    return part;
  }

  it.each<LabDevice>(['xdp', 'packet'])('over %s sleeps after a flood: less than 1%% of a CPU', async (device) => {
    bed = await Bed.build({ tap: false });
    const flows = { clients: 64, ports: 16 };
    const { pid } = await bed.director({ device, method: 'nat', kind: 'udp', flows: 1024 });
    const flood = await Flood.start(bed.site, { kind: 'udp', ...flows, pid });
    try {
      const { arrived } = await flood.run(20_000, 500);
      expect(arrived).toBeGreaterThan(1000);
    } finally {
      await flood.stop();
    }
    expect(await leastUsed(pid)).toBeLessThan(0.01);
  });
});
