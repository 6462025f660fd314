/** The kept corpus: a file for each target, one input a line in base64, shortest first. Seeds are not in it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class Corpus {
  private readonly file: string;

  constructor(folder: string, target: string) {
    this.file = join(folder, `${target}.txt`);
  }

  read(): Uint8Array[] {
    if (!existsSync(this.file)) return [];
    const lines = readFileSync(this.file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => Uint8Array.from(Buffer.from(line, 'base64')));
  }

  /** Keeps the inputs that are no `seeds`. */
  write(inputs: readonly Uint8Array[], seeds: readonly Uint8Array[]): void {
    const known = new Set(seeds.map(lineOf));
    const sorted = [...inputs].sort((a, b) => a.length - b.length);
    const lines = sorted.map(lineOf).filter((line) => !known.has(line));
    writeFileSync(this.file, lines.map((line) => `${line}\n`).join(''));
  }
}

function lineOf(input: Uint8Array): string {
  return Buffer.from(input).toString('base64');
}
