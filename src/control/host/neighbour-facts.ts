/**
 * What the kernel knows about neighbours, in the words of the dataplane.
 *
 *     20,000 neighbours ──► facts ──► pieces of 200, one message each; packets pass between them
 */
import type { Neighbour } from '../../netlink/neighbour.js';
import type { Message, NeighbourFact } from '../engine/messages.js';

/** Facts in one message: the worker looks at them in less than a millisecond. */
const PIECE = 200;

/** `deviceOf`: index of the link of an interface, −1: it is no device of the director. */
export function neighbourFacts(
  neighbours: readonly (Neighbour & { gone?: boolean })[],
  deviceOf: (ifindex: number) => number,
): NeighbourFact[] {
  return neighbours.flatMap(({ ifindex, ip, mac, valid, state, gone }) => {
    const device = deviceOf(ifindex);
    if (device < 0) return [];
    return [{ device, ip, mac: valid && gone !== true ? mac : '', failed: state === 'FAILED' }];
  });
}

/** The messages that tell the dataplane these facts; none for no facts. */
export function neighbourMessages(facts: readonly NeighbourFact[]): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < facts.length; at += PIECE)
    messages.push({ kind: 'neighbours', facts: facts.slice(at, at + PIECE) });
  return messages;
}
