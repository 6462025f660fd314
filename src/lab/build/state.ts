/**
 * The record of what is up: one JSON file for each lab in /run/ulvs-lab, so that `lab down` finds a
 * lab from another terminal or after a crash.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { directoryOf, STATE_DIRECTORY, statePath } from '../names.js';
import type { LabDevice } from '../topology.js';
import { type Running, startTime } from './process.js';

export interface LabState {
  readonly id: string;
  readonly topology: string;
  readonly device: LabDevice;
  /** The pid that built the lab. `lab up` has ended since; `lab test` takes its lab down itself. */
  readonly owner: number;
  readonly namespaces: readonly string[];
  readonly processes: Running[];
  /** The lab outlives its owner on purpose (`lab up`). */
  kept?: true;
}

/** Writes the record by rename, so that a reader sees the old or the new one. */
export function saveState(state: LabState): void {
  mkdirSync(directoryOf(state.id), { recursive: true, mode: 0o700 });
  const path = statePath(state.id);
  writeFileSync(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

export function removeState(id: string): void {
  rmSync(statePath(id), { force: true });
  rmSync(directoryOf(id), { recursive: true, force: true });
}

/** Whether the lab is left over: the run that built it was killed. */
export function isStale({ kept, owner }: LabState): boolean {
  return !kept && startTime(owner) === 0;
}

/** All recorded labs, including those whose owner has died. */
export function listStates(): LabState[] {
  let files: string[];
  try {
    files = readdirSync(STATE_DIRECTORY).filter((file) => file.endsWith('.json'));
  } catch {
    return [];
  }
  return files.sort().flatMap((file) => readState(`${STATE_DIRECTORY}/${file}`));
}

function readState(path: string): LabState[] {
  try {
    return [JSON.parse(readFileSync(path, 'utf8')) as LabState];
  } catch {
    return []; // another process has just removed it
  }
}
