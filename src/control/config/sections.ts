/**
 * The top-level keys of director.yaml, each read by its own schema: a mistake in one hides none in
 * another.
 */
import type { z } from 'zod';
import { didYouMean } from '../text/did-you-mean.js';
import type { KeyPath } from './position.js';
import type { Problems } from './problem.js';
import { shown } from './scalars.js';
import { schema } from './schema.js';

/** The values of all top-level keys. */
export type Sections = { [K in keyof typeof schema]: z.output<(typeof schema)[K]> };

const KEYS = Object.keys(schema) as readonly (keyof typeof schema)[];

/** The keys that are right; mistakes of the others go to `problems`. */
export function readSections(value: unknown, problems: Problems): Partial<Sections> {
  const raw = asMapping(value, problems);
  for (const key of Object.keys(raw)) {
    if (!Object.hasOwn(schema, key)) problems.addKey([key], `no such key${didYouMean(key, KEYS) || known(KEYS)}`);
  }
  return Object.fromEntries(KEYS.flatMap((key) => readSection(key, raw[key], problems)));
}

function asMapping(value: unknown, problems: Problems): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  const what = value === null || value === undefined ? 'the file is empty' : `${shown(value)} is not a configuration`;
  problems.add([], `${what}; begin with "devices:"`);
  throw problems.error();
}

function readSection(key: keyof typeof schema, value: unknown, problems: Problems): [string, unknown][] {
  const result = schema[key].safeParse(value);
  if (result.success) return [[key, result.data]];
  for (const issue of result.error.issues) report([key, ...(issue.path as KeyPath)], issue, problems);
  return [];
}

/** Writes a line for each unknown key: its issue only lists the known keys (builders.ts). */
function report(path: KeyPath, issue: z.core.$ZodIssue, problems: Problems): void {
  if (issue.code !== 'unrecognized_keys') problems.add(path, issue.message);
  const right = issue.message.split(' ');
  for (const key of issue.code === 'unrecognized_keys' ? issue.keys : [])
    problems.addKey([...path, key], `no such key${didYouMean(key, right) || known(right)}`);
}

function known(keys: readonly string[]): string {
  return `; there are ${keys.join(', ')}`;
}
