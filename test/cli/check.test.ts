/** `ulvs check`: the mistakes and warnings of a configuration, without a director. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const MAIN = path.resolve(import.meta.dirname, '../../dist/cli/main.js');
const folder = mkdtempSync(path.join(tmpdir(), 'ulvs-check-'));

/** Checks a file with this text. The folder's name is left out of what it prints. */
function check(text: string): { code: number | null; out: string; err: string } {
  const file = path.join(folder, 'director.yaml');
  writeFileSync(file, text);
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'check', file], { encoding: 'utf8' });
  return { code: status, out: stdout.replaceAll(`${folder}/`, ''), err: stderr.replaceAll(`${folder}/`, '') };
}

describe('ulvs check', () => {
  afterAll(() => rmSync(folder, { recursive: true }));

  it('counts what a correct configuration has', () => {
    const text =
      'devices: [{ name: lo }]\nrules: |\n  -A -f 1 -s rr\n  -a -f 1 -r 10.0.0.1:0 -g\n  -a -f 1 -r 10.0.0.2:0 -g\n';
    expect(check(text)).toEqual({
      code: 0,
      out: 'director.yaml: correct: 1 device, 1 service, 2 real servers\n',
      err: '',
    });
  });

  it('names every mistake with its line, and ends with 2', () => {
    const { code, out, err } = check('devices: [{ name: lo }]\nworkers: 0\nsnatt: []\n');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.split('\n')).toEqual([
      expect.stringMatching(/^ulvs: director.yaml:2: workers: /),
      expect.stringMatching(/^ulvs: director.yaml:3: snatt: no such key; did you mean snat\?/),
      '',
    ]);
  });

  it('tries the rules, and static routes', () => {
    expect(check('devices: [{ name: lo }]\nrules: |\n  -A -t 10.0.0.1:80 -s rrr\n').err).toMatch(
      /^ulvs: director.yaml:3: /,
    );
    const tap = 'devices: [{ name: t0, kind: tap, addresses: [10.0.0.1/24] }]\n';
    const { code, err } = check(`${tap}rules: |\n  -A -f 1 -s rr\n  -a -f 1 -r 192.168.9.9:0 -m\n`);
    expect(err).toMatch(/^ulvs: director.yaml:4: destination 192.168.9.9: no route to it/);
    expect(code).toBe(2);
  });

  it('names every wrong rule line, and not those that only lack its service', () => {
    const rules = ['-A -t 10.0.0.1:80 -s rrr', '-a -t 10.0.0.1:80 -r 10.1.0.1 -m', '-A -f 1', '-a -f 1 -r 10.1.0.1 -q'];
    const { code, err } = check(`devices: [{ name: lo }]\nrules: |\n${rules.map((line) => `  ${line}\n`).join('')}`);
    expect(code).toBe(2);
    expect(err.match(/^ulvs: director.yaml:\d/gm)).toEqual(['ulvs: director.yaml:3', 'ulvs: director.yaml:6']);
  });

  it('warns of CPUs that the machine lacks', () => {
    const { code, err } = check('devices: [{ name: lo }]\nworkerCpus: [999]\n');
    expect(code).toBe(0);
    expect(err).toMatch(/^ulvs: warning: director.yaml: workerCpus: the director may not use CPU 999; it may use \d/);
  });

  it('warns of a range that is every address, and of a sysctl without effect', () => {
    const { code, err } = check(
      'devices: [{ name: lo }]\naccept: { arp: true, ranges: [0.0.0.0/0, "::/0", 10.9.0.0/16] }\nsysctl: { snat_reroute: 0 }\n',
    );
    expect(code).toBe(0);
    const everything = (range: string, family: string) =>
      `ulvs: warning: director.yaml: accept.ranges: ${range}: the director takes every ${family} packet that comes in, ` +
      'and it answers for every address of the wire (arp: true); name the networks of the VIPs';
    expect(err.split('\n')).toEqual([
      everything('0.0.0.0/0', 'IPv4'),
      everything('::/0', 'IPv6'),
      expect.stringMatching(/^ulvs: warning: director.yaml: sysctl.snat_reroute: the value is kept but has no effect/),
      '',
    ]);
  });

  it('warns of a SYN proxy that never begins, since the table is full before', () => {
    const options = 'serviceOptions: [{ service: -t 10.0.0.1:80, synproxy: auto }]';
    const ofTable = (max: number) => check(`devices: [{ name: lo }]\n${options}\nconnections: { max: ${max} }\n`);
    expect(ofTable(8192).err).toBe('');
    const { code, err } = ofTable(4096);
    expect(code).toBe(0);
    expect(err).toMatch(
      /^ulvs: warning: director.yaml: serviceOptions: -t 10.0.0.1:80: synproxy: auto never begins: .*connections.max: 4096.*sysctl.tcp_max_syn_backlog: 4096\n$/,
    );
  });

  it('warns of what this machine lacks', () => {
    const many = availableParallelism() + 1;
    const { code, err } = check(`devices:\n  - { name: eth77 }\nworkers: ${Math.min(many, 64)}\n`);
    expect(code).toBe(0);
    expect(err).toContain(
      'ulvs: warning: director.yaml:2: devices[0].name: eth77: this machine has no such network interface\n',
    );
    if (many <= 64) expect(err).toContain(`ulvs: warning: director.yaml: workers: ${many}, but `);
  });
});
