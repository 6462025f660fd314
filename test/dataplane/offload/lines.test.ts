/** Lines of one table, as several workers and a former process write them. */
import { describe, expect, it } from 'vitest';
import { tellAlive } from '../../../src/dataplane/offload/alive.js';
import { FlowLines } from '../../../src/dataplane/offload/lines.js';
import { FlowTuple } from '../../../src/dataplane/offload/tuple.js';
import { flowHash } from '../../../src/device/flow/hash.js';
import {
  CONTROL_WORDS,
  Control,
  DEAL,
  GENERATION,
  LEDGER_SHIFT,
  LINE_BITS,
  LINE_SHIFT,
  pairOf,
  pairs,
  SLOTS,
  TOLD_WORDS,
  WIDE_SHIFT,
} from '../../../src/device/flow/layout.js';
import type { FlowMemory } from '../../../src/device/flow/maps.js';

const UNIT_MS = 1;
const SEAL = 77;
const SECRET = [0x1b873593, 0xcc9e2d51 | 0, 0x85ebca6b | 0];
const BITS = 6;
const LINES = SLOTS << BITS;
/** The first line that is in no pair. */
const UNPAIRED = 2 * pairs(LINES);
/** The first line of the pair that is meant: of worker 1, where there are two. */
const PAIR = DEAL;

/** A table of a few buckets, in plain memory. */
function table(): FlowMemory {
  const control = new Int32Array(CONTROL_WORDS);
  control[Control.generation] = 1;
  const ledger = new Float64Array(LINES << (LEDGER_SHIFT - 1));
  return {
    control,
    counts: new Float64Array(control.buffer),
    slots: new Int32Array(LINES),
    lines: new Int32Array(LINES << LINE_SHIFT),
    wide: new Int32Array(LINES << WIDE_SHIFT),
    ledger,
    ledgerWords: new Int32Array(ledger.buffer),
    hops: new Int32Array(1024),
    secret: SECRET,
  };
}

/** Ports of one bucket and one pair. `isAlike`: all have the same tag, too; else each has another one. */
function portsOfBucket(count: number, isAlike = false): number[] {
  const found = new Map<number, number[]>();
  for (let ports = 1; ; ports++) {
    const hash = flowHash(SECRET, 0, 0, ports);
    if (hash % 2 ** BITS !== 0 || 2 * pairOf(hash, pairs(LINES)) !== PAIR) continue;
    const tag = hash >>> LINE_BITS;
    found.set(tag, [...(found.get(tag) ?? []), ports]);
    if (isAlike && found.get(tag)!.length === count) return found.get(tag)!;
    if (!isAlike && found.size === count) return [...found.values()].map(([first]) => first!);
  }
}

/** Writes the line of a connection; 0: there is no room. */
function put(lines: FlowLines, owner: number, ports: number, now = 5000): number {
  const tuple = new FlowTuple();
  tuple.ports = ports;
  const line = lines.claim(tuple, now);
  if (line === 0) return 0;
  if (lines.owners[line] !== 0) lines.vacate(line, now);
  if (!lines.take(line, owner, now)) return 0;
  lines.write(line, owner, tuple, tuple, SEAL);
  lines.enforce(line, 0, now);
  return line;
}

const PORTS = portsOfBucket(SLOTS + 2);

describe('lines of a table', () => {
  it('are those of the pair, then of the last quarter, where they lie close together', () => {
    const lines = new FlowLines(table(), UNIT_MS);
    const found = PORTS.slice(0, SLOTS).map((ports, i) => put(lines, 10 + i, ports));
    expect(found).toEqual([
      PAIR,
      PAIR + 1,
      UNPAIRED,
      UNPAIRED + 1,
      UNPAIRED + 2,
      UNPAIRED + 3,
      UNPAIRED + 4,
      UNPAIRED + 5,
    ]);
  });

  it('belong to one worker each', () => {
    const memory = table();
    const [first, second] = [new FlowLines(memory, UNIT_MS, 0, 2), new FlowLines(memory, UNIT_MS, 1, 2)];
    const lines = PORTS.slice(0, SLOTS).map((ports, i) => put(i % 2 === 0 ? first : second, 10 + i, ports));
    const other = UNPAIRED + DEAL;
    expect(lines).toEqual([UNPAIRED, PAIR, UNPAIRED + 1, PAIR + 1, UNPAIRED + 2, other, UNPAIRED + 3, other + 1]);
    expect([first.used, second.used]).toEqual([4, 4]);
    expect(put(first, 30, PORTS[SLOTS]!)).toBe(0);
  });

  it('are used again once they have rested', () => {
    const lines = new FlowLines(table(), UNIT_MS);
    const late = 60_000;
    lines.release(put(lines, 10, PORTS[0]!), late);
    expect(put(lines, 11, PORTS[0]!, late + 500)).toBe(PAIR + 1);
    expect(put(lines, 12, PORTS[1]!, late + 2000)).toBe(PAIR);
    lines.release(put(lines, 13, PORTS[2]!, late + 2000), late + 2000);
    expect(put(lines, 14, PORTS[3]!, late + 2500)).toBe(UNPAIRED + 1);
    expect(put(lines, 15, PORTS[4]!, late + 4000)).toBe(UNPAIRED);
    expect(put(lines, 16, PORTS[5]!, late + 4000)).toBe(UNPAIRED + 2);
  });

  it('leave for another connection of their bucket when they were idle for long', () => {
    const memory = table();
    const lines = new FlowLines(memory, UNIT_MS);
    for (let i = 0; i < SLOTS; i++) put(lines, 10 + i, PORTS[i]!, 5000 + i);
    expect(put(lines, 30, PORTS[SLOTS]!, 14_000)).toBe(0);
    expect(put(lines, 30, PORTS[SLOTS]!, 15_100)).toBe(0);
    expect(memory.lines[(PAIR << LINE_SHIFT) + GENERATION]).toBe(0);
    expect(put(lines, 30, PORTS[SLOTS]!, 16_200)).toBe(PAIR);
    expect(lines.used).toBe(SLOTS);
  });

  it('have different tags in a bucket, because packets find the first one only', () => {
    const lines = new FlowLines(table(), UNIT_MS);
    const [one, other] = portsOfBucket(2, true) as [number, number];
    expect([put(lines, 10, one), put(lines, 11, other)]).toEqual([PAIR, 0]);
    lines.release(PAIR, 6000);
    expect(put(lines, 11, other, 6000)).toBe(PAIR + 1);
  });

  it('end with the table', () => {
    const lines = new FlowLines(table(), UNIT_MS);
    const put1 = (i: number) => put(lines, i, i);
    const found = Array.from({ length: 4 * LINES }, (_, i) => put1(i + 1)).filter((line) => line !== 0);
    expect(new Set(found).size).toBe(found.length);
    expect(Math.max(...found)).toBeLessThan(LINES);
    expect(found.length).toBeGreaterThan(LINES / 2);
  });

  it('are adopted by the same worker, where the seal of the connection is the same', () => {
    const memory = table();
    for (const worker of [0, 1]) {
      const former = new FlowLines(memory, UNIT_MS, worker, 2);
      for (const i of [0, 1]) put(former, 20 + i, PORTS[2 * worker + i]!);
    }
    const heir = new FlowLines(memory, UNIT_MS, 1, 2);
    const adopted: number[] = [];
    heir.adopt(
      (owner) => (owner === 20 ? SEAL : SEAL + 1),
      (_, owner) => adopted.push(owner),
      6000,
    );
    expect(adopted).toEqual([20]);
    expect(heir.used).toBe(1);
    expect(put(heir, 40, PORTS[3]!, 8000)).toBe(PAIR + 1);
    const other = new FlowLines(memory, UNIT_MS, 0, 2);
    other.adopt(
      () => SEAL,
      (_, owner) => adopted.push(owner),
      6000,
    );
    expect(adopted.sort()).toEqual([20, 20, 21]);
    expect(put(other, 41, PORTS[4]!, 8000)).toBe(UNPAIRED + 2);
  });
});

describe('the time without the director', () => {
  it('is that of the worker that lived longest ago', () => {
    const { control } = table();
    control[Control.workers] = 2;
    const tell = (worker: number, until: number) => {
      tellAlive(control, Control.told + worker * TOLD_WORDS, until);
      return control[Control.aliveUntil];
    };
    expect(tell(0, 100)).toBe(0);
    expect([tell(1, 90), tell(0, 500), tell(1, 600), tell(0, 700)]).toEqual([90, 90, 500, 600]);
  });
});
