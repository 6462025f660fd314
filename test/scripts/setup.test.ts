/** scripts/setup.sh where it can do nothing, or not everything. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('setup: skipped, needs root to be another user');

const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'];

let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'ulvs-clone-'));
  chmodSync(clone, 0o755);
  mkdirSync(join(clone, 'scripts'));
  copyFileSync('scripts/setup.sh', join(clone, 'scripts/setup.sh'));
});
afterEach(() => rmSync(clone, { recursive: true }));

describe.skipIf(!isRoot)('who may not write the clone is told so in one line', () => {
  const said = () => spawnSync('setpriv', [...NOBODY, `${clone}/scripts/setup.sh`], { encoding: 'utf8' });
  const line = () => `setup: nobody may not write ${clone} (or what is in its dist): `;

  it('the clone itself', () => {
    const { status, stdout, stderr } = said();
    expect({ status, stdout, lines: stderr.trim().split('\n').length }).toEqual({ status: 1, stdout: '', lines: 1 });
    expect(stderr).toContain(line());
  });

  it('what another user has built there', () => {
    chmodSync(clone, 0o777);
    mkdirSync(join(clone, 'dist'), { mode: 0o755 });
    writeFileSync(join(clone, 'dist/a.js'), '');
    expect(said().stderr).toContain(line());
  });
});

describe('what only the benchmarks need and cannot be installed', () => {
  it('is named and left out', () => {
    const script = join(clone, 'scripts/setup.sh');
    const missing = 'no-such-program no-such-package';
    writeFileSync(script, readFileSync(script, 'utf8').replace('BENCH="\n', `BENCH="\n${missing}\n`));
    symlinkSync(resolve('node_modules'), join(clone, 'node_modules'));
    mkdirSync(join(clone, 'bin'));
    for (const tool of ['apt-get', 'sudo'])
      writeFileSync(join(clone, 'bin', tool), '#!/bin/sh\nexit 100\n', { mode: 0o755 });
    const env = { ...process.env, PATH: `${join(clone, 'bin')}:${process.env.PATH}` };
    const { status, stdout } = spawnSync(script, ['bench'], { encoding: 'utf8', env });
    expect(stdout).toContain('setup: no-such-package is left out: the benchmarks skip what needs it');
    expect(status).toBe(0);
  });
});

describe('a node_modules that is a link', () => {
  it('is refused when it does not fit, and what it leads to is left alone', () => {
    const other = join(clone, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'kept'), '');
    symlinkSync(other, join(clone, 'node_modules'));
    const { status, stderr } = spawnSync(join(clone, 'scripts/setup.sh'), { encoding: 'utf8' });
    expect(stderr).toContain(`node_modules is a link to ${other} and does not fit package-lock.json`);
    expect(status).toBe(1);
    expect(readFileSync(join(other, 'kept'), 'utf8')).toBe('');
  });
});
