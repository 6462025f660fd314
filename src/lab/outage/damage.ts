/**
 * What is done to the state of a killed director before the next one starts (control/state/store.ts
 * names its files):
 *
 *     cutTable        worker-0 ends at a random page               refused: all connections are lost
 *     breakJournal    random bytes in the journal of the rules     refused: all connections are lost
 *     breakTable      random words in lines of the table in use    dropped: the connections that were hit
 */
import { closeSync, openSync, readFileSync, readSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { ENTRY_WORDS, HIGH_WATER_WORD } from '../../conntrack/entry.js';
import { layoutOf } from '../../control/state/layout.js';

const PAGE = 4096;
/** Bytes, or words, that are changed. */
export const CHANGES = 100;

/** The connection table of the first worker. */
const table = (folder: string) => `${folder}/worker-0`;

export function cutTable(folder: string): void {
  const file = table(folder);
  truncateSync(file, PAGE * below(statSync(file).size / PAGE));
}

export function breakJournal(folder: string): void {
  const file = `${folder}/rules`;
  const bytes = readFileSync(file);
  for (let i = 0; i < CHANGES; i++) bytes[below(bytes.length)] = below(256);
  writeFileSync(file, bytes);
}

/** Only lines of connections: line 0 has the number of the last one in use. */
export function breakTable(folder: string): void {
  const { at } = layoutOf(1).lines;
  const fd = openSync(table(folder), 'r+');
  try {
    const word = new Int32Array(1);
    readSync(fd, word, 0, word.byteLength, at + HIGH_WATER_WORD * word.byteLength);
    const last = word[0]!;
    for (let i = 0; i < CHANGES && last > 0; i++) {
      word[0] = below(2 ** 32);
      const place = (1 + below(last)) * ENTRY_WORDS + below(ENTRY_WORDS);
      writeSync(fd, word, 0, word.byteLength, at + place * word.byteLength);
    }
  } finally {
    closeSync(fd);
  }
}

/** A random whole number from 0 to `end` − 1. */
function below(end: number): number {
  return Math.floor(Math.random() * end);
}
