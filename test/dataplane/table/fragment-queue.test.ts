/** Tests the queue of fragments of one datagram: order, overlaps, repetitions and the end. */
import { describe, expect, it } from 'vitest';
import { PacketInfo } from '../../../src/dataplane/parse/packet.js';
import { FragmentQueue, Piece, Placing } from '../../../src/dataplane/table/fragment-queue.js';
import { Random } from '../../support/seed.js';

const { placed, duplicate, overlap } = Placing;

function fresh(): FragmentQueue {
  const datagram = new FragmentQueue();
  datagram.start(new PacketInfo(), 1, 17, 0);
  return datagram;
}
function place(datagram: FragmentQueue, from: number, to: number, more = true): number {
  const piece = new Piece();
  piece.from = from;
  piece.to = to;
  return datagram.place(piece, more);
}
function bounds(datagram: FragmentQueue): number[][] {
  const all: number[][] = [];
  for (let piece = datagram.first; piece !== undefined; piece = piece.next) all.push([piece.from, piece.to]);
  return all;
}

describe('fragments of one datagram', () => {
  it('stand in order however they come, and are complete when no byte is missing', () => {
    const random = new Random();
    for (let round = 0; round < 500; round++) {
      const cuts = [...new Set(Array.from({ length: random.between(1, 12) }, () => 8 * random.between(1, 100)))];
      const edges = [0, ...cuts.sort((a, b) => a - b), 808 + random.below(8)];
      const pieces = edges.slice(1).map((to, i) => [edges[i]!, to] as const);
      const datagram = fresh();
      const order = random.shuffle(pieces);
      for (const [i, [from, to]] of order.entries()) {
        expect(datagram.complete, `seed ${random.seed} round ${round}`).toBe(false);
        expect(place(datagram, from, to, to !== edges.at(-1))).toBe(placed);
        const again = place(datagram, from, to, to !== edges.at(-1));
        expect(again, `seed ${random.seed} round ${round} piece ${i} again`).toBe(duplicate);
      }
      expect(bounds(datagram)).toEqual(pieces.map((piece) => [...piece]));
      expect(datagram.complete).toBe(true);
    }
  });

  it('never overlap unseen: what is placed shares no byte with another', () => {
    const random = new Random();
    for (let round = 0; round < 2000; round++) {
      const datagram = fresh();
      const taken = new Uint8Array(128);
      for (let i = 0; i < 12; i++) {
        const from = random.below(15);
        const to = from + random.between(1, 6);
        const before = taken.slice(from, to).reduce((sum, byte) => sum + byte, 0);
        const answer = place(datagram, 8 * from, 8 * to);
        const where = `seed ${random.seed} round ${round} piece ${i}`;
        if (answer === overlap) expect(before, where).toBeGreaterThan(0);
        if (answer === overlap) break;
        expect(before, where).toBe(answer === placed ? 0 : to - from);
        taken.fill(1, from, to);
      }
    }
  });

  it('take a piece within what came in order for a repetition, across other pieces for an attack', () => {
    const datagram = fresh();
    expect([place(datagram, 0, 400), place(datagram, 400, 800)]).toEqual([placed, placed]);
    expect(place(datagram, 200, 600)).toBe(duplicate);
    const late = fresh();
    expect([place(late, 400, 800), place(late, 0, 400)]).toEqual([placed, placed]);
    expect(place(late, 200, 600)).toBe(overlap);
  });

  it('agree about the end', () => {
    const cases: [from: number, to: number, more: boolean][][] = [
      [
        [0, 800, false],
        [800, 1600, true],
      ],
      [
        [800, 1600, true],
        [0, 800, false],
      ],
      [
        [800, 1600, false],
        [1600, 1700, false],
      ],
    ];
    for (const [first, second] of cases) {
      const datagram = fresh();
      expect(place(datagram, ...first!)).toBe(placed);
      expect(place(datagram, ...second!)).toBe(overlap);
    }
  });
});
