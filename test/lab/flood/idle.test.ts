/**
 * A director is busy while packets flow and sleeps while none do: an idle director costs nothing,
 * whatever its devices.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Flood } from '../../../src/lab/flood/flood.js';
import { cpuUsage } from '../../../src/lab/flood/processor.js';
import { Testbed } from '../../../src/lab/flood/testbed.js';
import type { LabDevice } from '../../../src/lab/topology.js';
import { withoutXdp } from '../../device/xdp/missing.js';
import { isRoot } from '../../support/netns.js';

const WINDOW_MS = 2000;
/** A process still collects garbage for some seconds after its start. */
const WINDOWS = 8;
const missing = isRoot ? withoutXdp : 'needs root';

describe.skipIf(missing !== '')(`an idle director ${missing}`, () => {
  let testbed: Testbed | undefined;
  afterEach(async () => {
    await testbed?.remove();
    testbed = undefined;
  });

  /** The share of a CPU in the first window in which it was low, else in the last one. */
  async function leastUsed(pid: number): Promise<number> {
    let part = 1;
    for (let i = 0; i < WINDOWS && part >= 0.01; i++) {
      const before = cpuUsage(pid);
      await sleep(WINDOW_MS);
      part = (cpuUsage(pid).process - before.process) / WINDOW_MS;
    }
    return part;
  }

  it.each<LabDevice>(['xdp', 'packet'])('over %s sleeps after a flood: less than 1 %% of a CPU', async (device) => {
    testbed = await Testbed.build({ tap: false });
    const flows = { clients: 64, ports: 16 };
    const { pid } = await testbed.director({ device, method: 'nat', kind: 'udp', flows: 1024 });
    const flood = await Flood.start(testbed.endpoints, { kind: 'udp', ...flows, pid });
    try {
      const { arrived } = await flood.run(20_000, 500);
      expect(arrived).toBeGreaterThan(1000);
    } finally {
      await flood.stop();
    }
    expect(await leastUsed(pid)).toBeLessThan(0.01);
  });
});
