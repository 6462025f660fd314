/** Holds what can be held of the prose: the length of comment lines, and words that the project has given up. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');
const COLUMNS = 100;

/** Private words of the past -> the field's words. */
const GIVEN_UP: readonly (readonly [RegExp, string])[] = [
  [/\b(the )?(long|short) way\b/i, 'slow path, fast path'],
  [/\bwhose (a packet|a frame|it) is\b/i, 'which worker owns the packet'],
  [/\bhand(ed|s)? over\b|\bhandover\b/i, 'hand off, hand-off'],
  [/\bthe packet at hand\b/i, 'the current packet'],
  [/\bsuper-packets?\b/i, 'GSO packet'],
  [/\bunfinished checksums?\b/i, 'partial checksum'],
  [/\b(stolen|steals?|theft) (from|by)\b/i, 'intercept'],
  [/\breading glasses\b/i, 'what the code reads'],
];

function sources(folder: string): { file: string; lines: string[] }[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
    .map((file) => ({
      file: `${folder}/${file}`,
      lines: readFileSync(path.join(ROOT, folder, file), 'utf8').split('\n'),
    }));
}

/** A line that is a comment and nothing else. */
function isComment(line: string): boolean {
  return /^\s*(\/\/|\/\*\*?|\*)/.test(line);
}

/** Drawings and tables may be wider than text. */
function isDrawing(line: string): boolean {
  return /[│┌┐└┘├┤─═►◄▼▲|]/.test(line) || / {3,}\S/.test(line.replace(/^\s*\*?\s*/, ''));
}

function tooLong(folder: string): string[] {
  return sources(folder).flatMap(({ file, lines }) =>
    lines.flatMap((line, i) =>
      isComment(line) && line.length > COLUMNS && !isDrawing(line) ? [`${file}:${i + 1}: ${line.length} columns`] : [],
    ),
  );
}

function givenUp(folder: string): string[] {
  return sources(folder).flatMap(({ file, lines }) =>
    lines.flatMap((line, i) =>
      GIVEN_UP.filter(([word]) => word.test(line)).map(([, instead]) => `${file}:${i + 1}: say "${instead}"`),
    ),
  );
}

describe('comments', () => {
  it.each(['src', 'bench', 'tools'])(`of %s have no line over ${COLUMNS} columns`, (folder) => {
    expect(tooLong(folder)).toEqual([]);
  });

  it.each(['src', 'bench', 'tools'])('of %s use the field’s words', (folder) => {
    expect(givenUp(folder)).toEqual([]);
  });
});
