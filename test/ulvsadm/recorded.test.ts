/** ulvsadm against recordings of the real ipvsadm with kernel 6.1 (recorded/record.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bothStreams, ulvsadm } from '../../src/ulvsadm/ulvsadm.js';
import { inProcess, recordedNames } from './director.js';

/** A recorded command line, its exit code and its output. */
interface Row {
  cmd: string;
  rc: number;
  out: string;
}

const load = (name: string): Row[] =>
  readFileSync(new URL(`recorded/${name}.jsonl`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);

/** The words of a shell command: separated by blanks, held together by single quotes. */
export function shellWords(text: string): string[] {
  return [...text.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ''));
}

const ESCAPES: Record<string, string> = { '\\n': '\n', '\\t': '\t', '\\r': '\r' };

function split(cmd: string): { argv: string[]; stdin: string } {
  const piped = /^printf (?:-- )?'([^']*)' \| ipvsadm (.*)$/.exec(cmd);
  const stdin = (piped?.[1] ?? '').replaceAll(/\\[ntr]/g, (two) => ESCAPES[two]!);
  return { argv: shellWords(piped?.[2] ?? cmd.replace(/^ipvsadm ?/, '')), stdin };
}

/** ulvsadm refuses sync daemons, which ulvs does not have. */
const startsDaemon = ({ cmd, out }: Row): boolean =>
  /^ipvsadm --(start|stop)-daemon/.test(cmd) && !/specified|option/.test(out);

/** Marks of 2^31 and more are saved in a form that -R accepts (see print-rules.ts). */
const readable = (out: string): string =>
  out.replaceAll(/^(-[Aa] -f )(-\d+)/gm, (_, start: string, mark: string) => `${start}${Number(mark) >>> 0}`);

describe.each(['words', 'options', 'destinations', 'restore', 'random'])('recorded %s', (name) => {
  it('answers every line as ipvsadm does', async () => {
    const client = inProcess();
    const differences: { cmd: string; ours: unknown; theirs: unknown }[] = [];
    for (const row of load(name)) {
      const { argv, stdin } = split(row.cmd);
      const result = await ulvsadm(argv, () => stdin, client, { program: 'ipvsadm', names: recordedNames });
      if (startsDaemon(row)) continue;
      const ours = { rc: result.rc, out: bothStreams(result) };
      const theirs = { rc: row.rc, out: readable(row.out) };
      if (ours.rc !== theirs.rc || ours.out !== theirs.out) differences.push({ cmd: row.cmd, ours, theirs });
    }
    expect(differences).toEqual([]);
  });
});
