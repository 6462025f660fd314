/** When the packet path gets its flags of V8. */
import { expect, it } from 'vitest';
import { Arrival } from '../../../src/control/engine/v8-flags.js';

it('some frames of neighbours are no arrival of packets', () => {
  let calls = 0;
  const arrival = new Arrival(() => calls++);
  for (let frame = 0; frame < 63; frame++) arrival.note(1);
  arrival.note(0);
  expect(calls).toBe(0);
});

it('arrival is said once, in the turn of the last of those frames', () => {
  let calls = 0;
  const arrival = new Arrival(() => calls++);
  arrival.note(32);
  arrival.note(64);
  expect(calls).toBe(1);
  for (let turn = 0; turn < 100; turn++) arrival.note(64);
  expect(calls).toBe(1);
});
