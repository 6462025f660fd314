/** Threads leave CPUs, and a thread runs on one. In processes of their own. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

function run(program: string): unknown {
  const lines = `import { allowedCpus, leaveCpus, runOn } from '${path.resolve('dist/sys/affinity.js')}';
import { readdirSync, readFileSync } from 'node:fs';
const masks = () => [...new Set(readdirSync('/proc/self/task').map((id) =>
  /Cpus_allowed_list:\\t(.*)/.exec(readFileSync('/proc/self/task/' + id + '/status', 'utf8'))[1]))];
const all = allowedCpus();
${program}`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', lines], { encoding: 'utf8' }));
}

it('a CPU that does not exist is refused, and nothing changes', () => {
  expect(
    run('const done = runOn(8191); console.log(JSON.stringify([done, allowedCpus().length === all.length]))'),
  ).toEqual([false, true]);
});

it('a thread runs on one CPU, and cannot leave the last', () => {
  const program = 'console.log(JSON.stringify([runOn(all[0]), allowedCpus().length, leaveCpus([all[0]])]))';
  expect(run(program)).toEqual([true, 1, false]);
});

it('all threads leave a CPU, where there is another', () => {
  const program = `const left = leaveCpus([all[0]]);
console.log(JSON.stringify({ several: all.length > 1, left, masks: masks().length, first: allowedCpus()[0] !== all[0] }))`;
  const { several, left, masks, first } = run(program) as Record<string, unknown>;
  expect([left, masks, first]).toEqual([several, 1, several]);
});
