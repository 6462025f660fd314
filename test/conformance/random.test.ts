/** The random scenarios kept here are what their seeds give: a seed that once agreed goes on meaning the same. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { sceneOf } from './scenarios/random/wide.js';
import { save } from './scenarios/stage.js';

const RANDOM = join(import.meta.dirname, 'recorded/random');
const dir = mkdtempSync(join(tmpdir(), 'ulvs-random-'));
afterAll(() => rmSync(dir, { recursive: true }));

const kept = readdirSync(RANDOM).filter((name) => /^random-\d+$/.test(name));

it.each(kept)('%s', (name) => {
  save(dir, sceneOf(Number(name.slice('random-'.length))));
  const frames = (folder: string) => readFileSync(join(folder, name, 'frames.jsonl'), 'utf8');
  expect(frames(dir)).toBe(frames(RANDOM));
});

it('are of both kinds', () => {
  const wide = kept.filter((name) => name.length === 'random-1000'.length);
  expect([wide.length, kept.length - wide.length]).toEqual([7, 6]);
});
