/**
 * Messages on their way to the thread of a dataplane. Many actions are one message, packed as one
 * list, and are applied in pieces, because the dataplane forwards between two pieces:
 *
 *     actions ─► packed × 512 ─► port of the thread ─► actions × 32 ─► a turn ─► actions × 32 ─► …
 */
import type { Action } from '../rules/actions.js';
import { type Packed, pack, unpackPieces } from '../rules/packed-actions.js';
import type { Message } from './messages.js';

export type PostedMessage = Exclude<Message, { kind: 'actions' }> | { kind: 'packed'; packed: Packed };

/** Actions in one message. The thread reads it as a whole and does not forward meanwhile. */
const MOST = 512;
/** Actions in one piece. */
const PIECE = 32;

export function toPosted(message: Message): PostedMessage[] {
  if (message.kind !== 'actions') return [message];
  return partsOf(message.actions).map((actions) => ({ kind: 'packed', packed: pack(actions) }));
}

/** A short list is its own part: `pack` knows it. */
function partsOf(actions: readonly Action[]): readonly (readonly Action[])[] {
  if (actions.length <= MOST) return [actions];
  const count = Math.ceil(actions.length / MOST);
  return Array.from({ length: count }, (_, i) => actions.slice(i * MOST, (i + 1) * MOST));
}

/** The message, or its pieces, each made when it is asked for. */
export function* fromPosted(message: PostedMessage): Generator<Message> {
  if (message.kind !== 'packed') yield message;
  else for (const actions of unpackPieces(message.packed, PIECE)) yield { kind: 'actions', actions };
}
