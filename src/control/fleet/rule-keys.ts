/**
 * Rules as keys of etcd. Each key has lines as for `rules` in director.yaml; the order of the keys
 * is that of their bytes.
 *
 *     PREFIX/services/web   ->  -A -t 10.0.0.100:80 -s mh
 *                               -a -t 10.0.0.100:80 -r 192.168.1.11 -g -w 1
 *     PREFIX/directors/NAME ->  what director NAME says about itself (member.ts)
 */
import { createHash } from 'node:crypto';
import type { RuleLine } from '../config/director-config.js';
import type { Entry } from './etcd-client.js';

/** What the keys of the rules begin with. */
export function servicesBelow(prefix: string): string {
  return `${prefix}/services/`;
}

/** What the keys of the directors begin with. */
export function directorsBelow(prefix: string): string {
  return `${prefix}/directors/`;
}

/** The rule lines of all keys, without blank ones and comments. Their `file` is `etcd KEY`. */
export function linesOf(entries: readonly Entry[]): RuleLine[] {
  return entries.flatMap(({ key, value }) =>
    value
      .split(/\r?\n/)
      .map((text, i) => ({ file: `etcd ${key}`, line: i + 1, text: text.trim() }))
      .filter(({ text }) => text !== '' && !text.startsWith('#')),
  );
}

/** What a line of a key may do: add or edit a service, add or edit a destination. */
const COMMANDS = /^(-A|-E|-a|-e|--add-service|--edit-service|--add-server|--edit-server)\s/;

/**
 * A sentence about the first line that is no rule of a key; undefined: none. A line such as -C
 * would undo the rules of other keys.
 */
export function strayLine(lines: readonly RuleLine[]): string | undefined {
  const wrong = lines.find(({ text }) => !COMMANDS.test(text));
  if (wrong === undefined) return undefined;
  const { file, line, text } = wrong;
  return `${file}:${line}: ${text}: write -A or -E for a service, and -a or -e for a destination`;
}

/** Twelve hex digits that are equal when all keys and values are. */
export function digestOf(entries: readonly Entry[]): string {
  const text = JSON.stringify(entries.map(({ key, value }) => [key, value]));
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
