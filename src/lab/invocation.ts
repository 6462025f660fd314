/** Commands of ours as they can be typed here: `ulvs` where that is this program, else `node …/main.js`. */
import { realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { program } from './names.js';

const FILES: Readonly<Record<string, string>> = { ulvs: 'cli/main.js', ulvsadm: 'cli/ulvsadm.js' };

/** `words` may begin with `ulvs` or `ulvsadm`; any other command stays as it is. `path`: as PATH has it. */
export function typed(words: string, path = process.env.PATH ?? ''): string {
  const name = /^\S+/.exec(words)?.[0] ?? '';
  const file = FILES[name];
  if (file === undefined || isOnPath(name, program(file), path)) return words;
  return `node ${program(file)}${words.slice(name.length)}`;
}

/** The first of that name is the program itself, or a link to it (`npm link`). */
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
