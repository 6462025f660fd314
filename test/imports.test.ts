/**
 * Holds the import arrows of the architecture: who may import whom, and the rules every source file keeps.
 *
 *   cli ─▶ lab, control ─▶ dataplane ─▶ conntrack ─▶ service ─▶ stats
 *              │  │           └─▶ device ─▶ sys          ▲
 *              │  └─▶ schedulers, engines ───────────────┘
 *              └─▶ netlink ─▶ sys                 anything ─▶ wire, stats
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = path.resolve(import.meta.dirname, '../src');
const LEAVES = ['wire', 'stats', 'sys'];
const ARROWS: Record<string, string[]> = {
  cli: ['lab', 'control'],
  lab: ['dataplane'],
  control: ['dataplane', 'engines', 'schedulers', 'netlink'],
  dataplane: ['conntrack', 'device'],
  conntrack: ['service'],
  engines: ['service'],
  schedulers: ['service'],
  service: ['stats'],
  netlink: ['sys'],
  device: ['sys'],
};

/** Everything at the end of the arrows that leave `folder`. */
function reach(folder: string): Set<string> {
  const all = new Set(LEAVES.includes(folder) ? [] : ['wire', 'stats']);
  for (const next of ARROWS[folder] ?? []) for (const name of [next, ...reach(next)]) all.add(name);
  return all;
}

interface Source {
  file: string;
  folder: string;
  text: string;
}

function sources(): Source[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file, folder: file.split('/')[0]!, text: readFileSync(path.join(SRC, file), 'utf8') }));
}

function specifiers(text: string): string[] {
  return [...text.matchAll(/(?:\bfrom|\bimport|\bimport\(|\bnew URL\()\s*'([^']+)'/g)].map((match) => match[1]!);
}

/** What is wrong with one import, or '' . */
function complaint({ file, folder }: Source, specifier: string): string {
  if (!specifier.startsWith('.')) return '';
  const target = path.join(path.dirname(file), specifier);
  if (target === '../package.json') return '';
  if (target.startsWith('..')) return `${file}: imports ${specifier}, outside src`;
  if (!specifier.endsWith('.js')) return `${file}: ${specifier} must end in .js`;
  const to = target.split('/')[0]!;
  return to === folder || reach(folder).has(to) ? '' : `${file}: ${folder} may not import ${to} (${specifier})`;
}

describe('the source tree', () => {
  const all = sources();

  it('has only the folders of the architecture', () => {
    const known = [...Object.keys(ARROWS), ...LEAVES];
    expect(all.filter(({ folder }) => !known.includes(folder)).map(({ file }) => file)).toEqual([]);
  });

  it('imports along the arrows only', () => {
    expect(all.length).toBeGreaterThan(5);
    expect(all.flatMap((source) => specifiers(source.text).map((to) => complaint(source, to))).filter(Boolean)).toEqual(
      [],
    );
  });

  it('has no default exports', () => {
    const wrong = all.filter(({ text }) => /^export default\b|\bexport \{[^}]*\bas default\b/m.test(text));
    expect(wrong.map(({ file }) => file)).toEqual([]);
  });

  it('has no catch-all folders or files', () => {
    const vague = /(^|\/)(utils?|helpers?|common|types|misc|managers?)(\/|\.ts$)/i;
    expect(all.map(({ file }) => file).filter((file) => vague.test(file))).toEqual([]);
  });

  it('loads koffi in sys only', () => {
    const loaders = all.filter(({ text, folder }) => folder !== 'sys' && specifiers(text).includes('koffi'));
    expect(loaders.map(({ file }) => file)).toEqual([]);
  });
});

describe('the arrows themselves', () => {
  it.each([
    ['dataplane/loop.ts', '../control/config.js', 'may not import control'],
    ['wire/ipv4.ts', '../stats/drops.js', 'may not import stats'],
    ['service/table.ts', '../schedulers/rr.js', 'may not import schedulers'],
    ['device/tap.ts', '../sys/libc', 'must end in .js'],
    ['cli/main.ts', '../../test/packet.js', 'outside src'],
  ])('refuse %s importing %s', (file, specifier, words) => {
    expect(complaint({ file, folder: file.split('/')[0]!, text: '' }, specifier)).toContain(words);
  });

  it.each([
    ['control/apply.ts', '../sys/libc.js'],
    ['conntrack/tcp.ts', '../wire/tcp.js'],
    ['cli/run.ts', '../service/config.js'],
  ])('allow %s importing %s', (file, specifier) => {
    expect(complaint({ file, folder: file.split('/')[0]!, text: '' }, specifier)).toBe('');
  });

  it('have no cycle', () => {
    for (const folder of Object.keys(ARROWS)) expect([...reach(folder)]).not.toContain(folder);
  });
});
