/** The quick check of batches, against the schema: what it accepts, the schema accepts and leaves as it is. */
import { expect, it } from 'vitest';
import { request } from '../../../src/control/api/schema.js';
import type { ShortBatch } from '../../../src/control/api/short-batch.js';
import { isSoundBatch, sharePlainTunnels } from '../../../src/control/api/sound-batch.js';
import { PLAIN_TUNNEL } from '../../../src/service/config.js';
import { Random } from '../../support/seed.js';

const MOST = 1000;
const key = { protocol: 6, address: '10.0.0.100', port: 80 };
const server = { address: '2001:db8::1', port: 8080, method: 'ipip', weight: 1, upperThreshold: 0, lowerThreshold: 0 };
const batch = {
  op: 'batch',
  requests: [
    { op: 'addService', service: { key, scheduler: 'wlc', flags: 1, timeout: 360, netmask: 0xffffffff, pe: '' } },
    { op: 'addDestination', key, destination: { ...server, tunnel: PLAIN_TUNNEL } },
  ],
};

it('accepts services and destinations, but no more than a batch may have', () => {
  expect(isSoundBatch(batch, MOST)).toBe(true);
  expect(isSoundBatch(batch, 1)).toBe(false);
});

it('makes their tunnels one object', () => {
  const read = structuredClone(batch) as ShortBatch;
  sharePlainTunnels(read);
  expect(read).toEqual(batch);
  expect(read).toMatchObject({
    requests: [{}, { destination: { tunnel: expect.toSatisfy((it) => it === PLAIN_TUNNEL) } }],
  });
});

const VALUES: readonly unknown[] = [
  ...[-1, 0, 0.5, 7, 132, 65_536, 2 ** 31, 2 ** 32, -(2 ** 31) - 1, null, true, [], {}, 'x'.repeat(17)],
  ...['', '10.0.0.1', '010.0.0.1', '10.0.0.1/8', '::1', '0:0::1', '2001:DB8::1', 'masq', 'gre', 'flush', 'addService'],
  ...[{ fwmark: 1, family: 4 }, { type: 'gue', port: 1, checksum: '' }, key],
];

/** Replaces, removes or adds a field somewhere. */
function spoil(value: unknown, random: Random): void {
  const fields = value as Record<string, unknown>;
  const names = Object.keys(fields);
  const name = names[random.below(names.length)];
  const inner = name === undefined ? undefined : fields[name];
  if (typeof inner === 'object' && inner !== null && random.below(4) > 0) return spoil(inner, random);
  const how = random.below(8);
  if (how === 0) Object.assign(fields, { surplus: 1 });
  else if (name !== undefined && how === 1 && !Array.isArray(fields)) delete fields[name];
  else if (name !== undefined) fields[name] = VALUES[random.below(VALUES.length)];
}

it('accepts nothing that the schema refuses or changes', () => {
  const random = new Random(1);
  let sound = 0;
  for (let i = 0; i < 5000; i++) {
    const draft = structuredClone(batch);
    spoil(draft, random);
    const one = JSON.parse(JSON.stringify(draft)) as unknown;
    if (!isSoundBatch(one, MOST)) continue;
    sound++;
    expect(request.parse(one)).toEqual(one);
  }
  expect(sound).toBeGreaterThan(100);
});
