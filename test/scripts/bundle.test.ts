/**
 * The bundle of a program: its functions are constants, it may call them before their place in the
 * file, and `#!` stays its first line.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const BUNDLE = join(import.meta.dirname, '../../scripts/bundle.mjs');
const PROGRAM = `#!/usr/bin/env node
import { half } from './half.mjs';
console.log(early, half(6), (await later()).name);
var early = twice(2);
console.log(early);
function twice(n) { return 2 * n; }
async function later() { return count; }
export function* count() { yield twice(1); }
`;
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ulvs-bundle-'));
  writeFileSync(join(dir, 'half.mjs'), 'export const twice = 2;\nexport function half(n) { return n / twice; }\n');
  writeFileSync(join(dir, 'program.mjs'), PROGRAM);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('makes functions constants and changes nothing else', () => {
  const file = join(dir, 'program.mjs');
  execFileSync(BUNDLE, [file]);
  const code = readFileSync(file, 'utf8');
  expect(code.split('\n')[0]).toBe('#!/usr/bin/env node');
  expect(code).not.toMatch(/^(async )?function/m);
  expect(code.match(/^const (half|twice\S*|later|count) = (async )?function/gm)).toHaveLength(4);
  expect(execFileSync(process.execPath, [file], { encoding: 'utf8' })).toBe('undefined 3 count\n4\n');
});
