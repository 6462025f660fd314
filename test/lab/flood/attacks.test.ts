/** The floods of `ulvs lab flood`: their frames, and one short trial with real traffic. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ATTACKS } from '../../../src/lab/flood/attacks.js';
import type { TrialResult } from '../../../src/lab/flood/trial.js';
import { DIST } from '../../e2e/testbed.js';
import { isRoot } from '../../support/netns.js';
import { checkFrame } from '../../support/packet.js';
import { Random } from '../../support/seed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

it.each(ATTACKS)('$name: each frame is sound, and nearly each is another one', ({ name, frame }) => {
  const random = new Random();
  const target = { srcMac: '02:00:00:00:0c:00', dstMac: '02:00:00:00:0d:00', vip: '10.0.0.100', port: 80 };
  const frames = Array.from({ length: 500 }, () => frame(target, () => random.u32()));
  for (const one of frames) expect(checkFrame(one)).toEqual([]);
  const distinct = new Set(frames.map((one) => Buffer.from(one).toString('hex'))).size;
  expect(distinct).toBeGreaterThan(name === 'arp' ? 200 : 490);
});

it.skipIf(!isRoot).each(['packet', 'tap'])(
  'ulvs lab flood: behind the SYN proxy clients are served while SYNs come, over %s',
  async (device) => {
    const size = '--lines 6000 --times 60 --seconds 2 --downloads 5 --clients 20'.split(' ');
    const words = ['lab', 'flood', '--device', device, '--defence', 'synproxy', '--json', ...size];
    const { stdout } = await promisify(execFile)(process.execPath, [path.join(DIST, 'cli/main.js'), ...words]);
    const { percent, lost, cookies, open, bulk } = JSON.parse(stdout) as TrialResult;
    expect({ lost, isOpenWhole: open.isWhole, isNewWhole: bulk.isWhole }).toEqual({
      lost: 0,
      isOpenWhole: true,
      isNewWhole: true,
    });
    expect(open.ms).toBeGreaterThan(4000);
    expect(percent).toBeGreaterThan(90);
    expect(cookies).toBeGreaterThan(1000);
  },
  60_000,
);
