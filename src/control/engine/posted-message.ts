/**
 * Messages on their way to the thread of a dataplane. Many actions are one message, packed as one
 * list, and are applied in pieces, because the dataplane forwards between two pieces:
 *
 *     actions × 500 ─► packed ─► port of the thread ─► actions × 32 ─► a turn ─► actions × 32 ─► …
 */
import { type Packed, pack, unpackPieces } from '../rules/packed-actions.js';
import type { Message } from './messages.js';

export type PostedMessage = Exclude<Message, { kind: 'actions' }> | { kind: 'packed'; packed: Packed };

/** Actions in one piece. */
const PIECE = 32;

export function toPosted(message: Message): PostedMessage {
  return message.kind === 'actions' ? { kind: 'packed', packed: pack(message.actions) } : message;
}

/** The message, or its pieces, each made when it is asked for. */
export function* fromPosted(message: PostedMessage): Generator<Message> {
  if (message.kind !== 'packed') yield message;
  else for (const actions of unpackPieces(message.packed, PIECE)) yield { kind: 'actions', actions };
}
