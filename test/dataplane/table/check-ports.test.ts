/** Ports of health checks that go through the dataplane (end to end: test/e2e/health/by-vip.test.ts). */
import { describe, expect, it } from 'vitest';
import { CheckPorts, FIRST_CHECK_PORT } from '../../../src/dataplane/table/check-ports.js';
import { TCP, UDP } from '../../../src/wire/ipv4.js';

describe('ports of checks', () => {
  const ports = () => new CheckPorts(CheckPorts.memory(), [TCP]);

  it('gives a check the same port for all its packets, and knows its owner', () => {
    const table = ports();
    const port = table.portOf(TCP, 7, 40_001, 100);
    expect(port).toBeGreaterThanOrEqual(FIRST_CHECK_PORT);
    expect(table.portOf(TCP, 7, 40_001, 200)).toBe(port);
    expect(table.ownerOf(TCP, port)).toBe((7 << 16) | 40_001);
    expect(table.ownerOf(UDP, port)).toBe(0);
    expect(table.ownerOf(TCP, FIRST_CHECK_PORT - 1)).toBe(0);
  });

  it('keeps the largest slot and port apart from others', () => {
    const table = ports();
    const port = table.portOf(TCP, 65_535, 65_535, 1);
    const owner = table.ownerOf(TCP, port);
    expect([owner >>> 16, owner & 0xffff]).toEqual([65_535, 65_535]);
  });

  it('takes the port that was silent longest when all near it are in use', () => {
    const table = ports();
    const given = new Map<number, number>();
    // More checks than ports, each a little later than the one before.
    for (let i = 1; i <= 20_000; i++) given.set(table.portOf(TCP, i & 0xffff, 30_000 + (i >> 4), i), i);
    const recent = [...Array(400).keys()].map((k) => 20_000 - k);
    const kept = recent.filter((i) => {
      const port = table.portOf(TCP, i & 0xffff, 30_000 + (i >> 4), 20_001);
      return given.get(port) === i;
    });
    expect(kept.length).toBeGreaterThan(390);
  });

  it('shares its memory between workers', () => {
    const memory = CheckPorts.memory();
    const [one, other] = [new CheckPorts(memory, [TCP]), new CheckPorts(memory, [TCP])];
    const port = one.portOf(TCP, 3, 50_000, 1);
    expect(other.ownerOf(TCP, port)).toBe((3 << 16) | 50_000);
  });
});
