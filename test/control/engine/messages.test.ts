/** Messages to a worker's thread: they arrive as they were; many actions arrive in pieces. */
import { expect, it } from 'vitest';
import { fromPosted, type Message, toPosted } from '../../../src/control/engine/messages.js';
import type { Action } from '../../../src/control/rules/actions.js';
import { DESTINATION_DEFAULTS } from '../../../src/service/config.js';

function added(slot: number): Action {
  const destination = { address: '10.1.0.1', port: 80, ...DESTINATION_DEFAULTS, method: 'masq', weight: 1 } as const;
  return { kind: 'addDestination', slot, serviceSlot: slot >> 6, destination, revived: false };
}

function arrived(message: Message): Message[] {
  return toPosted(message).flatMap((posted) => [...fromPosted(structuredClone(posted))]);
}

it('a message without actions arrives as it was', () => {
  expect(arrived({ kind: 'readFlows', id: 7 })).toEqual([{ kind: 'readFlows', id: 7 }]);
});

it('a message has at most 512 actions: the thread reads it as a whole', () => {
  const actions = Array.from({ length: 1100 }, (_, slot) => added(slot));
  expect(toPosted({ kind: 'actions', actions })).toHaveLength(3);
});

it.each([1, 31, 32, 33, 64, 500, 512, 513, 5000])('%i actions arrive in order, in pieces of at most 32', (count) => {
  const actions = Array.from({ length: count }, (_, slot) => added(slot));
  const pieces = arrived({ kind: 'actions', actions }).map((piece) => (piece.kind === 'actions' ? piece.actions : []));
  expect(pieces.flat()).toEqual(actions);
  expect(pieces).toHaveLength(Math.ceil(count / 32));
  expect(Math.max(...pieces.map(({ length }) => length))).toBe(Math.min(count, 32));
});

it('no actions are no message', () => {
  expect(arrived({ kind: 'actions', actions: [] })).toEqual([]);
});
