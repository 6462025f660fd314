/**
 * The texts of /proc/net against those of Debian's kernel 6.1 for the same frames (recorded/, made
 * by the oracle).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROC_NAMES } from '../../src/proc/text.js';
import { replayScenario } from '../../src/replay/scenario.js';

interface Row {
  cmd?: string;
  out?: string;
}

const DIRECTORY = `${import.meta.dirname}/recorded`;

function recorded(): Row[] {
  const lines = readFileSync(`${DIRECTORY}/out.jsonl`, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Row).filter(({ cmd }) => cmd !== undefined);
}

/**
 * The text without the seconds left of each connection. They may differ by one, because the moment
 * of reading differs.
 */
function split(text: string): { text: string; seconds: number[] } {
  const seconds: number[] = [];
  const masked = text.replace(/^((?:TCP|UDP) .*?) +(\d+)$/gm, (_, row: string, left: string) => {
    seconds.push(Number(left));
    return row;
  });
  return { text: masked, seconds };
}

describe("ulvs proc prints what Debian's kernel prints", async () => {
  const rows: Row[] = (await replayScenario(DIRECTORY)).filter((row) => 'cmd' in row);

  it('for every file', () => {
    const commands = recorded().map(({ cmd }) => cmd!);
    expect(PROC_NAMES.filter((name) => !commands.some((cmd) => cmd.includes(`/${name}`)))).toEqual([]);
    expect(rows.map(({ cmd }) => cmd)).toEqual(commands);
  });

  it.each(recorded().map((row, i) => [row.cmd!, row.out!, i] as const))('%s', (_, out, i) => {
    const ours = split(rows[i]!.out!);
    const theirs = split(out);
    expect(ours.text).toBe(theirs.text);
    expect(ours.seconds.length).toBe(theirs.seconds.length);
    for (const [k, left] of ours.seconds.entries()) expect(Math.abs(left - theirs.seconds[k]!)).toBeLessThanOrEqual(1);
  });
});
