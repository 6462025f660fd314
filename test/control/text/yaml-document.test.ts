/** A configuration that nests without end is one sentence, whatever it nests. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { LEVELS } from '../../../src/control/text/yaml-document.js';

const DEEP = 20_000;

/** The lines of the ConfigError; '': there is none. */
function told(text: string): string {
  try {
    parseConfig(text, 'director.yaml');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

const steps = (count: number, step: (i: number) => string) => Array.from({ length: count }, (_, i) => step(i)).join('');
const TEXTS = {
  'lists in brackets': `devices: ${'['.repeat(DEEP)}${']'.repeat(DEEP)}\n`,
  'brackets without an end': `devices: ${'['.repeat(DEEP)}`,
  'mappings in braces': `devices: ${'{a: '.repeat(DEEP)}${'}'.repeat(DEEP)}\n`,
  'lists in one line': `devices:\n${'- '.repeat(DEEP)}x\nworkers: 1\n`,
  'mappings, each further in': `devices:\n${steps(2000, (i) => `${' '.repeat(i + 1)}a:\n`)}workers: 1\n`,
  'explicit keys': `${'? '.repeat(DEEP)}x\n`,
};

describe('a configuration that nests too deeply', () => {
  it.each(Object.entries(TEXTS))('%s: one sentence', (_, text) => {
    expect(told(text)).toMatch(/^director\.yaml:\d+: lists and mappings are nested too deeply: at most 100 levels$/);
  });

  it('is one with more levels than there may be', () => {
    // The mapping of the keys is the first level.
    const text = (levels: number) =>
      `what: ${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}\ndevices: [{ name: eth0 }]\n`;
    expect(told(text(LEVELS))).toMatch(/^director\.yaml:1: what: no such key/);
    expect(told(text(LEVELS + 1))).toContain('nested too deeply');
  });

  it('is not one with many brackets in rules', () => {
    const rules = steps(DEEP, (i) => `  # [[[ ${i}\n`);
    expect(told(`devices: [{ name: eth0 }]\nrules: |\n${rules}`)).toBe('');
  });
});
