/**
 * Programs of others that a lab starts and that most machines lack. `scripts/setup.sh programs`
 * unpacks them into .tools, so that no service of theirs runs on the machine.
 */
import { accessSync, constants, readdirSync } from 'node:fs';
import path from 'node:path';
import { LabError } from '../error.js';

/** src/lab/build and dist/lab/build are both three levels below the root. */
const UNPACKED = path.resolve(import.meta.dirname, '../../../.tools/debian');
const FOLDERS = ['usr/sbin', 'usr/bin', 'sbin'];

/**
 * The words that start a program: the machine's own, or the unpacked one with its libraries. Throws
 * a LabError that names its package.
 */
export function toolWords(name: string, debianPackage: string): string[] {
  // An ordinary user's PATH lacks the last two.
  const own = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'].map((place) => path.join(place, name));
  const found = own.find(mayRun);
  if (found !== undefined) return [found];
  const unpacked = FOLDERS.map((folder) => path.join(UNPACKED, folder, name)).find(mayRun);
  if (unpacked !== undefined) return ['env', `LD_LIBRARY_PATH=${libraries().join(':')}`, unpacked];
  throw new LabError(`${name} is not installed: scripts/setup.sh programs fetches it, or install ${debianPackage}`);
}

function libraries(): string[] {
  const lib = path.join(UNPACKED, 'usr/lib');
  return readdirSync(lib)
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => path.join(lib, name));
}

function mayRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
