/**
 * The file of one worker, mapped: its pages are the worker's memory.
 *
 *     file ─ header: may we go on? ─┬─ yes ─► mapped as it is
 *                                   └─ no ──► moved aside; a new one of zeros is made, its header is written last
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { ConnectionTable } from '../../conntrack/table.js';
import { mapShared, type SharedMapping } from '../../sys/memory.js';
import type { KeptMemory } from '../engine/shared-memory.js';
import { type Header, headerBytes, readHeader, refusal } from './header.js';
import { HEADER_BYTES, layoutOf, type Section } from './layout.js';

/** The memory of one worker. */
export interface WorkerFile extends KeptMemory {
  readonly zeroPoints: SharedMapping;
  /** Gives the memory back; the file stays. */
  unmap(): void;
}

/**
 * Opens or makes a file. `wanted`: the header of a new one. `warn`: gets one line when a file is
 * moved aside. Throws an Error of the system.
 */
export function openWorkerFile(path: string, wanted: Header, warn: (message: string) => void): WorkerFile {
  const found = headerOf(path);
  if (found !== undefined) {
    const why = refusal(found.header, found.length, layoutOf(wanted.lines).length) ?? otherThan(found.header!, wanted);
    if (why === undefined) return { ...mapWorkerFile(path, found.header!), inherited: true };
    moveAside(path, why, warn);
  }
  createWorkerFile(path, wanted);
  return mapWorkerFile(path, wanted);
}

/** Moves a file away that this director must not use; an older one there is replaced. */
export function moveAside(path: string, why: string, warn: (message: string) => void): void {
  const to = `${path}.refused`;
  renameSync(path, to);
  warn(`${path} is not used: ${why}; it is now ${to}`);
}

function otherThan(header: Header, wanted: Header): string | undefined {
  if (header.state !== wanted.state) return 'it belongs to other rules than those of this state';
  const isSame = header.worker === wanted.worker && header.workers === wanted.workers && header.lines === wanted.lines;
  return isSame
    ? undefined
    : `it is for worker ${header.worker} of ${header.workers}, ${header.lines} connections each`;
}

/** undefined: there is no such file. */
export function headerOf(path: string): { header: Header | undefined; length: number } | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const bytes = Buffer.alloc(HEADER_BYTES);
  readSync(fd, bytes, 0, HEADER_BYTES, 0);
  const length = fstatSync(fd).size;
  closeSync(fd);
  return { header: readHeader(bytes), length };
}

/** Makes a file of zeros with this header. */
export function createWorkerFile(path: string, header: Header): void {
  rmSync(path, { force: true });
  const fd = openSync(path, 'wx', 0o600);
  ftruncateSync(fd, layoutOf(header.lines).length);
  writeSync(fd, headerBytes(header), 0, HEADER_BYTES, 0);
  closeSync(fd);
}

/** Maps a file that has this header. */
export function mapWorkerFile(path: string, header: Header): WorkerFile {
  const fd = openSync(path, 'r+');
  const { lines, seals, shifts, counters, zeroPoints } = layoutOf(header.lines);
  const sections = [lines, seals, shifts, counters, zeroPoints];
  const mappings = sections.map(({ at, bytes }: Section) => mapShared(fd, at, bytes));
  closeSync(fd);
  const [linesOf, sealsOf, shiftsOf, countersOf, zeroPointsOf] = mappings as [
    SharedMapping,
    SharedMapping,
    SharedMapping,
    SharedMapping,
    SharedMapping,
  ];
  return {
    secret: header.secret,
    inherited: false,
    backed: { path, parts: mappings.slice(0, 4).map((mapping, i) => ({ ...blockOf(mapping), ...sections[i]! })) },
    table: { lines: blockOf(linesOf), seals: blockOf(sealsOf), shifts: blockOf(shiftsOf) },
    counters: blockOf(countersOf),
    zeroPoints: zeroPointsOf,
    unmap: () => {
      for (const mapping of mappings) mapping.unmap();
    },
  };
}

/** The connection table in a mapped file. */
export function tableOf({ table, secret }: WorkerFile, { lines }: Header): ConnectionTable {
  return new ConnectionTable(lines, table, Int32Array.from(secret));
}

/** What may cross to another thread. */
function blockOf({ buffer, offset }: SharedMapping) {
  return { buffer, offset };
}
