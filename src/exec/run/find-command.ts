/** Finds the program that a command names, as execvp(3) does, to complain before it is started. */
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { NotStarted } from './refusals.js';

/** Returns the path of the program. Throws a NotStarted. */
export function findCommand(command: string, searchPath: string): string {
  const folders = command.includes('/') ? [''] : searchPath.split(':');
  const files = folders.map((folder) => path.join(folder, command)).filter(isFile);
  const found = files.find(isExecutable);
  if (found !== undefined) return command.includes('/') ? command : found;
  if (files[0] !== undefined) throw new NotStarted(`exec: ${files[0]} is not executable`, 126);
  const where = command.includes('/') ? 'no such file' : 'it is in no folder of PATH';
  throw new NotStarted(`exec: ${command} is not found: ${where}`, 127);
}

/** False also in a folder that may not be searched. */
function isFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
