/** How commands are printed for the user to type, and the hints of `lab up`. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hintsFor } from '../../src/lab/hints.js';
import { invocation } from '../../src/lab/invocation.js';
import { program } from '../../src/lab/names.js';
import { findTopology } from '../../src/lab/topologies/index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ulvs-path-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a command line for the user', () => {
  it('has the name of a program that is on the PATH', () => {
    symlinkSync(program('cli/main.js'), join(folder, 'ulvs'));
    expect(invocation('ulvs lab list', `/nowhere:${folder}`)).toBe('ulvs lab list');
    expect(invocation('ulvsadm -Ln', folder)).toBe(`node ${program('cli/ulvsadm.js')} -Ln`);
  });

  it('has the file of a program if the PATH has none or another one of that name', () => {
    writeFileSync(join(folder, 'ulvs'), '');
    expect(invocation('ulvs doctor', folder)).toBe(`node ${program('cli/main.js')} doctor`);
    expect(invocation('ulvs doctor', '')).toBe(`node ${program('cli/main.js')} doctor`);
  });

  it('is unchanged for other programs', () => {
    for (const words of ['ip route add default via 10.0.0.1', 'kill -HUP 1', 'ulvsomething x'])
      expect(invocation(words, '')).toBe(words);
  });
});

it.each([
  ['nat', 'gateway'],
  ['dr', 'vip-missing'],
])('lab up %s prints how to try it, break it and find the fault', (name, fault) => {
  const spec = findTopology(name);
  const lab = {
    id: `${name}-0a0a`,
    topology: name,
    device: 'packet' as const,
    owner: 1,
    namespaces: [],
    processes: [],
    spec,
  };
  const lines = hintsFor(lab, true);
  for (const words of [
    `ulvs trace --socket /run/ulvs-lab/${lab.id}/ulvs.sock host 10.0.0.1   # then curl on another terminal`,
    `ulvs doctor --lab ${lab.id}`,
    `ulvs lab break ${lab.id} ${fault}   # then run the doctor again, and its fix`,
  ])
    expect(lines).toContain(`  ${invocation(words)}`);
});
