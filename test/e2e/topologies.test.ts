/**
 * All topologies except those of lab.test.ts, as a user runs them: `ulvs lab test NAME...` on
 * packet devices, with a row of the summary for each. Then what a user without root gets. Needs
 * root.
 */

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { keepalivedObstacle } from '../../src/lab/build/keepalived.js';
import { isStale, listStates } from '../../src/lab/build/state.js';
import { program } from '../../src/lab/names.js';
import { basics, topologies } from '../../src/lab/topologies/index.js';
import { withTunNode } from '../support/tun-node.js';

const reason = process.getuid?.() !== 0 ? 'needs root for namespaces' : '';
if (reason) console.log(`skipped: ${reason}`);

interface Ended {
  code: number | null;
  out: string;
  err: string;
}
interface Row {
  lab?: string;
  labs?: number;
  passed: number;
  failed: number;
  failures?: { name: string; figure: string }[];
}

/** `input`: what is typed into the program, or into the shell that it starts. */
function run(file: string, words: string[], input = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 2 ** 24, env: { ...process.env, SHELL: '/bin/sh' } };
    const child = execFile(file, words, options, (_, out, err) => resolve({ code: child.exitCode, out, err }));
    child.stdin!.end(input);
  });
}

const ulvs = (...words: string[]) => run(process.execPath, [program('cli/main.js'), ...words]);
/** One pair is enough for the time that it takes; ULVS_LABS=all runs the other, too. */
const LEFT_OUT = process.env.ULVS_LABS === 'all' ? [] : ['pair-dr'];
const without = topologies.flatMap((topology) => keepalivedObstacle(topology) ?? []);
for (const why of without) console.log(`skipped: ${why}`);
const names = topologies
  .filter((topology) => !basics.includes(topology) && keepalivedObstacle(topology) === undefined)
  .map(({ name }) => name)
  .filter((name) => !LEFT_OUT.includes(name));

describe.skipIf(reason !== '')('the topologies of the HOWTO', () => {
  let ended: Ended;
  let rows: Row[];

  beforeAll(async () => {
    ended = await ulvs('lab', 'test', ...names, '--quick', '--json');
    rows = ended.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);
  }, 420_000);

  it.each(names)('%s passes every check', (name) => {
    const row = rows.find(({ lab }) => lab === name);
    expect(row?.failures).toEqual([]);
    expect(row?.passed).toBeGreaterThan(12);
  });

  /** Tests that run beside this one have labs, too. */
  it('have a summary, and leave nothing behind', () => {
    expect(ended.err).toBe('');
    expect(rows.at(-1)).toMatchObject({ labs: names.length, passed: names.length, failed: 0 });
    expect(ended.code).toBe(0);
    const beside = listStates().filter((state) => !isStale(state));
    const left = readdirSync('/run/netns').filter((one) => !beside.some(({ id }) => one.startsWith(`ulvs-${id}-`)));
    for (const { name } of topologies.filter((topology) => names.includes(topology.name)))
      expect(left.filter((one) => new RegExp(`^ulvs-${name}-[0-9a-f]{4}-`).test(one))).toEqual([]);
  });
});

describe.skipIf(reason !== '')("a topology that needs the host's kernel", () => {
  it('is refused on a TAP with one line', async () => {
    expect(await ulvs('lab', 'test', 'localnode', '--device', 'tap')).toEqual({
      code: 1,
      out: '',
      err: "ulvs lab: lab localnode needs the host's own network stack: --device xdp or packet or cap, not tap\n",
    });
  });
});

describe.skipIf(reason !== '')('an ordinary user', () => {
  /** The user nobody, without groups and capabilities. */
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  const powerless = ['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'];
  const command = (words: string[]) => [...nobody, ...powerless, process.execPath, program('cli/main.js'), ...words];
  const asNobody = (...words: string[]) => run('setpriv', command(words));
  /** On a machine whose /dev/net/tun only root may open. */
  const withoutTun = (...words: string[]) => {
    const [unshare, ...more] = withTunNode('600') as [string, ...string[]];
    return run(unshare, [...more, 'setpriv', ...command(words)]);
  };

  it('gets a hint at --rootless', async () => {
    const { code, err } = await asNobody('lab', 'test', 'nat');
    expect(code).toBe(1);
    expect(err).toBe(
      'ulvs lab: network namespaces need root: run it with sudo, or with --rootless in a user namespace\n',
    );
  });

  it('needs no /dev/net/tun for tunnels, and gets a hint where it is needed', { timeout: 60_000 }, async () => {
    const tun = await withoutTun('lab', 'test', 'tun', '--rootless', '--quick', '--json');
    expect(tun.err).toBe('');
    expect(tun.code).toBe(0);
    const local = await withoutTun('lab', 'up', 'localnode', '--rootless');
    expect(local.err).toBe(
      'ulvs lab: lab localnode needs /dev/net/tun, which this user may not open: run chmod 666 /dev/net/tun as root, once\n',
    );
    expect((await asNobody('lab', 'up', 'nat', '--rootless', '--device', 'xdp')).err).toBe(
      'ulvs lab: lab nat with xdp devices needs root: no user namespace may load BPF programs; --device packet needs none\n',
    );
  });

  it('gets one line about what only root may do', async () => {
    for (const words of [
      ['down', '--all'],
      ['break', 'nat', 'arp'],
      ['restart', 'nat', 'rs1'],
      ['faults', 'arp'],
    ]) {
      const { code, err } = await asNobody('lab', ...words);
      expect(err).toMatch(/^ulvs lab: .*: run it with sudo.*\n$/);
      expect(code).toBe(1);
    }
  });

  it("finds the director in the shell of a lab, without the socket's name", { timeout: 60_000 }, async () => {
    const typed = `${process.execPath} ${program('cli/ulvsadm.js')} -Sn\n`;
    const { code, out, err } = await run('setpriv', command(['lab', 'up', 'dr', '--rootless']), typed);
    expect(err).toBe('');
    expect(out).toContain('\n-a -t 192.168.1.110:80 -r 192.168.1.11:80 -g -w 1\n');
    expect(code).toBe(0);
  });

  it('runs a lab in a user namespace', { timeout: 60_000 }, async () => {
    const before = readdirSync('/run/netns');
    const { code, out, err } = await asNobody('lab', 'test', 'dr', '--rootless', '--json');
    expect(err).toBe('');
    const rows = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row & { ok?: boolean });
    expect(rows.filter(({ ok }) => ok === false)).toEqual([]);
    expect(rows.at(-1)).toMatchObject({ failed: 0 });
    expect(code).toBe(0);
    // Other test files have labs of their own, each with its record. New namespaces without a
    // record would be those of this test.
    const nobodys = (name: string) =>
      !listStates().some(({ id }) => name.startsWith(`${id}-`) || name.startsWith(`ulvs-${id}-`));
    const left = readdirSync('/run/netns').filter((name) => !before.includes(name) && name.startsWith('ulvs-dr'));
    expect(left.filter(nobodys)).toEqual([]);
  });
});
