/**
 * Tests the allow-list of the fast path. It takes only connections and services whose flags it
 * knows all; a new flag means the slow path.
 */
import { expect, it } from 'vitest';
import {
  CONN_ANSWERED,
  CONN_HASHED,
  CONN_INACTIVE,
  CONN_INDEXED,
  CONN_NOOUTPUT,
  CONN_SYNC,
  ENTRY_SHIFT,
  FLAGS,
  METHOD_MASK,
} from '../../../src/conntrack/entry.js';
import { SVC_SCHED1, SVC_SCHED2, SVC_SCHED3 } from '../../../src/service/config.js';
import { parse4 } from '../../../src/wire/address.js';
import { Random } from '../../support/seed.js';
import { directorOf } from './network.js';
import { Side } from './side.js';
import { arriving } from './traffic.js';

const segment = (sport: number, flags: string) =>
  arriving(0).ipv4({ src: '10.0.0.1', dst: '10.0.0.103' }).tcp({ sport, dport: 80, flags }).bytes();

async function begin(): Promise<Side> {
  return new Side(await directorOf({}), true);
}

it('a connection flag that is not on the list takes a packet to the slow path', async () => {
  const side = await begin();
  const { words, table } = side.inner.director.connections;
  const fast: number[] = [];
  for (let bit = 0; bit < 32; bit++) {
    if (((1 << bit) & METHOD_MASK) !== 0) continue;
    side.turn(0, 0, [segment(1000 + bit, 'S')]);
    const entry = table.findIn4(6, parse4('10.0.0.1')!, parse4('10.0.0.103')!, ((1000 + bit) << 16) | 80);
    words[(entry << ENTRY_SHIFT) + FLAGS]! |= 1 << bit;
    const { length } = side.fast;
    side.turn(0, 0, [segment(1000 + bit, 'A')]);
    if (side.fast.length > length) fast.push(1 << bit);
  }
  expect(fast).toEqual([CONN_SYNC, CONN_HASHED, CONN_NOOUTPUT, CONN_INACTIVE, CONN_INDEXED, CONN_ANSWERED]);
});

it('a service flag that is not on the list takes a SYN to the slow path', async () => {
  const side = await begin();
  const random = new Random();
  const service = side.inner.director.services.all().find(({ address }) => (address & 0xff) === 103)!;
  const fast: number[] = [];
  for (let bit = 0; bit < 32; bit++) {
    service.flags = 1 << bit;
    const { length } = side.fast;
    side.turn(0, 0, [segment(1000 + bit * 64 + random.below(64), 'S')]);
    if (side.fast.length > length) fast.push(1 << bit);
  }
  expect(fast).toEqual([SVC_SCHED1, SVC_SCHED2, SVC_SCHED3]);
});
