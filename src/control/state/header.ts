/** The header of a worker's file: who may go on with the file. */
import { readFileSync } from 'node:fs';
import { checkedLine, readLine } from './checked-line.js';
import { FORMER_LAYOUTS, HEADER_BYTES, layoutHash, layoutOf, VERSION } from './layout.js';

export interface Header {
  readonly version: number;
  readonly layout: string;
  /** The boot of the machine: timers count from it. */
  readonly boot: string;
  /** The same in all files of a state. */
  readonly state: string;
  readonly worker: number;
  readonly workers: number;
  /** Lines of the table. */
  readonly lines: number;
  /** Keys the hash of the table. */
  readonly secret: readonly number[];
}

/** The header as the first bytes of a file. */
export function headerBytes(header: Header): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.set(checkedLine(header));
  return bytes;
}

/** The header in the first bytes of a file; undefined: there is none, or it is damaged. */
export function readHeader(bytes: Buffer): Header | undefined {
  const end = bytes.indexOf(10);
  return end < 0 ? undefined : (readLine(bytes.toString('utf8', 0, end)) as Header | undefined);
}

/** Why the present program must not go on with a file; undefined: it may. */
export function refusal(header: Header | undefined, length: number, wanted: number): string | undefined {
  if (header === undefined) return 'its header is damaged';
  if (header.version !== VERSION) return `it has version ${header.version}, this is ulvs with version ${VERSION}`;
  if (header.layout !== layoutHash()) return 'it has the layout of another version of ulvs';
  if (header.boot !== bootId()) return 'it is of another boot of the machine';
  return length === wanted ? undefined : `it has ${length} bytes, not ${wanted}`;
}

/** A file of this state that a conversion can read (conversion.ts). */
export function isFormer(header: Header | undefined, length: number, state: string): header is Header {
  if (header === undefined || header.state !== state || header.boot !== bootId()) return false;
  const isKnown =
    (header.version === VERSION && header.layout === layoutHash()) ||
    FORMER_LAYOUTS.some(({ version, layout }) => header.version === version && header.layout === layout);
  return isKnown && length === layoutOf(header.lines).length;
}

/** A name of the present boot (random(4)). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
