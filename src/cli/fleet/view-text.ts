/** The table of `ulvs fleet status`. */
import type { DirectorView, FleetView } from '../../control/fleet/view.js';
import { announcedText, duration } from '../commands/status.js';

const HEAD = ['director', 'version', 'up', 'rules', 'announced', 'connections'];

/** `now`: milliseconds since 1970. */
export function viewText({ revision, digest, keys, lines, directors }: FleetView, now: number): string {
  const rows = [HEAD, ...directors.map((director) => rowOf(director, now))];
  const widths = HEAD.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return [
    `rules in etcd: ${lines} lines in ${keys} keys, revision ${revision}, digest ${digest}`,
    ...rows.map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    ),
    ...directors.flatMap(({ name, why }) => (why === '' ? [] : why.split('\n').map((line) => `${name}: ${line}`))),
    ...(directors.length === 0 ? ['no director is there'] : []),
  ].join('\n');
}

function rowOf(
  { name, version, started, rules, revision, announced, withdrawn, connections }: DirectorView,
  now: number,
): string[] {
  const shown = announcedText({ withdrawn, prefixes: announced });
  const rule = rules === 'equal' ? rules : `${rules} (${revision === 0 ? 'none' : `revision ${revision}`})`;
  return [name, version, duration(Math.max(0, Math.floor((now - started) / 1000))), rule, shown, String(connections)];
}
