/**
 * Labs without a director: they come up complete, several at a time, and leave nothing behind.
 * Needs root.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { countOf, down, findLabs, isHealthy, type Lab, up } from '../../../src/lab/build/lab.js';
import { isRunning, start as startProcess, untilReady } from '../../../src/lab/build/process.js';
import { directoryOf, namespaceOf, program, STATE_DIRECTORY } from '../../../src/lab/names.js';
import { findTopology } from '../../../src/lab/topologies/index.js';
import { command, inNamespace } from '../../../src/sys/command.js';

const reason =
  process.getuid?.() !== 0
    ? 'needs root for namespaces'
    : existsSync(program('lab/programs/realserver.js'))
      ? ''
      : 'needs dist (make build)';
if (reason) console.log(`skipped: ${reason}`);

const labs: Lab[] = [];

async function start(name: string, device: 'packet' | 'tap' = 'packet'): Promise<Lab> {
  const lab = await up(findTopology(name), { device, director: false });
  labs.push(lab);
  return lab;
}

function traces(id: string): string[] {
  const netns = readdirSync('/run/netns').filter((name) => name.includes(id));
  return [...netns, ...readdirSync(STATE_DIRECTORY).filter((name) => name.startsWith(id))];
}

afterEach(async () => {
  for (const lab of labs.splice(0)) await down(lab);
});

describe.skipIf(reason !== '')('a lab', () => {
  it('comes up with realservers that serve, and leaves nothing behind', async () => {
    const lab = await start('nat');
    expect(isHealthy(lab)).toBe(true);
    const rs2 = namespaceOf(lab.id, 'rs2');
    const { stdout } = await inNamespace(rs2, 'curl', '-s', 'http://192.168.1.12:8080/');
    expect(stdout).toMatch(/^rs2 answers 192\.168\.1\.12:\d+ at 192\.168\.1\.12:8080\n$/);
    expect(await countOf(lab.id, 'rs2')).toMatchObject({ name: 'rs2', connections: 1, requests: 1 });
    expect(await countOf(lab.id, 'rs1')).toMatchObject({ connections: 0 });
    await down(lab);
    expect(traces(lab.id)).toEqual([]);
    expect(lab.processes.some(isRunning)).toBe(false);
  });

  it('has the name that it is given, once', async () => {
    const lab = await up(findTopology('nat'), { device: 'packet', director: false, name: 'a' });
    labs.push(lab);
    expect(lab.id).toBe('nat-a');
    expect(readdirSync('/run/netns')).toContain('ulvs-nat-a-client');
    const again = up(findTopology('nat'), { device: 'packet', director: false, name: 'a' });
    await expect(again).rejects.toThrow('lab nat-a is up already');
    const wrong = up(findTopology('nat'), { device: 'packet', director: false, name: '../a' });
    await expect(wrong).rejects.toThrow('--name ../a: use 1 to 16 of a-z, 0-9 and -');
    expect(isHealthy(lab)).toBe(true);
  });

  it('runs a command on one of its hosts, and gives its exit code', async () => {
    const lab = await start('nat');
    const exec = async (host: string, ...words: string[]) => {
      const all = [program('cli/main.js'), 'lab', 'exec', lab.id, host, ...words];
      const run = promisify(execFile)(process.execPath, all);
      return run.catch(({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
        code,
        stdout,
        stderr,
      }));
    };
    const there = await exec('rs2', '--', 'sh', '-c', 'ip -br -4 address show eth0; echo $ULVS_SOCKET');
    expect(there.stdout).toMatch(/^eth0\S* +UP +192\.168\.1\.12\/24 \n/);
    expect(there.stdout).toContain(`/run/ulvs-lab/${lab.id}/ulvs.sock`);
    expect(await exec('rs2', 'sh', '-c', 'exit 7')).toMatchObject({ code: 7, stderr: '' });
    const missing = await exec('rs9', 'true');
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toMatch(/^ulvs: lab nat-\w+ has no host rs9; it has client, director, rs1, rs2, rs3\n$/);
  });

  it('can be up twice, and is found by id and by topology', async () => {
    const [one, two] = [await start('dr'), await start('dr')];
    expect(one.id).not.toBe(two.id);
    expect(findLabs(one.id).map(({ id }) => id)).toEqual([one.id]);
    expect(findLabs('dr').map(({ id }) => id)).toEqual(expect.arrayContaining([one.id, two.id]));
    await down(one);
    expect(isHealthy(two)).toBe(true);
  });

  it('may be taken down twice', async () => {
    const lab = await start('nat');
    await down(lab);
    await down(lab);
    expect(traces(lab.id)).toEqual([]);
  });

  it('connects client and router, and its DR realservers do not answer ARP for the VIP', async () => {
    const lab = await start('dr');
    const client = namespaceOf(lab.id, 'client');
    await inNamespace(client, 'ping', '-c', '1', '-W', '2', '192.168.1.11');
    // The VIP is on three lo interfaces and no host answers ARP for it: the router has no neighbour
    // entry.
    await expect(inNamespace(client, 'ping', '-c', '1', '-W', '1', '192.168.1.110')).rejects.toThrow();
    const router = namespaceOf(lab.id, 'router');
    const { stdout } = await command('ip', ['-n', router, 'neigh', 'show', '192.168.1.110']);
    expect(stdout).not.toContain('lladdr');
  });

  it('bridges the wires of a director on TAPs, which has no address', async () => {
    const lab = await start('nat', 'tap');
    const director = namespaceOf(lab.id, 'director');
    const { stdout } = await command('ip', ['-n', director, '-br', 'link']);
    expect(stdout.split('\n').map((line) => line.split(/[ @]/)[0])).toEqual(
      expect.arrayContaining(['br0', 'wire0', 'eth0', 'br1', 'wire1', 'eth1']),
    );
    expect((await command('ip', ['-n', director, '-4', '-br', 'address'])).stdout.trim()).toBe('');
  });

  it('leaves nothing behind if its start is interrupted', async () => {
    const spec = { ...findTopology('tun'), name: `tun${process.pid}` };
    const abort = new AbortController();
    const coming = up(spec, { device: 'packet', director: false }, abort.signal);
    abort.abort(new Error('stop it'));
    await expect(coming).rejects.toThrow('stop it');
    expect(traces(spec.name)).toEqual([]);
  });

  it('leaves nothing behind if it cannot be built', async () => {
    const tun = findTopology('tun');
    const hosts = tun.hosts.map((host) => ({ ...host, routes: [{ to: 'default', via: '9.9.9.9', dev: 'eth0' }] }));
    const spec = { ...tun, name: `bad${process.pid}`, hosts };
    await expect(up(spec, { device: 'packet', director: false })).rejects.toThrow(
      /^ip -n ulvs-bad\d+-\w+-client -batch/,
    );
    expect(traces(spec.name)).toEqual([]);
  });

  it('reports a program that ends early, with the end of its log', async () => {
    const lab = await start('nat');
    const log = `${directoryOf(lab.id)}/sh.log`;
    const words = ['sh', '-c', 'echo the reason; exit 3'];
    const running = startProcess('the shell', namespaceOf(lab.id, 'client'), log, words);
    await expect(untilReady(running, () => false)).rejects.toThrow('the shell ended before it was ready: the reason');
  });
});
