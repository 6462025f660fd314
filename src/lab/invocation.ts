/**
 * Commands of this project as they can be typed here: `ulvs` if the PATH finds this program by that
 * name, else `node …/main.js`.
 */
import { realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { program } from './names.js';

const FILES: Readonly<Record<string, string>> = { ulvs: 'cli/main.js', ulvsadm: 'cli/ulvsadm.js' };

/**
 * The command line with `ulvs` or `ulvsadm` replaced where necessary; any other command is
 * unchanged. `path` has the form of PATH.
 */
export function invocation(words: string, path = process.env.PATH ?? ''): string {
  const name = /^\S+/.exec(words)?.[0] ?? '';
  const file = FILES[name];
  if (file === undefined || isOnPath(name, program(file), path)) return words;
  return `node ${program(file)}${words.slice(name.length)}`;
}

/**
 * Whether the first program of this name on the PATH is `file` itself, or a link to it (`npm
 * link`).
 */
function isOnPath(name: string, file: string, path: string): boolean {
  const found = path.split(delimiter).flatMap((folder) => real(join(folder, name)) ?? []);
  return found.length > 0 && found[0] === real(file);
}

function real(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}
