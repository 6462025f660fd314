/** Finds recorded scenarios: test/conformance/recorded/SUBJECT/NAME. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../conformance/recorded');

/** Subjects of names whose first word is not the subject. */
const SUBJECTS: Readonly<Record<string, string>> = {
  ttl: 'mtu',
  nodest: 'odd',
  dr: 'basic',
  fwmark: 'basic',
  nat: 'basic',
};

/**
 * The subject of a scenario: the first word of its name (`icmp` of `icmp6-dr`), or its entry in
 * SUBJECTS.
 */
export function subjectOf(name: string): string {
  const word = /^[a-z]+/.exec(name)?.[0] ?? name;
  return SUBJECTS[word] ?? word;
}

/** Name -> folder of every recorded scenario below `root`. A recorded scenario has an out.jsonl. */
export function recordedScenarios(root = ROOT): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    const folder = join(root, entry.name);
    if (!entry.isDirectory()) continue;
    if (existsSync(join(folder, 'out.jsonl'))) found.set(entry.name, folder);
    else for (const [name, inner] of recordedScenarios(folder)) found.set(name, inner);
  }
  return found;
}

export function recordedScenario(name: string): string {
  const folder = recordedScenarios().get(name);
  if (folder === undefined) throw new Error(`no recorded scenario ${name} below ${ROOT}`);
  return folder;
}
