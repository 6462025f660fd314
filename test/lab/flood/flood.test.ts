/**
 * Slow floods through a director of the built product. The frames of both ends and all reasons for
 * losses add up exactly.
 */
import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { Flood, type FloodRun, loss } from '../../../src/lab/flood/flood.js';
import type { Kind } from '../../../src/lab/flood/frame.js';
import { type Loss, lossesOf, readCounters } from '../../../src/lab/flood/losses.js';
import { type MethodName, Testbed } from '../../../src/lab/flood/testbed.js';
import type { LabDevice } from '../../../src/lab/topology.js';
import { withoutXdp } from '../../device/xdp/missing.js';
import { isRoot } from '../../support/netns.js';

const RATE = 20_000;
const MS = 700;
const flows = { clients: 64, ports: 16 };

const missing = isRoot ? withoutXdp : 'needs root';

describe.skipIf(missing !== '')(`a flood ${missing}`, () => {
  let testbed: Testbed | undefined;
  let flood: Flood | undefined;

  afterEach(async () => {
    await flood?.stop();
    await testbed?.remove();
    [flood, testbed] = [undefined, undefined];
  });

  async function through(
    device: LabDevice,
    method: MethodName,
    kind: Kind,
  ): Promise<{ testbed: Testbed; flood: Flood }> {
    testbed = await Testbed.build({ tap: device === 'tap' });
    const { pid } = await testbed.director({ device, method, kind, flows: flows.clients * flows.ports });
    flood = await Flood.start(testbed.endpoints, { kind, ...flows, pid });
    return { testbed, flood };
  }

  async function run(on: { testbed: Testbed; flood: Flood }): Promise<{ result: FloodRun; losses: Loss[] }> {
    const before = await readCounters(on.testbed.socket);
    const result = await on.flood.run(RATE, MS);
    return { result, losses: lossesOf(before, await readCounters(on.testbed.socket), result) };
  }

  const lost = (losses: readonly Loss[]) => losses.reduce((sum, { frames }) => sum + frames, 0);

  it.each<[LabDevice, MethodName, Kind]>([
    ['xdp', 'nat', 'syn'],
    ['packet', 'tun', 'udp'],
    ['tap', 'dr', 'established'],
  ])('over %s by %s: %s', async (device, method, kind) => {
    const on = await through(device, method, kind);
    if (kind !== 'syn') await on.flood.open();
    const { result, losses } = await run(on);
    expect(result.sent).toBeGreaterThan(0.3 * RATE * (MS / 1000)); // other load on this machine
    expect(result.sent).toBeLessThan(1.05 * RATE * (MS / 1000));
    expect(result.sent - result.arrived).toBe(lost(losses));
    expect(loss(result)).toBeLessThan(0.05);
    expect(result.delays.p50).toBeGreaterThan(1);
    expect(result.delays.p999).toBeGreaterThanOrEqual(result.delays.p50);
  });

  it('of segments without a connection is dropped by the director with a reason', async () => {
    const on = await through('packet', 'nat', 'established');
    const { result, losses } = await run(on);
    expect(result.arrived).toBe(0);
    expect(losses.map(({ reason }) => reason)).toContain('portClosed');
    expect(lost(losses)).toBe(result.sent);
  });

  it('fails if no first packet arrives', async () => {
    const on = await through('packet', 'nat', 'udp');
    execFileSync('ip', ['-n', on.testbed.namespace('realserver'), 'link', 'set', 'eth0', 'down']);
    await expect(on.flood.open()).rejects.toThrow(/only 0 of 1024 first packets reached a realserver/);
  });

  it('has wires that carry frames at once, and removes its namespaces', async () => {
    const built = await Testbed.build({ tap: true });
    const ports = ['wire0', 'wire1'].map((name) => `/sys/class/net/${name}/brport/state`);
    const inside = ['netns', 'exec', built.namespace('director'), 'cat', ...ports];
    const states = () => execFileSync('ip', inside, { encoding: 'utf8' });
    await expect.poll(states, { timeout: 200 }).toBe('3\n3\n'); // BR_STATE_FORWARDING
    const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
    expect(names).toContain(built.namespace('client'));
    await built.remove();
    expect(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })).not.toContain(built.namespace('client'));
  });
});
