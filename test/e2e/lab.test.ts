/**
 * `ulvs lab test NAME --device KIND` as a user runs it: real clients and servers in namespaces, a
 * real director, and the lab's checks. Needs root.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { listStates } from '../../src/lab/build/state.js';
import { program } from '../../src/lab/names.js';
import { basics, topologies } from '../../src/lab/topologies/index.js';
import { argumentsOf } from '../../src/sys/process.js';
import { withoutXdp } from '../device/xdp/missing.js';

const reason =
  process.getuid?.() !== 0
    ? 'needs root for namespaces'
    : existsSync('/dev/net/tun')
      ? ''
      : 'needs /dev/net/tun (modprobe tun)';
if (reason) console.log(`skipped: ${reason}`);

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function ulvs(...words: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program('cli/main.js'), ...words], (_, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });
}

const kinds = withoutXdp === '' ? (['xdp', 'packet', 'tap'] as const) : (['packet', 'tap'] as const);
const labs = basics.flatMap(({ name }) => kinds.map((kind) => [name, kind] as const));

describe.skipIf(reason !== '').each(labs)('lab %s over %s', (name, device) => {
  it('passes every check', { timeout: 120_000 }, async () => {
    const { code, out, err } = await ulvs('lab', 'test', name, '--device', device, '--json');
    const lines = out
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(err).toBe('');
    expect(lines.filter(({ ok }) => ok === false)).toEqual([]);
    const figures = new Map(lines.map((line) => [line.name, line.figure]));
    expect(figures.get('HTTP requests answered')).toMatch(/^300 of 300 /);
    expect(figures.get('rr spread')).toBe('100/100/100');
    expect(figures.get('download of 50 MB')).toContain('identical');
    expect(lines.at(-1)).toMatchObject({ failed: 0 });
    expect(code).toBe(0);
  });
});

describe.skipIf(reason !== '')('make demo', () => {
  it('shows four labs within a minute', { timeout: 90_000 }, async () => {
    const began = performance.now();
    const { code, out, err } = await ulvs('lab', 'demo');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(performance.now() - began).toBeLessThan(60_000);
    for (const { summary } of basics) expect(out).toContain(summary);
    expect(out.match(/rs1 10, rs2 10, rs3 10/g)?.length).toBe(4);
    // Both directions: 8 hops without a router, 10 with a router by DR, 12 by Tun and fwmark.
    expect(out.match(/^ +\d+\.\d{3} ms /gm)?.length).toBe(8 + 10 + 12 + 12);
  });
});

describe.skipIf(reason !== '')('a closed output', () => {
  it('ends the demo, which leaves nothing behind', { timeout: 60_000 }, async () => {
    const child = execFile(process.execPath, [program('cli/main.js'), 'lab', 'demo']);
    child.stdout!.once('data', () => child.stdout!.destroy());
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const names = await namespacesOf(child.pid!);
    expect(await ended).toBe(1);
    expect(readdirSync('/run/netns').filter((name) => names.includes(name))).toEqual([]);
    expect(listStates().filter(({ owner }) => owner === child.pid)).toEqual([]);
  });
});

describe.skipIf(reason !== '')('lab down', () => {
  it('says which programs of others go on in its namespaces', { timeout: 60_000 }, async () => {
    const { out } = await ulvs('lab', 'up', 'nat', '--name', 'left', '--no-director');
    expect(out).toContain('left');
    const { id, namespaces } = listStates().find(({ id }) => id.endsWith('left'))!;
    const other = spawn('ip', ['netns', 'exec', namespaces[0]!, 'sleep', '50'], { stdio: 'ignore' });
    await expect.poll(() => argumentsOf(other.pid!)[0], { timeout: 5000 }).toBe('sleep');
    const { code, err } = await ulvs('lab', 'down', id);
    other.kill();
    expect(code).toBe(0);
    expect(err).toBe(`ulvs lab: still running in ${namespaces[0]}: sleep 50; \`kill ${other.pid}\` ends it\n`);
  });
});

describe.skipIf(reason !== '')('Ctrl-C', () => {
  it('during a test takes the lab down', { timeout: 60_000 }, async () => {
    const child = execFile(process.execPath, [program('cli/main.js'), 'lab', 'test', 'nat']);
    const names = await namespacesOf(child.pid!);
    const { out } = await ulvs('lab', 'list', '--running');
    const { id } = listStates().find(({ owner }) => owner === child.pid)!;
    expect(out).toContain(`up: ${id} (`);
    for (const line of out.trimEnd().split('\n')) expect(line).toMatch(/^up: /);
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(1);
    expect(names.length).toBe(6);
    expect(readdirSync('/run/netns').filter((name) => names.includes(name))).toEqual([]);
  });
});

/**
 * The namespaces of the lab that process `owner` builds, once one of its realservers runs; waits at
 * most 10 s.
 */
async function namespacesOf(owner: number): Promise<readonly string[]> {
  for (let i = 0; i < 1000; i++) {
    const lab = listStates().find((state) => state.owner === owner && state.processes.length > 0);
    if (lab) return lab.namespaces;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('no lab came up');
}

const NAMES = topologies.map(({ name }) => name).join(', ');

describe('mistakes', () => {
  it.each([
    [['lab', 'up', 'vpn'], `ulvs lab: no lab is named "vpn"; there are ${NAMES}\n`],
    [['lab', 'graph', 'x'], `ulvs lab: no lab is named "x"; there are ${NAMES}\n`],
    [['lab', 'test'], 'ulvs lab: name one or several labs (`ulvs lab list` shows them), or give --all\n'],
    [['lab', 'down'], 'ulvs lab: name a lab by id or topology (`ulvs lab list` shows them), or give --all\n'],
    [['lab', 'down', 'nat-none'], 'ulvs lab: no lab nat-none is up\n'],
  ])('%j prints one line that says what is right', async (words, said) => {
    expect(await ulvs(...words)).toEqual({ code: 1, out: '', err: said });
  });

  it('graph prints the drawing', async () => {
    const { code, out } = await ulvs('lab', 'graph', 'nat');
    expect(code).toBe(0);
    expect(out.trimEnd()).toBe(basics[0]!.drawing.trimEnd());
  });
});
