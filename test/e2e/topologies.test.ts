/**
 * Every topology of the HOWTO but the four of lab.test.ts, as a user runs them: `ulvs lab test NAME...`, on packet sockets.
 * A row of the summary each; then what a user without root gets. Needs root.
 */

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { program } from '../../src/lab/names.js';
import { listStates } from '../../src/lab/state.js';
import { basics, topologies } from '../../src/lab/topologies/index.js';

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

function run(file: string, words: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(file, words, { maxBuffer: 2 ** 24 }, (_, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });
}

const ulvs = (...words: string[]) => run(process.execPath, [program('cli/main.js'), ...words]);
const names = topologies.filter((topology) => !basics.includes(topology)).map(({ name }) => name);

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

  it('are summed up, and leave nothing', () => {
    expect(ended.err).toBe('');
    expect(rows.at(-1)).toMatchObject({ labs: names.length, passed: names.length, failed: 0 });
    expect(ended.code).toBe(0);
    for (const { name } of topologies.filter((topology) => names.includes(topology.name)))
      expect(readdirSync('/run/netns').filter((one) => new RegExp(`^ulvs-${name}-[0-9a-f]{4}-`).test(one))).toEqual([]);
  });
});

describe.skipIf(reason !== '')('what only the stack of the host can do', () => {
  it('is refused on a TAP in one line', async () => {
    expect(await ulvs('lab', 'test', 'localnode', '--device', 'tap')).toEqual({
      code: 1,
      out: '',
      err: "ulvs lab: lab localnode needs the host's own network stack: --device packet or xdp or cap, not tap\n",
    });
  });
});

describe.skipIf(reason !== '')('an ordinary user', () => {
  /** nobody, without any group or capability. */
  const asNobody = (...words: string[]) =>
    run('setpriv', [
      ...[
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        '--inh-caps=-all',
        '--bounding-set=-all',
        '--no-new-privs',
      ],
      process.execPath,
      program('cli/main.js'),
      ...words,
    ]);

  it('is told of --rootless', async () => {
    const { code, err } = await asNobody('lab', 'test', 'nat');
    expect(code).toBe(1);
    expect(err).toBe(
      'ulvs lab: network namespaces need root: run it with sudo, or with --rootless in a user namespace\n',
    );
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
    // Other test files have labs of their own, each with its state; what is new and nobody's would be ours.
    const nobodys = (name: string) =>
      !listStates().some(({ id }) => name.startsWith(`${id}-`) || name.startsWith(`ulvs-${id}-`));
    const left = readdirSync('/run/netns').filter((name) => !before.includes(name) && name.startsWith('ulvs-dr'));
    expect(left.filter(nobodys)).toEqual([]);
  });
});
