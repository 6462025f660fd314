/** Low floods through a director of the built product; the frames of both ends and all reasons add up exactly. */
import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { Flood, loss, type Passage } from '../../../src/lab/flood/flood.js';
import type { Kind } from '../../../src/lab/flood/frame.js';
import { accountOf, type Loss, lossesOf } from '../../../src/lab/flood/losses.js';
import { Bed, type MethodName } from '../../../src/lab/flood/testbed.js';
import type { LabDevice } from '../../../src/lab/topology.js';
import { withoutXdp } from '../../device/xdp/missing.js';
import { isRoot } from '../../support/netns.js';

const RATE = 20_000;
const MS = 700;
const flows = { clients: 64, ports: 16 };

const missing = isRoot ? withoutXdp : 'needs root';

describe.skipIf(missing !== '')(`a flood ${missing}`, () => {
  let bed: Bed | undefined;
  let flood: Flood | undefined;

  afterEach(async () => {
    await flood?.stop();
    await bed?.remove();
    [flood, bed] = [undefined, undefined];
  });

  async function through(device: LabDevice, method: MethodName, kind: Kind): Promise<{ bed: Bed; flood: Flood }> {
    bed = await Bed.build({ tap: device === 'tap' });
    const { pid } = await bed.director({ device, method, kind, flows: flows.clients * flows.ports });
    flood = await Flood.start(bed.site, { kind, ...flows, pid });
    return { bed, flood };
  }

  async function run(on: { bed: Bed; flood: Flood }): Promise<{ passage: Passage; losses: Loss[] }> {
    const before = await accountOf(on.bed.socket);
    const passage = await on.flood.run(RATE, MS);
    return { passage, losses: lossesOf(before, await accountOf(on.bed.socket), passage) };
  }

  const lost = (losses: readonly Loss[]) => losses.reduce((sum, { frames }) => sum + frames, 0);

  it.each<[LabDevice, MethodName, Kind]>([
    ['xdp', 'nat', 'syn'],
    ['packet', 'tun', 'udp'],
    ['tap', 'dr', 'established'],
  ])('over %s by %s: %s', async (device, method, kind) => {
    const on = await through(device, method, kind);
    if (kind !== 'syn') await on.flood.open();
    const { passage, losses } = await run(on);
    expect(passage.sent).toBeGreaterThan(0.3 * RATE * (MS / 1000)); // other load on this machine
    expect(passage.sent).toBeLessThan(1.05 * RATE * (MS / 1000));
    expect(passage.sent - passage.arrived).toBe(lost(losses));
    expect(loss(passage)).toBeLessThan(0.05);
    expect(passage.delays.p50).toBeGreaterThan(1);
    expect(passage.delays.p999).toBeGreaterThanOrEqual(passage.delays.p50);
  });

  it('of segments without a connection ends at the director, which says why', async () => {
    const on = await through('packet', 'nat', 'established');
    const { passage, losses } = await run(on);
    expect(passage.arrived).toBe(0);
    expect(losses.map(({ reason }) => reason)).toContain('portClosed');
    expect(lost(losses)).toBe(passage.sent);
  });

  it('of which nothing arrives cannot be opened', async () => {
    const on = await through('packet', 'nat', 'udp');
    execFileSync('ip', ['-n', on.bed.namespace('realserver'), 'link', 'set', 'eth0', 'down']);
    await expect(on.flood.open()).rejects.toThrow(/of 1024 first packets 0 reached a realserver/);
  });

  it('leaves no namespace', async () => {
    const built = await Bed.build({ tap: false });
    const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
    expect(names).toContain(built.namespace('client'));
    await built.remove();
    expect(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })).not.toContain(built.namespace('client'));
  });
});
