/**
 * A worker's file that a former process left in another shape, for a conversion.
 *
 *     lines, seals, shifts ─ mapped ─► ConnectionTable
 *     counters, zero points ─ read in pieces: a mapped hole of a tmpfs would become a page
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { CONN_HELPER, ENTRY_SHIFT, FLAGS } from '../../conntrack/entry.js';
import { SeqAdjRows } from '../../conntrack/seqadj.js';
import type { ConnectionTable } from '../../conntrack/table.js';
import { Counters } from '../../stats/counters.js';
import type { Header } from './header.js';
import { layoutOf, type Section } from './layout.js';
import { headerOf, mapWorkerFile, tableOf, type WorkerFile } from './worker-file.js';

/** Bytes that are read at once: a whole number of doubles. */
const PIECE = 1 << 20;

/** An open file. */
export interface FormerFile {
  readonly header: Header;
  readonly table: ConnectionTable;
  readonly fd: number;
  close(): void;
}

/** The version that has checks in the rows of sequence shifts. */
const FIRST_CHECKED = 2;

/** Opens a file whose header is known to be good. */
export function openFormer(path: string): FormerFile {
  const { header } = headerOf(path) as { header: Header };
  const file = mapWorkerFile(path, header);
  const table = tableOf(file, header);
  if (header.version < FIRST_CHECKED) addChecks(table);
  const fd = openSync(path, 'r');
  const close = () => {
    file.unmap();
    closeSync(fd);
  };
  return { header, table, fd, close };
}

/**
 * The words of version 1 have the same places and meanings, but for the rows of sequence shifts,
 * which had no check. Doing it twice does no harm.
 */
function addChecks(table: ConnectionTable): void {
  const rows = new SeqAdjRows(table.shifts);
  const end = Math.min(table.highWater, table.maxEntries);
  for (let entry = 1; entry <= end; entry++)
    if ((table.words[(entry << ENTRY_SHIFT) + FLAGS]! & CONN_HELPER) !== 0) rows.addCheck(entry, table.seals[entry]!);
}

/**
 * Adds the counts of a former worker to those of a new one. All workers share the gauges and zero
 * points of the first.
 */
export function addCounters({ fd, header }: FormerFile, to: WorkerFile, first: WorkerFile): void {
  const { counters, zeroPoints } = layoutOf(header.lines);
  const { values } = new Counters(to.counters);
  const { gauges } = new Counters(first.counters);
  const split = { at: counters.at, bytes: values.byteLength };
  eachDouble(fd, split, (count, i) => {
    values[i]! += count;
  });
  if (header.worker !== 0) return;
  const rest = { at: counters.at + values.byteLength, bytes: gauges.byteLength };
  eachWord(fd, rest, (gauge, i) => {
    gauges[i] = gauge;
  });
  const zero = new Counters(first.zeroPoints).values;
  eachDouble(fd, { at: zeroPoints.at, bytes: zero.byteLength }, (count, i) => {
    zero[i] = count;
  });
}

/** Calls back for each number of a section that is not 0. */
function eachDouble(fd: number, section: Section, use: (value: number, i: number) => void): void {
  eachPiece(fd, section, (piece, at) => each(new Float64Array(piece.buffer, 0, piece.length >> 3), at >> 3, use));
}
function eachWord(fd: number, section: Section, use: (value: number, i: number) => void): void {
  eachPiece(fd, section, (piece, at) => each(new Int32Array(piece.buffer, 0, piece.length >> 2), at >> 2, use));
}

function each(values: Float64Array | Int32Array, first: number, use: (value: number, i: number) => void): void {
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) use(values[i]!, first + i);
}

function eachPiece(fd: number, { at, bytes }: Section, use: (piece: Uint8Array, at: number) => void): void {
  const piece = new Uint8Array(PIECE);
  for (let done = 0; done < bytes; done += PIECE) {
    const length = Math.min(PIECE, bytes - done);
    readSync(fd, piece, 0, length, at + done);
    use(piece.subarray(0, length), done);
  }
}
