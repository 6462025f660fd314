/**
 * Goes on with files of another shape: another number of workers or of lines, or the version before
 * this one. The former files are read, and their sound connections are copied into new files. A
 * process that dies at any moment of it loses nothing: the next start begins the step again.
 *
 *     worker-N ──► former/worker-N ─ transfer ─► worker-N.new, former/stages      (former/ is there: again)
 *                  former ─ renamed ─► former.done                                (former.done is there: only the end)
 *                  stages ─► journal   worker-N.new ─► worker-N   former.done removed
 *
 * All of it is done before the director opens a device.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { SteeringStage } from '../../dataplane/workers/steering.js';
import { counted } from '../text/counted.js';
import { addCounters, openFormer } from './former-file.js';
import { type Header, isFormer } from './header.js';
import { type FormerSteering, Placement } from './placement.js';
import { Transfer } from './transfer.js';
import { createWorkerFile, headerOf, mapWorkerFile, moveAside, tableOf } from './worker-file.js';

/** Names in the directory of a state. */
export const FORMER = 'former';
export const DONE = 'former.done';
const STAGES = 'stages';

/** What a conversion needs. */
export interface ConversionNeeds {
  readonly directory: string;
  /** Headers of the files that the director wants, by worker. */
  readonly wanted: readonly Header[];
  /** Read when it is needed: the end of an earlier conversion may change it. */
  readonly steering: () => FormerSteering;
  /** Gets one line about what was kept. */
  readonly info: (message: string) => void;
  /** Gets one line for each file that is moved aside, and that line where a connection was lost. */
  readonly warn: (message: string) => void;
  /** The journal must say how the workers share clients from now on. */
  readonly keepStages: (stages: readonly SteeringStage[]) => void;
}

/** Brings the files of a directory into the wanted shape, where they have another one. */
export function convert(needs: ConversionNeeds): void {
  const at = (name: string) => path.join(needs.directory, name);
  if (existsSync(at(DONE))) complete(needs);
  for (const name of namesOf(needs.directory, /^worker-\d+\.new$/)) rmSync(at(name));
  const begun = existsSync(at(FORMER)) ? shapeOf(needs, FORMER) : undefined;
  const shape = begun ?? shapeOf(needs, '.');
  if (shape === undefined) return rmSync(at(FORMER), { recursive: true, force: true });
  if (begun === undefined && isSameShape(shape, needs.wanted[0]!)) return;
  mkdirSync(at(FORMER), { recursive: true, mode: 0o700 });
  for (const name of namesOf(needs.directory, /^worker-\d+$/)) putAway(needs, name, shape);
  transfer(needs, shape);
  renameSync(at(FORMER), at(DONE));
  complete(needs);
}

function namesOf(directory: string, pattern: RegExp): string[] {
  return readdirSync(directory).filter((name) => pattern.test(name));
}

/** The header of the first file that can be read; all files of a state have the same shape. */
function shapeOf({ directory, wanted }: ConversionNeeds, folder: string): Header | undefined {
  const names = namesOf(path.join(directory, folder), /^worker-\d+$/).sort();
  const found = names.map((name) => headerOf(path.join(directory, folder, name))!);
  return found.find(({ header, length }) => isFormer(header, length, wanted[0]!.state))?.header;
}

function isSameShape(a: Header, b: Header): boolean {
  return a.version === b.version && a.workers === b.workers && a.lines === b.lines;
}

/** A file of the former process goes into its folder, another one is moved aside. */
function putAway({ directory, wanted, warn }: ConversionNeeds, name: string, shape: Header): void {
  const from = path.join(directory, name);
  const { header, length } = headerOf(from)!;
  if (isFormer(header, length, wanted[0]!.state) && isSameShape(header!, shape) && name === `worker-${header!.worker}`)
    renameSync(from, path.join(directory, FORMER, name));
  else moveAside(from, 'it is damaged, or not of the same state as the others', warn);
}

function transfer({ directory, wanted, steering, info, warn }: ConversionNeeds, shape: Header): void {
  const files = wanted.map((header) => {
    const fresh = path.join(directory, `worker-${header.worker}.new`);
    createWorkerFile(fresh, header);
    return mapWorkerFile(fresh, header);
  });
  const placement = new Placement(shape.workers, wanted.length, steering());
  const work = new Transfer(
    files.map((file, i) => tableOf(file, wanted[i]!)),
    placement.ownerOf,
  );
  for (const name of namesOf(path.join(directory, FORMER), /^worker-\d+$/)) {
    const former = openFormer(path.join(directory, FORMER, name));
    work.take(former.table, former.header.worker);
    addCounters(former, files[former.header.worker % files.length]!, files[0]!);
    former.close();
  }
  for (const file of files) file.unmap();
  writeFileSync(path.join(directory, FORMER, STAGES), JSON.stringify(placement.stages ?? null));
  const say = work.lost + work.unfit === 0 ? info : warn;
  say(`state ${directory}: ${report(work, shape)}`);
}

function report({ kept, lost, unfit }: Transfer, { version, workers, lines }: Header): string {
  const from = `${counted(workers, 'worker')} with ${lines} lines each (version ${version})`;
  const gone = [
    ...(unfit === 0 ? [] : [`${unfit} have no room`]),
    ...(lost === 0 ? [] : [`${lost} entries were damaged`]),
  ];
  return [`goes on with ${counted(kept, 'connection')} of ${from}`, ...gone].join('; ');
}

/** The new files are whole. */
function complete({ directory, keepStages }: ConversionNeeds): void {
  const done = path.join(directory, DONE);
  if (existsSync(path.join(done, STAGES))) {
    const stages = JSON.parse(readFileSync(path.join(done, STAGES), 'utf8'));
    if (stages !== null) keepStages(stages);
  }
  for (const name of namesOf(directory, /^worker-\d+\.new$/))
    renameSync(path.join(directory, name), path.join(directory, name.slice(0, -'.new'.length)));
  rmSync(done, { recursive: true });
}
