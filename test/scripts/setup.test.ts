/** scripts/setup.sh on a machine that reaches no package server. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const FILES = ['scripts/setup.sh', 'package.json', 'package-lock.json'];
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ulvs-setup-'));
  mkdirSync(join(dir, 'scripts'));
  for (const file of FILES) copyFileSync(file, join(dir, file));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('says in one line what could not be fetched', () => {
  const nowhere = { npm_config_registry: 'http://127.0.0.1:1/', npm_config_fetch_retries: '0' };
  const env = { ...process.env, ...nowhere, npm_config_cache: join(dir, 'cache'), TMPDIR: dir };
  const { status, stderr } = spawnSync(join(dir, 'scripts/setup.sh'), { env, encoding: 'utf8' });
  expect(stderr).toMatch(
    /^setup: npm ci could not install the packages of package-lock\.json: the package server cannot be reached\. Is there a network\?.*\(log: .*\)\n$/,
  );
  expect(status).toBe(1);
});
