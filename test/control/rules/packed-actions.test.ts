/** Actions as one list: they arrive as they were. */
import { expect, it } from 'vitest';
import type { Action } from '../../../src/control/rules/actions.js';
import { pack, unpack } from '../../../src/control/rules/packed-actions.js';
import { DESTINATION_DEFAULTS, SERVICE_DEFAULTS } from '../../../src/service/config.js';

const destination = { address: '10.1.0.1', port: 80, ...DESTINATION_DEFAULTS, method: 'masq', weight: 7 } as const;
const tunnel = { type: 'gue', port: 6080, checksum: 'csum' } as const;
const service = {
  key: { protocol: 17, address: '10.0.0.1', port: 53 },
  ...SERVICE_DEFAULTS,
  scheduler: 'rr',
  pe: 'sip',
};

const actions: readonly Action[] = [
  { kind: 'addService', slot: 0, service },
  { kind: 'addService', slot: 1, service: { ...service, key: { fwmark: 7, family: 6 } } },
  { kind: 'addDestination', slot: 3, serviceSlot: 1, destination, revived: true },
  { kind: 'addDestination', slot: 4, serviceSlot: 0, destination: { ...destination, address: '::1' }, revived: false },
  { kind: 'addDestination', slot: 5, serviceSlot: 0, destination: { ...destination, tunnel }, revived: false },
  { kind: 'editDestination', slot: 4, destination: { ...destination, upperThreshold: 9, lowerThreshold: 3 } },
  { kind: 'removeDestination', slot: 3 },
  { kind: 'setTimeouts', timeouts: { tcp: 1, tcpfin: 2, udp: 3 } },
  { kind: 'deleteService', slot: 1 },
];

it('arrive in another thread as they were', () => {
  expect(unpack(structuredClone(pack(actions)))).toEqual(actions);
  expect(unpack(pack([...actions].reverse()))).toEqual([...actions].reverse());
  expect(unpack(pack([]))).toEqual([]);
});

it('share their fields where they follow each other, and only equal ones', () => {
  const added = (slot: number, more: object = {}, serviceSlot = 0): Action => ({
    kind: 'addDestination',
    slot,
    serviceSlot,
    destination: { ...destination, address: `10.1.0.${slot}`, ...more },
    revived: false,
  });
  const alike = [1, 2, 3, 4].map((slot) => added(slot));
  expect(pack(alike).length).toBe(8 + 4 * 3);
  expect(unpack(pack(alike))).toEqual(alike);
  const others = [
    added(1),
    added(2, { weight: 8 }),
    added(3, { method: 'local' }),
    added(4, { upperThreshold: 5 }),
    added(5, { lowerThreshold: 4 }),
    added(6, {}, 1),
    { ...added(7), revived: true } as Action,
    { kind: 'removeDestination', slot: 7 } as Action,
    added(8),
  ];
  expect(unpack(pack(others))).toEqual(others);
});

it('have an object of their own only where they are rare', () => {
  expect(pack(actions.slice(2, 4)).every((field) => typeof field !== 'object')).toBe(true);
});
