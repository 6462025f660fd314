/** docs/configuration.md has every key, and its example parses. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../src/control/config/config.js';
import { configKeys } from '../../src/control/config/reference.js';
import { ROOT } from './markdown.js';

const page = readFileSync(path.join(ROOT, 'docs/configuration.md'), 'utf8');
const example = /```yaml\n([\s\S]*?)```/.exec(page)![1]!;
/** Its keys stand in another example: a file has one kind of rules. */
const fleet = readFileSync(path.join(ROOT, 'examples/fleet.yaml'), 'utf8');
/** `rules` is given instead; a rule with `iif` matches nothing (the page says so). */
const LEFT_OUT = ['rulesFile', 'policy[].iif'];

/** Paths of all keys of a value, list entries as `[]`. */
function pathsIn(value: unknown, above = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => pathsIn(one, `${above}[]`));
  if (typeof value !== 'object' || value === null) return [];
  const prefix = above === '' ? '' : `${above}.`;
  return Object.entries(value).flatMap(([key, inner]) => [`${prefix}${key}`, ...pathsIn(inner, `${prefix}${key}`)]);
}

describe('docs/configuration.md', () => {
  it('has an example that parses', () => {
    const { devices, ruleLines, accept } = parseConfig(example, 'director.yaml');
    expect(devices.map(({ name }) => name)).toEqual(['eth0', 'eth1', 'tap0']);
    expect(ruleLines.length).toBe(5);
    expect(accept.ranges).toEqual(['10.9.0.0/16']);
  });

  it('has every key in the example, sysctls apart', () => {
    const shown = new Set([...pathsIn(parse(example)), ...pathsIn(parse(fleet))]);
    const keys = configKeys().filter((key) => !key.path.startsWith('sysctl.') && !LEFT_OUT.includes(key.path));
    expect(keys.map((key) => key.path).filter((key) => !shown.has(key))).toEqual([]);
  });

  it('has a row or a heading for every key', () => {
    const missing = configKeys().filter(({ path: key }) => {
      const name = key.replace(/^sysctl\./, '');
      return !page.includes(`| \`${name}\` |`) && !page.includes(`\n### ${name}\n`);
    });
    expect(missing).toEqual([]);
  });
});
