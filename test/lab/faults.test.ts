/**
 * The list of faults, and a few of them end to end: injected, visible, found alone, fixed by the
 * doctor's own commands. Needs root and dist.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { afterEach, describe, expect, it, vi } from 'vitest';
import { labCommand } from '../../src/cli/commands/lab.js';
import { askDirector } from '../../src/cli/doctor/ask-director.js';
import { down, findLabs, up } from '../../src/lab/build/lab.js';
import { topologiesOf } from '../../src/lab/faults/fault.js';
import { faults, faultsOf, findFault } from '../../src/lab/faults/index.js';
import { tryFault } from '../../src/lab/faults/run.js';
import { program } from '../../src/lab/names.js';
import { findTopology } from '../../src/lab/topologies/index.js';

const reason =
  process.getuid?.() !== 0
    ? 'needs root for namespaces'
    : existsSync(program('lab/faults/run.js'))
      ? ''
      : 'needs dist (make build)';
if (reason) console.log(`skipped: ${reason}`);

describe('the list of faults', () => {
  it('has each name once, with topologies that exist', () => {
    expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
    for (const fault of faults)
      for (const topology of topologiesOf(fault)) expect(findTopology(topology).name).toBe(topology);
  });

  it('has a fault for each finding of a check, but for those that need hardware', () => {
    const folder = 'src/doctor/check';
    const ids = readdirSync(folder).flatMap((file) =>
      [...readFileSync(`${folder}/${file}`, 'utf8').matchAll(/\bid: '([\w-]+)'/g)].map(([, id]) => id!),
    );
    const expected = new Set(faults.map(({ expects }) => expects));
    expect(ids.length).toBeGreaterThan(20);
    // A veth has no interrupts, and a lab does not change those of its machine.
    const hardware = ['interrupts-on-worker-cpu', 'rps-on-worker-cpu', 'worker-on-other-node'];
    expect(ids.filter((id) => !expected.has(id))).toEqual(hardware);
  });

  it('is in the error for an unknown name', () => {
    expect(() => findFault('nix')).toThrow(
      /^no fault is named "nix"; there are gateway, .*acceptance, offload, discovery, wire-mtu$/,
    );
    const ofTun = faultsOf('tun')
      .map(({ name }) => name)
      .join(', ');
    expect(() => findFault('nix', faultsOf('tun'))).toThrow(`no fault is named "nix"; there are ${ofTun}`);
    expect(ofTun).not.toContain('gateway');
  });
});

describe.skipIf(reason !== '')('a fault', () => {
  const signal = new AbortController().signal;
  it.each([
    ['gateway', 'nat'],
    ['arp', 'ipv6-dr'],
    ['tunnel-end', 'tun'],
    ['mark-rule', 'fwmark'],
    ['rip-only', 'dr'],
    ['offload', 'dr'],
    ['discovery', 'ipv6-nat'],
  ])('%s in %s', { timeout: 90_000 }, async (name, topology) => {
    const fault = findFault(name);
    const trial = await tryFault(fault, { ask: askDirector, signal }, topology);
    const { trouble, failed, found, fixed, falseAlarms } = trial;
    expect({ trouble, failed, found, fixed, falseAlarms }).toEqual({
      trouble: '',
      failed: true,
      found: true,
      fixed: true,
      falseAlarms: [],
    });
  });
});

describe.skipIf(reason !== '')('lab break', () => {
  afterEach(() => vi.restoreAllMocks());

  it('--random does not say which fault it is', { timeout: 90_000 }, async () => {
    const lab = await up(findTopology('nat'), { device: 'packet' });
    const said: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
    // The first one that this lab can have.
    vi.spyOn(Math, 'random').mockReturnValueOnce(0);
    await labCommand().parseAsync(['break', lab.id, '--random'], { from: 'user' });
    await down(findLabs(lab.id)[0]!);
    expect(said).toEqual([
      `${lab.id}: something is broken now`,
      expect.stringMatching(/^answers of the realservers to a few requests: \d\/\d\/\d of 6$/),
      expect.stringMatching(new RegExp(`^next: \\S.* doctor --lab ${lab.id}$`)),
    ]);
    expect(said[1]).not.toContain(' 2/2/2 ');
  });
});
