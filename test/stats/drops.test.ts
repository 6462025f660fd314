/** The list of drop reasons: each has a text for users and a place in the code that uses it. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { DROP_NAMES, DROP_TEXTS, Drop } from '../../src/stats/drops.js';

const SRC = path.resolve(import.meta.dirname, '../../src');

const code = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'stats/drops.ts')
  .map((file) => readFileSync(path.join(SRC, file), 'utf8'))
  .join('\n');

it.each(DROP_NAMES.filter((name) => name !== 'none'))('%s is used and has a text', (name) => {
  expect(code).toMatch(new RegExp(`\\bDrop\\.${name}\\b`));
  expect(DROP_TEXTS[Drop[name]]).toMatch(/^\S.{10,110}$/);
});

it('no drop has the number 0', () => {
  expect(Drop.none).toBe(0);
  expect(new Set(DROP_NAMES).size).toBe(DROP_NAMES.length);
});
