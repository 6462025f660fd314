/** States of another shape or of the version before: the director goes on with their connections. */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONN_INDEXED, CONN_REVERSE, ENTRY_SHIFT, FLAGS } from '../../../src/conntrack/entry.js';
import { bootId, headerBytes } from '../../../src/control/state/header.js';
import { Journal, type JournalRecord } from '../../../src/control/state/journal.js';
import { StateKeeper } from '../../../src/control/state/keeper.js';
import { FORMER_LAYOUTS, layoutHash, VERSION } from '../../../src/control/state/layout.js';
import { tableOf } from '../../../src/control/state/worker-file.js';
import { Random } from '../../../src/dataplane/table/random.js';
import { DESTINATION_DEFAULTS, SERVICE_DEFAULTS, TCP } from '../../../src/service/config.js';
import { Counters, GAUGES, Gauge } from '../../../src/stats/counters.js';
import { faultOf, hashed, LINES, opened, Process } from '../../conntrack/processes.js';

let directory: string;
let said: string[];

beforeEach(() => {
  directory = mkdtempSync('/dev/shm/ulvs-conversion-');
  said = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const at = (name: string) => path.join(directory, name);

type Say = (text: string) => void;

/** How the next process would share clients. */
function keeperStages(workers: number) {
  const keeper = keeperOf(workers);
  const { stages } = keeper.steering;
  keeper.close();
  return stages;
}

function keeperOf(workers = 1, lines = LINES): StateKeeper {
  const [info, warn] = ['info', 'warn'].map((level) => (text: string) => void said.push(`${level} ${text}`)) as [
    Say,
    Say,
  ];
  return new StateKeeper({ directory, workers, lines, fresh: false, ftp: [21], info, warn });
}

/** The worker with its connections, after the rebuild. */
function processOf(keeper: StateKeeper, worker: number, workers: number, lines: number): Process {
  const file = keeper.store.workers[worker]!;
  const { secret } = tableOf(file, { lines } as never);
  const counters = new Counters(file.counters, workers === 1 ? undefined : keeper.store.workers[0]!.counters);
  const process = new Process(file.table, 1000, counters, lines, secret, false);
  expect(file.inherited).toBe(true);
  expect(process.rebuild().lost).toBe(0);
  return process;
}

/** Flags of the connections and the shift of FTP, the same in any table. */
function listed(process: Process): string[] {
  return hashed(process.table)
    .filter((entry) => (process.connections.flagsOf(entry) & CONN_REVERSE) === 0)
    .map((entry) => {
      const first = entry << ENTRY_SHIFT;
      const shift = process.connections.seqAdj.get(entry)?.shift.toClient(2 ** 30) ?? 2 ** 30;
      const words = [1, 4, 7, 8, 12].map((word) => process.table.words[first + word]);
      return [process.table.words[first + FLAGS]! & ~CONN_INDEXED, shift - 2 ** 30, ...words].join(' ');
    });
}

const SERVICE = { protocol: TCP, address: '10.0.0.100', port: 80 };
const RULES: JournalRecord & { actions: unknown } = {
  actions: [
    { kind: 'addService', slot: 0, service: { ...SERVICE_DEFAULTS, key: SERVICE, scheduler: 'rr' } },
    ...[0, 1, 2, 3, 4].map((slot) => {
      const destination = { ...DESTINATION_DEFAULTS, address: `192.168.1.${slot + 1}`, port: 80 };
      return { kind: 'addDestination' as const, slot, serviceSlot: 0, destination, revived: false };
    }),
  ],
};

/** A director with one worker, that ended. Returns its connections. */
function former(): string[] {
  const keeper = keeperOf();
  keeper.changed(RULES.actions as never);
  const file = keeper.store.workers[0]!;
  const counters = new Counters(file.counters);
  const process = new Process(file.table, 1000, counters, LINES, tableOf(file, { lines: LINES } as never).secret);
  const random = new Random(9);
  for (let i = 0; i < 70; i++) opened(process, random);
  counters.values[counters.destinationRow(2)] = 4711;
  counters.gauges[3 * GAUGES + Gauge.overloaded] = 1;
  keeper.zeroPoints.write('service', 0, [1, 2, 3, 4, 5]);
  const all = listed(process).sort();
  keeper.close();
  return all;
}

/** The connections of all workers, and what else the state must have kept. */
function found(workers: number, lines: number): string[] {
  const keeper = keeperOf(workers, lines);
  const processes = keeper.store.workers.map((_, i) => processOf(keeper, i, workers, lines));
  const all = processes.flatMap(listed).sort();
  const counts = keeper.store.workers.map(({ counters }) => {
    const one = new Counters(counters);
    return one.values[one.destinationRow(2)]!;
  });
  expect(counts.reduce((sum, count) => sum + count)).toBe(4711);
  expect(keeper.store.gauges[3 * GAUGES + Gauge.overloaded]).toBe(1);
  expect(keeper.zeroPoints.read('service', 0)).toEqual([1, 2, 3, 4, 5]);
  expect(keeper.inherited?.actions.length).toBe(6);
  keeper.close();
  expect(readdirSync(directory).sort()).toEqual(['lock', 'rules', ...processes.map((_, i) => `worker-${i}`)]);
  return all;
}

describe('a state of another shape', () => {
  it('has the same connections with other workers and in larger tables', () => {
    const all = former();
    expect(all.length).toBeGreaterThan(50);
    for (const [workers, lines] of [
      [2, LINES],
      [3, 200],
      [1, LINES],
      [1, 1000],
      [2, 1000],
    ] as const)
      expect(found(workers, lines)).toEqual(all);
    expect(said.map((text) => text.replace(/ .*goes on/, ': goes on'))).toEqual([
      expect.stringMatching(/^info: goes on with \d+ connections of 1 worker with 160 lines each \(version 3\)$/),
      expect.stringMatching(/^info: goes on with \d+ connections of 2 workers with 160 lines each \(version 3\)$/),
      expect.stringMatching(/^info: goes on with \d+ connections of 3 workers with 200 lines each \(version 3\)$/),
      expect.stringMatching(/^info: goes on with \d+ connections of 1 worker with 160 lines each \(version 3\)$/),
      expect.stringMatching(/^info: goes on with \d+ connections of 1 worker with 1000 lines each \(version 3\)$/),
    ]);
  });

  it('loses what a smaller table has no room for, and says how many', () => {
    const all = former();
    const few = found(1, 30);
    expect(few.length).toBeGreaterThan(10);
    for (const text of few) expect(all).toContain(text);
    expect(said).toEqual([
      expect.stringMatching(
        `^warn .*goes on with ${few.length} connections .*; ${all.length - few.length} have no room$`,
      ),
    ]);
  });

  it('goes on without connections that were damaged', () => {
    const all = former();
    const bytes = readFileSync(at('worker-0'));
    bytes.fill(0xee, (2 << 20) + 64 * 5, (2 << 20) + 64 * 9);
    writeFileSync(at('worker-0'), bytes);
    const kept = found(2, LINES);
    expect(kept.length).toBeLessThan(all.length);
    for (const text of kept) expect(all).toContain(text);
    expect(said).toEqual([expect.stringMatching(/^warn .*\d+ entries were damaged$/)]);
  });

  it('is converted again after a process that died in the middle of it', () => {
    const all = former();
    found(2, LINES);
    mkdirSync(at('former'));
    renameSync(at('worker-1'), at('former/worker-1'));
    writeFileSync(at('worker-0.new'), 'not whole');
    expect(found(1, 400)).toEqual(all);
  });

  it('is complete after a process that died at the end of it, and knows how clients are shared', () => {
    const all = former();
    found(2, LINES);
    const stages = keeperStages(2);
    expect(stages).toEqual([
      { ports: true, mask4: -1, prefix6: 128, shift: 1 },
      { ports: true, mask4: -1, prefix6: 128 },
    ]);
    const other = [{ ...stages![1]!, ports: false }];
    mkdirSync(at('former.done'));
    writeFileSync(at('former.done/stages'), JSON.stringify(other));
    renameSync(at('worker-1'), at('worker-1.new'));
    expect(found(2, LINES)).toEqual(all);
    expect(keeperStages(2)).toEqual(other);
  });

  it('forgets a conversion that was begun, when it is to be fresh', () => {
    former();
    mkdirSync(at('former'));
    renameSync(at('worker-0'), at('former/worker-0'));
    const keeper = new StateKeeper({
      directory,
      workers: 1,
      lines: LINES,
      fresh: true,
      info: (text) => said.push(text),
      warn: (text) => said.push(text),
    });
    expect([keeper.inherited, keeper.store.workers[0]!.inherited, said]).toEqual([undefined, false, []]);
    keeper.close();
    expect(readdirSync(directory).sort()).toEqual(['lock', 'rules', 'worker-0']);
  });
});

/** What a director of version 1 left; written by that version, with another boot's name. */
interface Fixture {
  readonly version: number;
  readonly layout: string;
  readonly lines: number;
  readonly length: number;
  readonly secret: number[];
  readonly journal: JournalRecord[];
  /** Pages that are not 0: where in the file, and base64. */
  readonly pages: [number, string][];
  /** Number, flags and sequence shift of each entry. */
  readonly entries: [number, number, number][];
}

const FIXTURE = path.join(import.meta.dirname, '../../fixtures/state-version-1.json.gz');

/** Puts it into the directory, as of this boot. */
function putVersion1(more: object = {}): Fixture {
  const fixture = JSON.parse(gunzipSync(readFileSync(FIXTURE)).toString()) as Fixture;
  const { version, layout, lines, length, secret, journal, pages } = fixture;
  const [birth, ...records] = journal as [{ state: string } & JournalRecord, ...JournalRecord[]];
  const boot = bootId();
  new Journal(at('rules'), [{ ...birth, boot } as JournalRecord, ...records]).close();
  const header = { version, layout, boot, state: birth.state, worker: 0, workers: 1, lines, secret, ...more };
  const fd = openSync(at('worker-0'), 'w');
  writeSync(fd, headerBytes(header), 0);
  for (const [where, text] of pages) writeSync(fd, Buffer.from(text, 'base64'), 0, 4096, where);
  ftruncateSync(fd, length);
  closeSync(fd);
  return fixture;
}

describe('a state of version 1', () => {
  it('goes on: connections, sequence shifts, templates, rules, counters and zero points', () => {
    const { entries, journal, lines } = putVersion1();
    const state = (journal[0] as { state: string }).state;
    const keeper = keeperOf(1, lines);
    expect(keeper.id).toBe(state);
    expect(keeper.inherited?.actions.length).toBe(6);
    const process = processOf(keeper, 0, 1, lines);
    const flags = (all: number[]) => all.map((word) => word & ~CONN_INDEXED).sort((a, b) => a - b);
    expect(flags(hashed(process.table).map((entry) => process.connections.flagsOf(entry)))).toEqual(
      flags(entries.map(([, word]) => word)),
    );
    const shifts = [...process.connections.seqAdj.values()].map(({ shift }) => shift.toClient(2 ** 30) - 2 ** 30);
    expect(shifts.length).toBeGreaterThan(3);
    expect(shifts).toEqual(entries.map(([, , shift]) => shift).filter((shift) => shift !== 0));
    const counters = new Counters(keeper.store.workers[0]!.counters);
    expect(counters.values[counters.destinationRow(2) + 1]).toBe(12345);
    expect(counters.values[counters.totalRow]).toBe(77);
    expect(keeper.zeroPoints.read('service', 0)).toEqual([1, 2, 3, 4, 5]);
    expect(faultOf(process)).toBe('');
    keeper.close();
    expect(said).toEqual([
      expect.stringMatching(/goes on with \d+ connections of 1 worker with 160 lines each \(version 1\)$/),
    ]);
    said.length = 0;
    keeperOf(1, lines).close();
    expect(said).toEqual([]);
  });

  it('goes on with two workers and another number of lines, too', () => {
    const { entries } = putVersion1();
    const keeper = keeperOf(2, 300);
    const all = [0, 1].flatMap((worker) => hashed(processOf(keeper, worker, 2, 300).table));
    expect(all.length).toBe(entries.length);
    keeper.close();
  });

  it('as version 2 goes on, but for shifts without their check', () => {
    const { entries, lines } = putVersion1(FORMER_LAYOUTS[1]);
    const keeper = keeperOf(1, lines);
    const sound = entries.filter(([, , shift]) => shift === 0).length;
    expect(hashed(processOf(keeper, 0, 1, lines).table)).toHaveLength(sound);
    expect(said).toEqual([expect.stringMatching(/lines each \(version 2\)/)]);
    keeper.close();
  });

  it('of another layout is moved aside with a clear line, and so is one of another version', () => {
    for (const [more, why] of [
      [{ layout: 'x' }, 'it has the layout of another version of ulvs'],
      [{ version: 7 }, `it has version 7, this is ulvs with version ${VERSION}`],
    ] as const) {
      const { lines } = putVersion1({ layout: layoutHash(), version: VERSION, ...more });
      said.length = 0;
      const keeper = keeperOf(1, lines);
      expect(said).toEqual([`warn ${at('worker-0')} is not used: ${why}; it is now ${at('worker-0.refused')}`]);
      expect([keeper.store.workers[0]!.inherited, keeper.inherited?.actions.length]).toEqual([false, 6]);
      keeper.close();
    }
  });
});
