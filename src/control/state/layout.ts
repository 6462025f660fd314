/**
 * The layout of a worker's file, whose pages are the memory of a worker: connection table and
 * counters. The file is sparse: pages that nobody touched take no memory.
 *
 *     0            header: a line of JSON and its checksum
 *     2 MB         lines of the connection table (conntrack/entry.ts)
 *     … page       seals, then sequence shifts (conntrack/memory.ts)
 *     … page       counters and gauges (stats/counters.ts)
 *     … page       zero points of the counters (zero-points.ts), in the first worker's file only
 *
 * Change VERSION whenever the meaning of a byte changes. The layout hash follows the numbers of the
 * entry and of the counters by itself; test/control/state holds it.
 */
import { createHash } from 'node:crypto';
import * as entry from '../../conntrack/entry.js';
import { linesBytes, sealsBytes, shiftsBytes } from '../../conntrack/memory.js';
import { SHIFT_WORDS } from '../../conntrack/seqadj.js';
import { COUNTERS_BYTES, FrameStat, Gauge, MAX_DESTINATIONS, MAX_SERVICES, Stat } from '../../stats/counters.js';

/** The version of the workers' files. The journal has its own (journal.ts). */
export const VERSION = 3;
/**
 * The versions before, whose files are converted: every word has the place that it has now.
 * Version 1: rows of sequence shifts had no check, and three columns of gauges and two flags had no
 * meaning yet (0). Version 2: the flag of the SYN proxy had no meaning yet (0).
 */
export const FORMER_LAYOUTS: readonly { readonly version: number; readonly layout: string }[] = [
  { version: 1, layout: '9849f6565fe6f81a' },
  { version: 2, layout: 'cbd11d3e49a05106' },
];
export const HEADER_BYTES = 4096;
const PAGE = 4096;
const LARGE_PAGE = 2 << 20;

/** A part of a file: `at` is a whole number of pages, so is `bytes`. */
export interface Section {
  readonly at: number;
  readonly bytes: number;
}

/** The parts of a file for `lines` lines, and the length of the file. */
export interface FileLayout {
  readonly lines: Section;
  readonly seals: Section;
  readonly shifts: Section;
  readonly counters: Section;
  readonly zeroPoints: Section;
  readonly length: number;
}

export function layoutOf(lines: number): FileLayout {
  let end = LARGE_PAGE;
  const next = (bytes: number): Section => {
    const section = { at: end, bytes: Math.ceil(bytes / PAGE) * PAGE };
    end += section.bytes;
    return section;
  };
  const sections = {
    lines: next(linesBytes(lines)),
    seals: next(sealsBytes(lines)),
    shifts: next(shiftsBytes(lines)),
    counters: next(COUNTERS_BYTES),
    zeroPoints: next(COUNTERS_BYTES),
  };
  return { ...sections, length: end };
}

/** A hash of the numbers that say where in the memory what is. */
export function layoutHash(): string {
  const numbers = Object.entries(entry).filter(([, value]) => typeof value === 'number');
  const text = JSON.stringify([
    numbers.sort(([a], [b]) => (a < b ? -1 : 1)),
    SHIFT_WORDS,
    [FrameStat, Gauge, Stat, MAX_DESTINATIONS, MAX_SERVICES, COUNTERS_BYTES],
  ]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
