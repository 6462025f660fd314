/**
 * The package as a user gets it: `npm pack` of a copy of this tree, `npm install` of the tarball into an empty project, and then
 * its commands, its example and its types. npm asks no registry: the dependencies lie in the project already.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replayScenario } from '../../src/replay/scenario.js';
import { recordedScenario } from '../support/recorded.js';

const ROOT = join(import.meta.dirname, '../..');
/** What npm pack does not need, and what it would take long to copy. */
const LEFT_OUT = new Set(['.git', '.tools', 'node_modules', 'dist', 'build', 'test', 'bench', 'coverage']);

let work: string;
let project: string;
let files: string[];

function run(program: string, words: string[], cwd = project): string {
  return execFileSync(program, words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
const ulvs = (...words: string[]) => run(join(project, 'node_modules/.bin/ulvs'), words);
const ulvsadm = (...words: string[]) => run(join(project, 'node_modules/.bin/ulvsadm'), words);

/** The tarball's path; prepack builds dist in the copy, so that tests which use this tree's dist are not disturbed. */
function pack(): string {
  const tree = join(work, 'tree');
  cpSync(ROOT, tree, { recursive: true, filter: (from) => !LEFT_OUT.has(relative(ROOT, from)) });
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', work], tree)) as [
    { filename: string; files: { path: string }[] },
  ];
  files = packed.files.map(({ path }) => path);
  return join(work, packed.filename);
}

function install(tarball: string): void {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }');
  cpSync(realpathSync(join(ROOT, 'node_modules')), join(project, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  const offline = ['--offline', '--cache', join(work, 'cache'), '--ignore-scripts', '--no-audit', '--no-fund'];
  run('npm', ['install', ...offline, tarball]);
}

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'ulvs-package-'));
  project = join(work, 'project');
  install(pack());
}, 300_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('the tarball', () => {
  it('holds what is run, read and imported, and no sources, tests or maps', () => {
    const folders = new Set(files.map((path) => path.split('/')[0]));
    for (const name of ['dist', 'docs', 'examples', 'LICENSE', 'README.md', 'CHANGELOG.md', 'npm-shrinkwrap.json'])
      expect(folders).toContain(name);
    expect(files.filter((path) => /^(src|test|bench|scripts|node_modules)\/|\.map$|\.tgz$/.test(path))).toEqual([]);
  });

  it('holds every file that package.json points to', () => {
    const { bin, exports, man } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const pages = existsSync(join(ROOT, 'man')) ? man : [];
    const named = [
      ...pages,
      ...Object.values(bin),
      ...Object.values(exports).flatMap((one) => Object.values(Object(one))),
    ];
    const paths = (named as string[]).filter((path) => path.length > 1).map((path) => path.replace('./', ''));
    expect(paths.length).toBeGreaterThan(7);
    expect(paths.filter((path) => !files.includes(path))).toEqual([]);
  });

  it('is installed on Linux only', () => {
    const { os } = JSON.parse(readFileSync(join(project, 'node_modules/ulvs/package.json'), 'utf8'));
    expect(os).toEqual(['linux']);
  });

  it("has the dataplane's worker in one module", () => {
    const worker = readFileSync(join(project, 'node_modules/ulvs/dist/control/engine/worker.js'), 'utf8');
    expect(worker).not.toMatch(/from '\.\.?\//);
    expect(worker).toContain('processBatch');
  });

  it('locks the versions of what it depends on, and of nothing else', () => {
    const { packages } = JSON.parse(readFileSync(join(project, 'node_modules/ulvs/npm-shrinkwrap.json'), 'utf8'));
    expect(Object.keys(packages)).toContain('node_modules/koffi');
    expect(Object.keys(packages).filter((path) => /vitest|typescript|rollup|biome/.test(path))).toEqual([]);
    expect(packages['node_modules/raw-socket/node_modules/nan']).toBeUndefined();
  });
});

describe('the commands of the installed package', { timeout: 120_000 }, () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

  it('say their version', () => {
    expect(ulvs('--version')).toBe(`${version}\n`);
    expect(ulvsadm('--version')).toContain(`ulvsadm v${version} `);
  });

  it('say their help', () => {
    expect(ulvs('--help')).toContain('run [options]');
    expect(ulvsadm('--help')).toContain('--add-service');
  });

  it('list the labs', () => {
    expect(ulvs('lab', 'list')).toContain('fwmark');
  });

  it('replay a scenario', async () => {
    const scenario = join(work, 'scenario');
    cpSync(recordedScenario('nat-basic'), scenario, { recursive: true });
    const rows = ulvs('replay', scenario).trim().split('\n');
    expect(rows.map((row) => JSON.parse(row))).toEqual(await replayScenario(scenario));
  });
});

describe('what the installed package exports', { timeout: 120_000 }, () => {
  it('runs the example', () => {
    cpSync(join(ROOT, 'examples/director-as-function.mjs'), join(project, 'example.mjs'));
    const said = run(process.execPath, ['example.mjs']);
    expect(said).toContain('port 80: forwarded');
    expect(said).toMatch(/out eth1: .* 10\.0\.0\.1\.40001 > 192\.168\.1\.11\.8080: tcp \[S\]/);
    expect(said).toMatch(/port 81: dropped \(portClosed: \w.+\)/);
    expect(said).toContain('at 60.1 s: []');
    expect(said).toMatch(/192\.168\.1\.11:8080 +1 +1 /);
  });

  it('type-checks in a strict project of Node.js, declarations included', () => {
    cpSync(join(import.meta.dirname, 'consumer.ts'), join(project, 'consumer.ts'));
    cpSync(join(ROOT, 'examples/director-as-function.mjs'), join(project, 'example.mjs'));
    for (const types of ['@types/node', 'undici-types'])
      cpSync(join(ROOT, 'node_modules', types), join(project, 'node_modules', types), { recursive: true });
    const compilerOptions = {
      ...{ target: 'ES2022', module: 'NodeNext', lib: ['ES2023'], types: ['node'] },
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
      ...{ skipLibCheck: false, allowJs: true, checkJs: true, noEmit: true },
    };
    const settings = { compilerOptions, files: ['consumer.ts', 'example.mjs'] };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(settings));
    expect(run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', project])).toBe('');
  });

  it('loads no native module for ulvs and ulvs/wire', () => {
    const script = `await import('ulvs'); await import('ulvs/wire'); 
      console.log(process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node')).length);`;
    expect(run(process.execPath, ['--input-type=module', '-e', script])).toBe('0\n');
  });

  it('lets nobody import other files', () => {
    const words = [
      '--input-type=module',
      '-e',
      "await import('ulvs/dist/cli/main.js').catch((e) => console.log(e.code))",
    ];
    expect(run(process.execPath, words)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });
});
