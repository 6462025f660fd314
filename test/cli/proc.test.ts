/** The texts of /proc/net against what Debian's kernel 6.1 printed for the same frames (test/cli/proc, recorded by the oracle). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROC_NAMES } from '../../src/proc/text.js';
import { replayScenario } from '../../src/replay/scenario.js';

interface Row {
  cmd?: string;
  out?: string;
}

const DIRECTORY = `${import.meta.dirname}/proc`;

function recorded(): Row[] {
  const lines = readFileSync(`${DIRECTORY}/out.jsonl`, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Row).filter(({ cmd }) => cmd !== undefined);
}

/** The seconds left of a connection's row, masked: they may differ by one, the moment of reading is not the same. */
function split(text: string): { text: string; seconds: number[] } {
  const seconds: number[] = [];
  const masked = text.replace(/^((?:TCP|UDP) .*?) +(\d+)$/gm, (_, row: string, left: string) => {
    seconds.push(Number(left));
    return row;
  });
  return { text: masked, seconds };
}

describe("ulvs proc, as Debian's kernel", async () => {
  const rows: Row[] = (await replayScenario(DIRECTORY)).filter((row) => 'cmd' in row);

  it('every file is in the recording', () => {
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
