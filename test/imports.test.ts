/**
 * Holds the structure of the source tree: which folder may import which, and the rules that every source file keeps.
 *
 *   cli ─▶ lab ─▶ doctor, device
 *    ├──▶ exec ─▶ proc
 *    └──▶ replay ─▶ ulvsadm, proc ─▶ control; replay ─▶ capture        library ─▶ replay
 *         control ─▶ dataplane ─▶ conntrack ─▶ service ─▶ stats
 *              │  │           └─▶ device ─▶ sys      ▲
 *              │  └─▶ schedulers, persistence ───────┘
 *              ├─▶ netlink ─▶ sys
 *              ├─▶ health ─▶ sys
 *              ├─▶ trace ─▶ dataplane, schedulers
 *              └─▶ doctor ─▶ service, sys           anything ─▶ wire, stats
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { circlesOf } from './support/circles.js';

const ROOT = path.resolve(import.meta.dirname, '..');
const SRC = path.join(ROOT, 'src');
const LEAVES = ['wire', 'stats', 'sys'];
const ARROWS: Record<string, string[]> = {
  cli: ['lab', 'control', 'replay', 'exec'],
  exec: ['proc'],
  library: ['replay'],
  replay: ['ulvsadm', 'proc', 'capture'],
  ulvsadm: ['control'],
  proc: ['control'],
  lab: ['control'],
  doctor: ['service', 'sys'],
  capture: ['device'],
  control: ['dataplane', 'persistence', 'schedulers', 'netlink', 'doctor', 'health', 'trace'],
  trace: ['dataplane', 'schedulers'],
  health: ['sys'],
  dataplane: ['conntrack', 'device'],
  conntrack: ['service'],
  persistence: ['service'],
  schedulers: ['service'],
  service: ['stats'],
  netlink: ['sys'],
  device: ['sys'],
};
/** The rooms of the packet path, from the entrance down; a room may import those below it. '' is dataplane itself. */
const DATAPLANE_FLOORS = [
  ['loop', 'housekeeping', 'workers'],
  ['ingress'],
  ['fastpath', 'path'],
  ['sync'],
  ['schedule'],
  ['xmit'],
  ['neigh', 'ftp', 'synproxy'],
  ['host'],
  ['output'],
  ['nat'],
  ['account', 'offload'],
  ['director'],
  ['trace', 'defence', 'early-drop', 'end-conns', 'syn-floods'],
  ['table'],
  ['parse'],
];
/** Folders of like things, which may hold more than 25 files. */
const LISTS = ['lab/topologies'];
const LARGEST_FOLDER = 25;
/** Code that runs for each packet. */
const PACKET_PATH = ['dataplane', 'conntrack', 'schedulers', 'persistence', 'wire', 'stats'];

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

/** The same without the files that are only named, such as a worker's. */
function imported(text: string): string[] {
  return [...text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*'([^']+)'/g)].map((match) => match[1]!);
}

/** Files of ours that a file imports, types included, relative to src. */
function imports({ file, text }: Pick<Source, 'file' | 'text'>): string[] {
  return imported(text)
    .filter((to) => to.startsWith('.') && to.endsWith('.js'))
    .map((to) => `${path.join(path.dirname(file), to).slice(0, -3)}.ts`);
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

/** The floor of a file of dataplane, counted from the top. */
function floorOf(file: string): number {
  const room = file.split('/')[1]!.replace(/\.ts$/, '');
  return DATAPLANE_FLOORS.findIndex((rooms) => rooms.includes(room));
}

/** Imports inside dataplane that lead to a higher floor. */
function climbs(source: Pick<Source, 'file' | 'text'>): string[] {
  return imports(source)
    .filter((to) => to.startsWith('dataplane/') && floorOf(to) < floorOf(source.file))
    .map((to) => `${source.file} -> ${to}`);
}

/** What the packet path may not use: Node's modules, the clock, chance. */
function impurities({ file, text }: Pick<Source, 'file' | 'text'>): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  return ["'node:", '"node:', 'Date.now', 'Math.random', 'performance.now', 'crypto.']
    .filter((word) => code.includes(word))
    .map((word) => `${file}: ${word}`);
}

function foldersOf(root: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const folder = path.relative(root, entry.parentPath);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return counts;
}

function crowdedFolders(root: string): string[] {
  return [...foldersOf(root)]
    .filter(([folder, files]) => files > LARGEST_FOLDER && !LISTS.includes(folder))
    .map(([folder, files]) => `${folder}: ${files} files`);
}

/** The programs: what package.json, a worker or a lab starts, and what the package exports. */
const ENTRIES = [
  /^cli\/main\.ts$/,
  /^cli\/ulvsadm\.ts$/,
  /^library\/(index|wire|replay|client)\.ts$/,
  /^control\/engine\/worker\.ts$/,
  /^exec\/notify\/supervisor\.ts$/,
  /^netlink\/monitor-thread\.ts$/,
  /^health\/thread\.ts$/,
  /^lab\/programs\/(realserver|decapsulator|impaired-wire|xdp-wire|outage-client|outage-server|end-worker|flooder|bulk-client)\.ts$/,
  /^lab\/load\/load\.ts$/,
  /^lab\/flood\/generator\.ts$/,
];

function unreached(all: readonly Source[]): string[] {
  const byFile = new Map(all.map((source) => [source.file, source]));
  const seen = new Set<string>();
  const visit = (file: string) => {
    const source = byFile.get(file);
    if (source === undefined || seen.has(file)) return;
    seen.add(file);
    for (const to of imports(source)) visit(to);
  };
  for (const { file } of all) if (ENTRIES.some((entry) => entry.test(file))) visit(file);
  return all.map(({ file }) => file).filter((file) => !seen.has(file));
}

describe('the source tree', () => {
  const all = sources();

  it('has only the folders of the architecture', () => {
    const known = [...Object.keys(ARROWS), ...LEAVES];
    expect(all.filter(({ folder }) => !known.includes(folder)).map(({ file }) => file)).toEqual([]);
  });

  it('imports along the arrows only', () => {
    expect(all.length).toBeGreaterThan(5);
    const wrong = all.flatMap((source) => specifiers(source.text).map((to) => complaint(source, to)));
    expect(wrong.filter(Boolean)).toEqual([]);
  });

  it('has no circle of files, type imports included', () => {
    expect(circlesOf(new Map(all.map((source) => [source.file, imports(source)])))).toEqual([]);
  });

  it('goes down the floors inside dataplane', () => {
    const dataplane = all.filter(({ folder }) => folder === 'dataplane');
    expect(dataplane.filter(({ file }) => floorOf(file) < 0).map(({ file }) => file)).toEqual([]);
    expect(dataplane.flatMap(climbs)).toEqual([]);
  });

  it.each(['src', 'test', 'bench'])(`has no folder over ${LARGEST_FOLDER} files in %s`, (root) => {
    expect(crowdedFolders(path.join(ROOT, root))).toEqual([]);
  });

  it('has nothing that only tests reach', () => {
    expect(unreached(all)).toEqual([]);
  });

  it('keeps I/O, the clock and chance out of the packet path', () => {
    expect(all.filter(({ folder }) => PACKET_PATH.includes(folder)).flatMap(impurities)).toEqual([]);
  });

  it('begins every file with a head comment', () => {
    const headless = all.filter(
      ({ text }) =>
        !/^(#!.*\n)?\/\*\*[\s\S]*?\*\/\n\s*\n?(import|export|const|type|process|\/\*\*|\/\/|new|await|if|for)/.test(
          text,
        ),
    );
    expect(headless.map(({ file }) => file)).toEqual([]);
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
    ['dataplane/loop.ts', '../control/config/config.js', 'may not import control'],
    ['wire/ipv4.ts', '../stats/drops.js', 'may not import stats'],
    ['service/table.ts', '../schedulers/rr.js', 'may not import schedulers'],
    ['doctor/facts.ts', '../lab/topology.js', 'may not import lab'],
    ['device/tun/tap.ts', '../../sys/libc', 'must end in .js'],
    ['cli/main.ts', '../../test/support/packet.js', 'outside src'],
  ])('refuse %s importing %s', (file, specifier, words) => {
    expect(complaint({ file, folder: file.split('/')[0]!, text: '' }, specifier)).toContain(words);
  });

  it.each([
    ['control/engine/apply.ts', '../../sys/libc.js'],
    ['conntrack/tcp.ts', '../wire/tcp.js'],
    ['cli/commands/run.ts', '../../service/config.js'],
  ])('allow %s importing %s', (file, specifier) => {
    expect(complaint({ file, folder: file.split('/')[0]!, text: '' }, specifier)).toBe('');
  });

  it('have no cycle', () => {
    for (const folder of Object.keys(ARROWS)) expect([...reach(folder)]).not.toContain(folder);
  });
});

describe('the guards', () => {
  const file = (name: string, text: string) => ({ file: name, folder: name.split('/')[0]!, text });

  it('see a circle, also of types', () => {
    const a = file('dataplane/a.ts', "import type { B } from './b.js';");
    const b = file('dataplane/b.ts', "import { A } from './a.js';");
    expect(circlesOf(new Map([a, b].map((source) => [source.file, imports(source)])))).toEqual([
      ['dataplane/a.ts', 'dataplane/b.ts'],
    ]);
  });

  it('see an import that climbs', () => {
    const source = file('dataplane/xmit/x.ts', "import { inbound } from '../path/inbound.js';");
    expect(climbs(source)).toEqual(['dataplane/xmit/x.ts -> dataplane/path/inbound.ts']);
  });

  it('see I/O, the clock and chance', () => {
    const source = file('dataplane/x.ts', "import fs from 'node:fs';\nconst now = Date.now() + Math.random();");
    expect(impurities(source)).toHaveLength(3);
    expect(impurities(file('dataplane/x.ts', '// Date.now()'))).toEqual([]);
  });

  it('see what nothing imports', () => {
    const main = file('cli/main.ts', "import './used.js';");
    expect(unreached([main, file('cli/used.ts', ''), file('cli/unused.ts', '')])).toEqual(['cli/unused.ts']);
  });
});
