/** Lines of one table, as several workers and a former process write them. */
import { describe, expect, it } from 'vitest';
import { tellAlive } from '../../../src/dataplane/offload/alive.js';
import { FlowLines } from '../../../src/dataplane/offload/lines.js';
import { FlowTuple } from '../../../src/dataplane/offload/tuple.js';
import {
  CONTROL_WORDS,
  Control,
  LEDGER_SHIFT,
  LINE_SHIFT,
  TOLD_WORDS,
  WAYS,
  WIDE_SHIFT,
} from '../../../src/device/flow/layout.js';
import type { FlowMemory } from '../../../src/device/flow/maps.js';

const UNIT_MS = 1;
const SEAL = 77;

/** A table of one bucket, in plain memory. */
function table(): FlowMemory {
  const control = new Int32Array(CONTROL_WORDS);
  control[Control.generation] = 1;
  const ledger = new Float64Array(WAYS << (LEDGER_SHIFT - 1));
  return {
    control,
    counts: new Float64Array(control.buffer),
    lines: new Int32Array(WAYS << LINE_SHIFT),
    wide: new Int32Array(WAYS << WIDE_SHIFT),
    ledger,
    ledgerWords: new Int32Array(ledger.buffer),
    hops: new Int32Array(1024),
    bits: 0,
    secret: [1, 2, 3],
  };
}

/** Writes the line of a connection; −1: there is no room. */
function put(lines: FlowLines, owner: number, now = 5000): number {
  const tuple = new FlowTuple();
  const line = lines.claim(tuple, now);
  if (line < 0 || !lines.take(line, owner)) return -1;
  lines.write(line, owner, 17, tuple, tuple, SEAL);
  lines.enforce(line, 0, now);
  return line;
}

describe('lines of a table', () => {
  it('belong to one worker each, until it frees them and they have rested', () => {
    const memory = table();
    const [first, second] = [new FlowLines(memory, UNIT_MS, 0), new FlowLines(memory, UNIT_MS, 1)];
    expect([put(first, 10), put(second, 10), put(first, 11), put(second, 11)].sort()).toEqual([0, 1, 2, 3]);
    expect([first.used, second.used]).toEqual([2, 2]);
    const late = 60_000;
    for (const line of [0, 1, 2, 3])
      if (first.owners[line] !== 0) first.free(line, late);
      else second.enforce(line, 0, late);
    expect(put(second, 12, late + 500)).toBe(-1);
    expect(put(second, 12, late + 2000)).toBeGreaterThanOrEqual(0);
    expect(second.used).toBe(3);
  });

  it('are adopted by the same worker, where the seal of the connection is the same', () => {
    const memory = table();
    for (const worker of [0, 1]) for (const owner of [20, 21]) put(new FlowLines(memory, UNIT_MS, worker), owner);
    const heir = new FlowLines(memory, UNIT_MS, 1);
    const adopted: number[] = [];
    heir.adopt(
      (owner) => (owner === 20 ? SEAL : SEAL + 1),
      (_, owner) => adopted.push(owner),
      6000,
    );
    expect(adopted).toEqual([20]);
    expect(heir.used).toBe(1);
    const other = new FlowLines(memory, UNIT_MS, 0);
    other.adopt(
      () => SEAL,
      (_, owner) => adopted.push(owner),
      6000,
    );
    expect(adopted.sort()).toEqual([20, 20, 21]);
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
