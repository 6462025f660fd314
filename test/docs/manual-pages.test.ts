/** The manual pages are found by npm and formatted without a warning. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './markdown.js';

const pages = readdirSync(path.join(ROOT, 'man'));
const hasGroff = spawnSync('groff', ['--version']).status === 0;

describe('the manual pages', () => {
  it('are those of the two commands and of the configuration', () => {
    expect(pages.sort()).toEqual(['director.yaml.5', 'ulvs.8', 'ulvsadm.8']);
  });

  it('are part of the package', () => {
    const { files, man = [] } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      files: string[];
      man?: string[];
    };
    expect(files).toContain('man');
    expect(man.map((file) => path.basename(file)).sort()).toEqual(pages.sort());
    expect(man.every((file) => existsSync(path.join(ROOT, file)))).toBe(true);
  });

  it.skipIf(!hasGroff).each(pages)('%s is formatted without a warning', (page) => {
    const file = path.join(ROOT, 'man', page);
    const { stderr, status } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z', file], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it.each(pages)('%s has ASCII characters only, in lines of a page', (page) => {
    const lines = readFileSync(path.join(ROOT, 'man', page), 'utf8').split('\n');
    expect(lines.filter((line) => /[^\t\x20-\x7e]/.test(line))).toEqual([]);
  });
});
