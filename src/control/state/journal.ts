/**
 * The journal of the rules: every accepted change is a line, written before its answer is sent. So
 * a process that is killed loses no change. A start writes the journal anew, as short as it can be.
 *
 *     {"state": …}          first line: the name of the state, its version, the boot, a secret
 *     {"packed": […]}       changes of the rule table (rules/packed-actions.ts)
 *     {"released": […]}     slots of removed destinations that became free
 *     {"sysctl": {…}}       the present sysctls
 *     {"base": {…}}         what director.yaml said when it was read last
 *     {"stages": […]}       the stages by which workers share clients
 *
 * Versions 1 to 3 had {"actions": […]} in place of `packed`: an object for each (rules/actions.ts).
 */
import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import type { SteeringStage } from '../../dataplane/workers/steering.js';
import type { Sysctls } from '../../service/sysctl.js';
import type { ServiceEntry, Timeouts } from '../api/api.js';
import type { Action } from '../rules/actions.js';
import { type Packed, unpack } from '../rules/packed-actions.js';
import { checkedLine, readLine } from './checked-line.js';

/** The version of the journal. Those before it can be read. */
export const JOURNAL_VERSION = 4;

/** What director.yaml said: the ground on which ulvsadm's changes stand. */
export interface Base {
  readonly services: readonly ServiceEntry[];
  readonly sysctl: Readonly<Sysctls>;
  readonly timeouts: Timeouts;
}

/** The first record. `secret` keys the steering of several workers. */
export interface Birth {
  readonly state: string;
  readonly version: number;
  readonly boot: string;
  readonly secret: readonly number[];
}

export type JournalRecord =
  | Birth
  | { readonly packed: Packed }
  | { readonly actions: readonly Action[] }
  | { readonly released: readonly number[] }
  | { readonly sysctl: Readonly<Sysctls> }
  | { readonly base: Base }
  | { readonly stages: readonly SteeringStage[] };

/** The records of a journal. */
export interface JournalContent {
  readonly records: readonly JournalRecord[];
  /** The last line was not complete: the process died while it wrote the line. */
  readonly torn: boolean;
}

/** The changes of the rule table in a record; undefined: it has none. */
export function actionsOf(record: JournalRecord): readonly Action[] | undefined {
  if ('packed' in record) return unpack(record.packed);
  return 'actions' in record ? record.actions : undefined;
}

/** Reads a journal. undefined: there is none. Throws an Error that says where it is damaged. */
export function readJournal(path: string): JournalContent | undefined {
  const text = textOf(path);
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  const rest = lines.pop();
  const records = lines.map(readLine);
  const bad = records.indexOf(undefined);
  if (bad >= 0) throw new Error(`line ${bad + 1} is damaged`);
  return { records: records as JournalRecord[], torn: rest !== '' };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A journal that is written. */
export class Journal {
  private fd = -1;
  /** Length in bytes. */
  length = 0;

  /** Replaces the file by one with these records. */
  constructor(
    private readonly path: string,
    records: readonly JournalRecord[],
  ) {
    this.replace(records);
  }

  append(record: JournalRecord): void {
    this.length += writeAll(this.fd, checkedLine(record));
  }

  /** Another file takes the place of this one at once, or not at all. */
  replace(records: readonly JournalRecord[]): void {
    const fresh = `${this.path}.new`;
    const fd = openSync(fresh, 'w', 0o600);
    this.length = 0;
    for (const record of records) this.length += writeAll(fd, checkedLine(record));
    renameSync(fresh, this.path);
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = fd;
  }

  close(): void {
    closeSync(this.fd);
  }
}

function writeAll(fd: number, bytes: Buffer): number {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  return bytes.length;
}
