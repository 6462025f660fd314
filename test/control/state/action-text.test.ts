/** Actions as JSON that is put together by hand. */
import { expect, it } from 'vitest';
import type { Action } from '../../../src/control/rules/actions.js';
import { actionText } from '../../../src/control/state/action-text.js';
import { DESTINATION_DEFAULTS, SERVICE_DEFAULTS } from '../../../src/service/config.js';

const destination = { address: '10.1.0.1', port: 80, ...DESTINATION_DEFAULTS, upperThreshold: 9, lowerThreshold: 3 };
const tunnel = { type: 'gue', port: 6080, checksum: 'csum' } as const;
const added = { kind: 'addDestination', slot: 3, serviceSlot: 1, destination, revived: true } as const;

it.each<Action>([
  added,
  { ...added, destination: { ...destination, address: '2001:db8::1', tunnel, weight: -1 } },
  { ...added, destination: { ...destination, tunnel: { ...destination.tunnel } }, revived: false },
  { kind: 'addService', slot: 1, service: { key: { fwmark: 7, family: 4 }, ...SERVICE_DEFAULTS } },
  { kind: 'removeDestination', slot: 3 },
])('%j is what JSON says', (action) => {
  expect(JSON.parse(actionText(action))).toEqual(action);
});
