/**
 * A command line of a scenario, with as much shell as scenarios use: `ipvsadm …` with quotes,
 * `2>&1`, `| sort`, `; echo rc=$?`, several commands separated by `;`, and `printf 'lines' |
 * ipvsadm -R`. Any other command has exit code 127.
 */
import type { AdminClient } from '../control/api/api.js';
import { isProcName, procText } from '../proc/text.js';
import { offlineNames } from '../ulvsadm/names.js';
import { bothStreams, ulvsadm } from '../ulvsadm/ulvsadm.js';

export interface Answer {
  readonly rc: number;
  readonly out: string;
}

const UNKNOWN: Answer = { rc: 127, out: '' };

/** Runs a command line. Returns stdout and stderr together, as the oracle records them. */
export async function runCommandLine(line: string, client: AdminClient): Promise<Answer> {
  let out = '';
  let rc = 0;
  for (const part of splitOutsideQuotes(line, ';')) {
    const result = await pipeline(part.trim(), client, rc);
    if (result === undefined) return UNKNOWN;
    out += result.out;
    rc = result.rc;
  }
  return { rc, out };
}

async function pipeline(text: string, client: AdminClient, lastRc: number): Promise<Answer | undefined> {
  let piped = '';
  let rc = 0;
  for (const stage of splitOutsideQuotes(text, '|')) {
    const words = wordsOf(stage.replace(/2>&1/g, ' '));
    const result = await stageOf(words, piped, client, lastRc);
    if (result === undefined) return undefined;
    piped = result.out;
    rc = result.rc;
  }
  return { rc, out: piped };
}

async function stageOf(
  words: string[],
  input: string,
  client: AdminClient,
  lastRc: number,
): Promise<Answer | undefined> {
  const [program, ...args] = words;
  switch (program) {
    case 'ipvsadm':
    case 'ulvsadm': {
      const result = await ulvsadm(args, () => input, client, { program, names: offlineNames() });
      return { rc: result.rc, out: bothStreams(result) };
    }
    case 'cat':
      return cat(args, client);
    case 'sort':
      return { rc: 0, out: sortLines(input) };
    case 'echo':
      return { rc: 0, out: `${args.join(' ').replaceAll('$?', String(lastRc))}\n` };
    case 'printf':
      return { rc: 0, out: (args[0] ?? '').replaceAll('\\n', '\n') };
    default:
      return undefined;
  }
}

/** Prints a file: only the files of IPVS in /proc/net exist. */
async function cat([path = '']: readonly string[], client: AdminClient): Promise<Answer | undefined> {
  const name = path.replace('/proc/net/', '');
  return isProcName(name) ? { rc: 0, out: await procText(name, client) } : undefined;
}

/** sort(1) in the C locale. */
function sortLines(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.length === 0 ? '' : `${lines.sort((a, b) => (a < b ? -1 : 1)).join('\n')}\n`;
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts = [''];
  let quote = '';
  for (const char of text) {
    if (quote === '' && (char === "'" || char === '"')) quote = char;
    else if (char === quote) quote = '';
    if (char === separator && quote === '') parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

function wordsOf(text: string): string[] {
  const found = text.match(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g) ?? [];
  return found.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double));
}
