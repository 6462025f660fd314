/** Files of a state that are cut, changed or of another version: refused or read as they were, never something else. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HIGH_WATER_WORD } from '../../../src/conntrack/entry.js';
import { wordsOf } from '../../../src/conntrack/memory.js';
import type { Action } from '../../../src/control/rules/actions.js';
import { pack } from '../../../src/control/rules/packed-actions.js';
import { bootId, type Header, headerBytes, readHeader, refusal } from '../../../src/control/state/header.js';
import { JOURNAL_VERSION, Journal, type JournalRecord, readJournal } from '../../../src/control/state/journal.js';
import { StateKeeper } from '../../../src/control/state/keeper.js';
import { layoutHash, layoutOf, VERSION } from '../../../src/control/state/layout.js';
import { Store } from '../../../src/control/state/store.js';
import { DESTINATION_DEFAULTS, SERVICE_DEFAULTS, TCP } from '../../../src/service/config.js';
import { Random } from '../../support/seed.js';

const LINES = 500;
/** `ULVS_RUNS=1000000` for a long one. */
const RUNS = Number(process.env.ULVS_RUNS ?? 300);
const LONG = { timeout: 30_000 + RUNS };
/** Distance of the cuts that are tried: every 4 kB in a long run. */
const CUT = RUNS > 1000 ? 4096 : 4096 * 61;
let directory: string;
let warnings: string[];

beforeEach(() => {
  directory = mkdtempSync('/dev/shm/ulvs-store-');
  warnings = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const needs = (more: object = {}) => {
  return {
    directory,
    workers: 1,
    lines: LINES,
    fresh: false,
    info: () => {},
    warn: (text: string) => warnings.push(text),
    ...more,
  };
};

function header(more: Partial<Header> = {}): Header {
  const secret = [1, 2, 3];
  const same = { version: VERSION, layout: layoutHash(), boot: bootId(), state: 's', worker: 0, workers: 1 };
  return { ...same, lines: LINES, secret, ...more };
}

const changes: Action[][] = Array.from({ length: 12 }, (_, slot) => {
  const key = { protocol: TCP, address: `10.0.0.${slot}`, port: 80 };
  const destination = { ...DESTINATION_DEFAULTS, address: '192.168.1.1', port: 80 };
  return [
    { kind: 'addService', slot, service: { ...SERVICE_DEFAULTS, key, scheduler: 'rr' } },
    { kind: 'addDestination', slot, serviceSlot: slot, destination, revived: false },
  ];
});
const birth = { state: 's', version: JOURNAL_VERSION, boot: bootId(), secret: [1, 2, 3] };
const records: JournalRecord[] = [birth, ...changes.map((actions) => ({ packed: pack(actions) }))];

/** The records of a journal with this content; undefined: it is damaged. */
function readAs(bytes: Uint8Array): readonly JournalRecord[] | undefined {
  writeFileSync(`${directory}/j`, bytes);
  try {
    return readJournal(`${directory}/j`)!.records;
  } catch {
    return undefined;
  }
}

describe('a journal', () => {
  const written = () => {
    new Journal(`${directory}/rules`, records).close();
    return readFileSync(`${directory}/rules`);
  };

  it('that is cut anywhere has the records before the cut', () => {
    const bytes = written();
    for (let end = 0; end <= bytes.length; end += 7) {
      const found = readAs(bytes.subarray(0, end))!;
      expect(found).toEqual(records.slice(0, found.length));
    }
    expect(readAs(bytes)).toEqual(records);
  });

  it('with random bytes is damaged, or has records that were written', LONG, () => {
    const bytes = written();
    const random = new Random(7);
    const all = new Set(readAs(bytes)!.map((record) => JSON.stringify(record)));
    for (let run = 0; run < RUNS; run++) {
      const changed = Uint8Array.from(bytes);
      for (let n = 1 + random.below(5); n > 0; n--) changed[random.below(changed.length)] = random.u8();
      for (const record of readAs(changed) ?? [])
        if (!all.has(JSON.stringify(record))) expect.fail(`run ${run}: ${JSON.stringify(record)}`);
    }
  });
});

describe('the header of a file', () => {
  it('is refused where it says another version, layout or boot, or has another length', () => {
    const { length } = layoutOf(LINES);
    expect(refusal(header(), length, length)).toBeUndefined();
    expect(refusal(undefined, length, length)).toBe('its header is damaged');
    expect(refusal(header({ version: 9 }), length, length)).toBe('it has version 9, this is ulvs with version 3');
    expect(refusal(header({ layout: 'x' }), length, length)).toMatch(/layout/);
    expect(refusal(header({ boot: 'x' }), length, length)).toMatch(/another boot/);
    for (let cut = 0; cut < length; cut += CUT)
      expect(refusal(header(), cut, length)).toMatch(/^it has \d+ bytes, not/);
  });

  it('with random bytes is no header', LONG, () => {
    const bytes = headerBytes(header());
    const random = new Random(3);
    const end = bytes.indexOf(10);
    for (let run = 0; run < RUNS; run++) {
      const changed = Buffer.from(bytes);
      const at = random.below(end);
      changed[at]! ^= 1 + random.below(255);
      if (readHeader(changed) !== undefined) expect.fail(`run ${run}: byte ${at}`);
    }
  });
});

/**
 * A change of these numbers is a change of the files: raise VERSION where the meaning of a byte has
 * changed, then this hash.
 */
it('the layout is that of version 3', () => {
  expect([VERSION, layoutHash()]).toEqual([3, '2777aa076bc20bdd']);
});

describe('a state', () => {
  it('is found again, memory and rules', () => {
    const first = new StateKeeper(needs());
    first.changed(changes[0]!);
    wordsOf(first.store.workers[0]!.table.lines, 16)[HIGH_WATER_WORD] = 77;
    first.zeroPoints.write('service', 5, [1, 2, 3, 4, 5]);
    const { secret } = first.store.workers[0]!;
    first.close();
    const second = new StateKeeper(needs());
    expect(second.inherited?.actions).toEqual(changes[0]);
    expect(wordsOf(second.store.workers[0]!.table.lines, 16)[HIGH_WATER_WORD]).toBe(77);
    expect(second.zeroPoints.read('service', 5)).toEqual([1, 2, 3, 4, 5]);
    expect([second.id, second.store.workers[0]!.secret, warnings]).toEqual([first.id, secret, []]);
    second.close();
  });

  it('reads a journal of a former version, and refuses one of a later', () => {
    const journal = `${directory}/rules`;
    for (const version of [3, JOURNAL_VERSION + 1]) {
      new Journal(journal, [{ ...birth, version }, ...changes.map((actions) => ({ actions }))]).close();
      const keeper = new StateKeeper(needs());
      const found = keeper.inherited?.actions;
      expect(found?.length).toBe(version === 3 ? changes.flat().length : undefined);
      keeper.close();
    }
    expect(warnings).toEqual([
      expect.stringContaining('it has version 5, this is ulvs with version 4'),
      expect.stringContaining('it belongs to other rules than those of this state'),
    ]);
    expect(existsSync(`${journal}.refused`)).toBe(true);
  });

  it('is removed when its first start was refused, and not one that went on', () => {
    for (const isOlder of [false, true]) {
      const keeper = new StateKeeper(needs());
      expect(keeper.inherited !== undefined).toBe(isOlder);
      keeper.close();
      if (isOlder) keeper.store.forgetNew();
      expect(existsSync(keeper.store.journalPath)).toBe(true);
    }
    const begun = new StateKeeper({ ...needs(), fresh: true });
    begun.close();
    begun.store.forgetNew();
    expect(existsSync(begun.store.journalPath)).toBe(false);
  });

  it('writes its journal anew when it has become long, a moment later', () => {
    vi.useFakeTimers();
    const keeper = new StateKeeper(needs());
    const destination = { ...DESTINATION_DEFAULTS, address: '192.168.1.1', port: 80 };
    keeper.changed(changes[0]!);
    for (let weight = 0; weight < 25_000; weight++)
      keeper.changed([{ kind: 'editDestination', slot: 0, destination: { ...destination, weight } }]);
    expect(readFileSync(keeper.store.journalPath).length).toBeGreaterThan(5 << 20);
    vi.runOnlyPendingTimers();
    vi.useRealTimers();
    expect(readFileSync(keeper.store.journalPath).length).toBeLessThan(1 << 16);
    keeper.close();
    const again = new StateKeeper(needs());
    expect(JSON.stringify(again.inherited)).toContain('"weight":24999');
    again.close();
  });

  it('moves a file aside that was cut, and goes on with the rules', () => {
    const { length } = layoutOf(LINES);
    const random = new Random(5);
    for (let run = 0; run < 20; run++) {
      new StateKeeper(needs()).close();
      truncateSync(`${directory}/worker-0`, 4096 * random.below(length / 4096));
      warnings.length = 0;
      const keeper = new StateKeeper(needs());
      expect([warnings.length, keeper.store.workers[0]!.inherited, keeper.inherited]).toMatchObject([1, false, {}]);
      keeper.close();
    }
    expect(readdirSync(directory).sort()).toEqual(['lock', 'rules', 'worker-0', 'worker-0.refused']);
  });

  it('belongs to one director at a time', () => {
    const first = new Store(needs());
    expect(() => new Store(needs())).toThrow(/another director uses it \(pid \d+\); give each one its own 'state'/);
    first.close();
    new Store(needs()).close();
  });
});
