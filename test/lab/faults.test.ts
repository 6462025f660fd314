/** A few faults from end to end: put in, felt, found alone, mended by the doctor's own words, gone. Needs root and dist. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { askDirector } from '../../src/cli/commands/doctor.js';
import { placesOf } from '../../src/lab/faults/fault.js';
import { faults, findFault } from '../../src/lab/faults/index.js';
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
  it('names each once, in a topology that is there', () => {
    expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
    for (const fault of faults)
      for (const topology of placesOf(fault)) expect(findTopology(topology).name).toBe(topology);
  });

  it('an unknown one is answered by all names', () => {
    expect(() => findFault('nix')).toThrow(
      /^no fault is named "nix"; there are gateway, .*acceptance, offload, discovery, wire-mtu$/,
    );
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
    const { trouble, felt, found, mended, falseAlarms } = trial;
    expect({ trouble, felt, found, mended, falseAlarms }).toEqual({
      trouble: '',
      felt: true,
      found: true,
      mended: true,
      falseAlarms: [],
    });
  });
});
