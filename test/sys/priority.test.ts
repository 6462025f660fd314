/** A process gives way, and comes back. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

/** In a process of its own, so that this one keeps its priority. Prints the priorities of all threads, twice. */
const PROGRAM = `import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { stepBack } from '${path.resolve('dist/sys/priority.js')}';
const all = () => [...new Set(readdirSync('/proc/self/task').map((id) => getPriority(Number(id))))];
const before = getPriority();
const back = stepBack();
const meanwhile = all();
back();
console.log(JSON.stringify({ before, meanwhile, after: all() }));`;

it('all threads give way and come back, where the process may', () => {
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM], { encoding: 'utf8' });
  const { before, meanwhile, after } = JSON.parse(out) as { before: number; meanwhile: number[]; after: number[] };
  const isRoot = process.getuid?.() === 0 && /^\s*0\s+0\s+4294967295/.test(readFileSync('/proc/self/uid_map', 'utf8'));
  const lower = isRoot ? Math.min(19, before + 10) : before;
  expect(meanwhile).toEqual([lower]);
  expect(after).toEqual([before]);
});
