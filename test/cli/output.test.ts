/** Programs whose output cannot be written, words about mistakes on the command line, and texts of answers. */

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { healthText } from '../../src/cli/commands/health.js';
import { statsText } from '../../src/cli/commands/stats.js';
import { statusText } from '../../src/cli/commands/status.js';
import type { DirectorStatus } from '../../src/control/api/api.js';
import { newSyncStats } from '../../src/control/sync/stats.js';
import { newDeviceStats } from '../../src/device/device.js';
import { timeOf } from '../../src/trace/format.js';

const DIST = path.resolve(process.env.ULVS_DIST ?? `${import.meta.dirname}/../../dist`);

/** Runs a shell line in which $ULVS and $ULVSADM are the programs. */
function run(line: string): { code: number | null; err: string; out: string } {
  const ULVS = `${process.execPath} ${DIST}/cli/main.js`;
  const ULVSADM = `${process.execPath} ${DIST}/cli/ulvsadm.js`;
  const { status, stderr, stdout } = spawnSync('bash', ['-c', `set -o pipefail; ${line}`], {
    encoding: 'utf8',
    env: { ...process.env, ULVS, ULVSADM },
  });
  return { code: status, err: stderr, out: stdout };
}

describe('an output', { timeout: 60_000 }, () => {
  it('that is closed ends a program quietly', () => {
    expect(run('$ULVS lab list | true; exit $PIPESTATUS')).toEqual({ code: 0, err: '', out: '' });
    expect(run('$ULVSADM --help | true; exit $PIPESTATUS')).toEqual({ code: 0, err: '', out: '' });
  });

  it('that is full is one line and an exit code', () => {
    expect(run('$ULVS lab list >/dev/full')).toMatchObject({
      code: 1,
      err: 'ulvs: standard output: no space left on device\n',
    });
    expect(run('$ULVSADM --help >/dev/full')).toMatchObject({
      code: 1,
      err: 'ulvsadm: standard output: no space left on device\n',
    });
  });
});

describe('a mistake', { timeout: 60_000 }, () => {
  it.each([
    ['$ULVS ulvsadm -Ln', /ulvsadm is a program of its own/],
    ['$ULVS lab faults gatway', /no fault is named "gatway"; did you mean gateway\?/],
    [
      '$ULVS run --device tap --rules /dev/null',
      /such a device has addresses and routes of its own: name them in director.yaml/,
    ],
  ])('%s is answered by what is right', (line, words) => {
    const { code, err } = run(line);
    expect(err).toMatch(words);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(code).not.toBe(0);
  });
});

const STATUS: DirectorStatus = {
  version: '0.1.0',
  pid: 7,
  socket: '/run/ulvs/ulvs.sock',
  memory: 2e8,
  heap: { used: 0, external: 0 },
  tableId: 'x',
  uptime: 61,
  config: '/etc/ulvs/director.yaml',
  rulesOnly: false,
  devices: [
    {
      name: 'eth0',
      kind: 'xdp',
      mac: '02:00:00:00:00:01',
      mtu: 1500,
      addresses: [],
      stats: { ...newDeviceStats(), rxDropped: 7 },
    },
  ],
  services: 1,
  destinations: 1,
  table: { used: 3, max: 100 },
  workers: [{ used: 3, frames: 31 }],
  total: { conns: 1, inpkts: 0, outpkts: 0, inbytes: 0, outbytes: 0, cps: 0, inpps: 0, outpps: 0, inbps: 0, outbps: 0 },
  frames: { in: 31, forwarded: 0, delivered: 1, passed: 4, dropped: 20, out: 2 },
  drops: [],
  helpers: { ftp: [] },
  sync: { daemons: [], counters: newSyncStats() },
  health: { up: 0, checked: 0 },
};

it('the sums of stats are complete: frames that wait, and those that a device lost', () => {
  const lines = statsText(STATUS).split('\n');
  expect(lines.find((line) => line.includes('waiting'))).toMatch(/waiting for a neighbour or for fragments +6$/);
  expect(lines[0]).toMatch(/lost before the director +7 {2}rxDropped/);
});

it('status has version, socket, memory and connections, and counts in words', () => {
  const text = statusText(STATUS);
  for (const part of [
    'ulvs 0.1.0, pid 7, up 1 min 1 s, 200 MB',
    '/run/ulvs/ulvs.sock',
    '1, with 1 destination',
    '1 connection',
  ])
    expect(text).toContain(part);
  expect(text).not.toContain('1 destinations');
});

it('status has coloured health and a warning of a full table, on a terminal only', () => {
  const status = { ...STATUS, health: { up: 1, checked: 2 }, table: { used: 95, max: 100 } };
  const onTerminal = statusText(status, { isTTY: true, hasColors: () => true });
  expect(onTerminal).toContain('health      \x1b[31m1 of 2 destinations with checks are up\x1b[39m');
  expect(onTerminal).toContain('table       \x1b[33m95 of 100 entries in use\x1b[39m');
  expect(statusText(status, {})).not.toContain('\x1b');
});

it('health counts in words', () => {
  const target = { slot: 0, name: '10.0.0.1:80', up: false, share: 0, since: 8000 };
  const check = { id: 'tcp', type: 'tcp', up: false, text: 'refused', took: 1, passed: 3, failed: 3 } as const;
  const text = (changes: number) =>
    healthText([{ name: 'web', up: 0, quorum: 1, quorate: false, targets: [{ ...target, changes, checks: [check] }] }]);
  expect([text(1), text(2)]).toEqual([expect.stringMatching(/8 s, 1 change$/m), expect.stringMatching(/2 changes$/m)]);
});

it('a trace has the wall clock’s time, and that of a virtual clock in ms', () => {
  const at = new Date(2026, 10, 21, 20, 1, 2, 123).getTime();
  expect(timeOf(at + 0.456)).toBe('20:01:02.123456');
  expect(timeOf(12.3456)).toBe('12.346 ms');
});
