/** When messages leave, and what is in them. The conformance scenarios compare them with the kernel's. */
import { describe, expect, it } from 'vitest';
import { MasterBuffer } from '../../../src/control/sync/master-buffer.js';

function buffer(maxlen: number, delay?: number) {
  const sent: Uint8Array[] = [];
  return { sent, one: new MasterBuffer(7, maxlen, (bytes) => sent.push(Uint8Array.from(bytes)), 0, delay) };
}

describe('a message', () => {
  it('leaves when it is 2 s old, at one of the looks of the daemon', () => {
    const { sent, one } = buffer(1472);
    one.push(new Uint8Array(36), 1, 500);
    one.tick(2499);
    expect(sent.length).toBe(0);
    one.tick(3072);
    expect(sent.map(({ length }) => length)).toEqual([44]);
  });

  it('leaves at once when the next connection has no room, and when its version changes', () => {
    const { sent, one } = buffer(100);
    for (let i = 0; i < 3; i++) one.push(new Uint8Array(36), 1, 0);
    expect(sent.map(({ length }) => length)).toEqual([80]);
    one.push(new Uint8Array(24), 0, 0);
    one.flush();
    expect(sent.map((bytes) => [...bytes.subarray(0, 6)])).toEqual([
      [0, 7, 0, 80, 2, 1],
      [0, 7, 0, 44, 1, 1],
      [1, 7, 0, 28, 0, 0],
    ]);
  });

  it('pads connections to 4 bytes but the last, and holds 255 of them at most', () => {
    const { sent, one } = buffer(65_000);
    one.push(new Uint8Array(38).fill(1), 1, 0);
    one.push(new Uint8Array(36).fill(2), 1, 0);
    one.flush();
    expect(sent[0]!.length).toBe(8 + 40 + 36);
    expect([...sent[0]!.subarray(45, 49)]).toEqual([1, 0, 0, 2]);
    for (let i = 0; i < 256; i++) one.push(new Uint8Array(36), 1, 0);
    expect(sent[1]![4]).toBe(255);
  });

  it('is as long as its only connection, when maxlen is shorter', () => {
    const { sent, one } = buffer(10);
    one.push(new Uint8Array(36), 1, 0);
    one.push(new Uint8Array(36), 1, 0);
    expect(sent[0]!.length).toBe(44);
  });

  it('leaves after a shorter delay of the configuration', () => {
    const { sent, one } = buffer(1472, 100);
    one.push(new Uint8Array(36), 1, 10);
    one.tick(100);
    expect(sent.length).toBe(0);
    one.tick(150);
    expect(sent.length).toBe(1);
  });
});
