/**
 * The file with the last rules that were applied, for a start while etcd is away. It is replaced by
 * rename, so that it is the old one or the new one.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { reason } from '../config/config.js';
import type { Snapshot } from './etcd-client.js';

const form = z.object({
  revision: z.number().int().min(0),
  entries: z.array(z.object({ key: z.string(), value: z.string() })),
});

/** Throws an Error of one line. */
export function writeLastGood(file: string, { revision, entries }: Snapshot): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, `${JSON.stringify({ revision, entries }, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw new Error(`rules.etcd.lastGood: ${file}: ${reason(error)}`);
  }
}

/** The rules in the file; undefined when there is no such file. Throws an Error of one line. */
export function readLastGood(file: string): Snapshot | undefined {
  try {
    return form.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const why =
      error instanceof z.ZodError || error instanceof SyntaxError ? 'is not a file of this key' : reason(error);
    throw new Error(`rules.etcd.lastGood: ${file}: ${why}; it is left out`);
  }
}
