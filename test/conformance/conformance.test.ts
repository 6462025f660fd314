/**
 * Replays every recorded scenario through the director. Its answers must be those of the kernel.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Row, replayScenario } from '../../src/replay/scenario.js';
import { recordedScenario, recordedScenarios } from '../support/recorded.js';
import { compare } from './compare.js';

/**
 * ULVS_SCENARIOS names another folder of recorded scenarios, to try new ones before they are kept.
 */
const scenarios = recordedScenarios(process.env.ULVS_SCENARIOS);

function recorded(folder: string): Row[] {
  return readFileSync(`${folder}/out.jsonl`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

describe('scenarios recorded from the kernel', () => {
  it.each([...scenarios])('%s', async (_, folder) => {
    expect(compare(await replayScenario(folder), recorded(folder))).toEqual([]);
  });

  it.skipIf(process.env.ULVS_SCENARIOS)('are at least 350', () => {
    expect(scenarios.size).toBeGreaterThanOrEqual(350);
  });
});

describe('the comparison', () => {
  const rows = recorded(recordedScenario('nat-basic'));
  const at = rows.findIndex((row) => 'hex' in row);

  it('accepts what is equal', () => {
    expect(compare(rows, rows)).toEqual([]);
  });

  it.each([
    ['a changed byte', (hex: string) => `${hex.slice(0, -2)}ff`],
    ['another MAC', (hex: string) => `02000000a099${hex.slice(12)}`],
    ['another TTL', (hex: string) => `${hex.slice(0, 44)}3e${hex.slice(46)}`],
  ])('sees %s', (_, change) => {
    const row = rows[at] as Extract<Row, { hex: string }>;
    const changed = rows.with(at, { ...row, hex: change(row.hex) });
    expect(compare(changed, rows)).not.toEqual([]);
  });

  it('sees a missing frame, another cause, another word of a listing and another expiry', () => {
    const row = rows[at] as Extract<Row, { hex: string }>;
    expect(compare(rows.toSpliced(at, 1), rows)).not.toEqual([]);
    expect(compare(rows.with(at, { ...row, after: 7 }), rows)).not.toEqual([]);
    for (const [from, to] of [
      ['TIME_WAIT', 'FIN_WAIT '],
      ['01:59', '01:49'],
    ] as const) {
      const changed = rows.map((one) => ('out' in one ? { ...one, out: one.out.replace(from, to) } : one));
      expect(compare(changed, rows)).not.toEqual([]);
    }
  });
});
