/** Adds a description to each frame of a scenario's files, for files that other programs wrote. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printFrame } from '../../src/wire/print.js';

/**
 * A row of a frame, up to its bytes, and its description. Python writes a space after each colon
 * and comma.
 */
const FRAME = /^(\{"t": ?[\d.]+, ?"if": ?"[^"]*", ?"hex":( ?)"([0-9a-f]*)")(?:, ?"is": ?"(?:[^"\\]|\\.)*")?/;

/**
 * The text of frames.jsonl or out.jsonl with the right `is` after each `hex`. Nothing else changes.
 */
export function annotate(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(FRAME, withWords))
    .join('\n');
}

function withWords(_: string, row: string, space: string, hex: string): string {
  return `${row},${space}"is":${space}${JSON.stringify(printFrame(Buffer.from(hex, 'hex')))}`;
}

/** Every frames.jsonl and out.jsonl in `path` and below; `path` itself when it is such a file. */
export function scenarioFiles(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(^|\/)(frames|out)\.jsonl$/.test(name))
    .map((name) => join(path, name))
    .sort();
}

/** Annotates the files in place; returns those that changed. */
export function annotateFiles(paths: readonly string[]): string[] {
  return paths.flatMap(scenarioFiles).filter((file) => {
    const text = readFileSync(file, 'utf8');
    const annotated = annotate(text);
    if (annotated === text) return false;
    writeFileSync(file, annotated);
    return true;
  });
}
