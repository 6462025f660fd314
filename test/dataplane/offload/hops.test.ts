/** Rows of the next hops: which of them lines share, and who makes room when there is none. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Director } from '../../../src/dataplane/director.js';
import { FlowHops } from '../../../src/dataplane/offload/hops.js';
import { Rewriting } from '../../../src/dataplane/offload/rewriting.js';
import { FlowTunnel } from '../../../src/dataplane/offload/tunnel.js';
import { FlowTuple } from '../../../src/dataplane/offload/tuple.js';
import { Neighbour } from '../../../src/dataplane/table/neighbour.js';
import { HOP_SHIFT, Hop } from '../../../src/device/flow/layout.js';
import { UDP } from '../../../src/wire/ipv4.js';

const ROWS = 32;
const MTU = 1500;
const TUNNEL = new FlowTunnel();
const neighbour = new Neighbour(3, 0, 4, new Int32Array(4));

/** Packets to a realserver with this address; `port`: what their destination port becomes. */
function rewriting(address: number, port = 80): Rewriting {
  const [from, to, one] = [new FlowTuple(), new FlowTuple(), new Rewriting()];
  to.daddr = address;
  to.ports = port << 16;
  one.fill(0, UDP, from, to);
  return one;
}

describe('rows of the next hops', () => {
  const clock = { now: 1000 };
  let [rows, users] = [new Int32Array(0), new Int32Array(0)];
  let hops: FlowHops;
  const rowOf = (address: number, port?: number) => hops.rowOf(neighbour, MTU, TUNNEL, rewriting(address, port));
  const director = { links: [{ mac: [0x0200, 1] }], neighbours: { all: [] } };

  beforeEach(() => {
    rows = new Int32Array(ROWS << HOP_SHIFT);
    users = new Int32Array(ROWS);
    clock.now = 1000;
    hops = new FlowHops(Object.assign(clock, director) as unknown as Director, rows, users, 0, 1);
  });

  it('are one for all connections of a service with a realserver', () => {
    expect(rowOf(7)).toBe(rowOf(7));
    expect(new Set([rowOf(7), rowOf(8), rowOf(7, 81)]).size).toBe(3);
  });

  it('are never row 0, which is that of no line', () => {
    const found = Array.from({ length: 4 * ROWS }, (_, i) => rowOf(i));
    expect(found).not.toContain(0);
    expect(new Set(found.filter((row) => row > 0)).size).toBeGreaterThan(ROWS / 2);
    expect(found).toContain(-1);
  });

  it('make room when no line names them, after a second', () => {
    for (let i = 0; i < 4 * ROWS; i++) {
      const row = rowOf(i);
      if (row > 0) users[row] = 1;
    }
    expect(rowOf(1000)).toBe(-1);
    clock.now += 5000;
    expect(rowOf(1000)).toBe(-1);
    users.fill(0);
    expect(rowOf(1000)).toBe(-1);
    clock.now += 500;
    expect(rowOf(1000)).toBe(-1);
    clock.now += 600;
    expect(rowOf(1000)).toBeGreaterThan(0);
  });

  it('take no packet when the neighbour has changed', () => {
    const row = rowOf(7);
    expect(hops.forget(new Neighbour(4, 0, 4, new Int32Array(4)))).toBe(false);
    expect(rows[(row << HOP_SHIFT) + Hop.deviceMtu]).toBe(MTU << 16);
    expect(hops.forget(neighbour)).toBe(true);
    expect(rows[(row << HOP_SHIFT) + Hop.deviceMtu]).toBe(0);
    expect(rowOf(7)).not.toBe(row);
  });
});
