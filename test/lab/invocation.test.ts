import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { howToTry } from '../../src/lab/hints.js';
import { typed } from '../../src/lab/invocation.js';
import { program } from '../../src/lab/names.js';
import { findTopology } from '../../src/lab/topologies/index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ulvs-path-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a command of ours, as it can be typed', () => {
  it('is named where it is on the PATH', () => {
    symlinkSync(program('cli/main.js'), join(folder, 'ulvs'));
    expect(typed('ulvs lab list', `/nowhere:${folder}`)).toBe('ulvs lab list');
    expect(typed('ulvsadm -Ln', folder)).toBe(`node ${program('cli/ulvsadm.js')} -Ln`);
  });

  it('is given by its file where something else has its name, or nothing', () => {
    writeFileSync(join(folder, 'ulvs'), '');
    expect(typed('ulvs doctor', folder)).toBe(`node ${program('cli/main.js')} doctor`);
    expect(typed('ulvs doctor', '')).toBe(`node ${program('cli/main.js')} doctor`);
  });

  it('any other stays', () => {
    for (const words of ['ip route add default via 10.0.0.1', 'kill -HUP 1', 'ulvsomething x'])
      expect(typed(words, '')).toBe(words);
  });
});

it.each([
  ['nat', 'gateway'],
  ['dr', 'vip-missing'],
])('lab up %s says how to try it, break it and find it', (name, fault) => {
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
  const lines = howToTry(lab, true);
  for (const words of [
    `ulvs trace --socket /run/ulvs-lab/${lab.id}/ulvs.sock port ${spec.httpPort}`,
    `ulvs doctor --lab ${lab.id}`,
    `ulvs lab break ${lab.id} ${fault}   # then the doctor again`,
  ])
    expect(lines).toContain(`  ${typed(words)}`);
});
