/**
 * Mistakes, mostly for `ulvs run`: each gives one line that names the place and the remedy and an
 * exit code other than 0, and leaves the machine as it was: no nft rules, no interface, no socket.
 */
import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../support/netns.js';
import { DIST, Testbed } from './testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const NAT = '-A -t 10.1.0.100:80 -s rr\n-a -t 10.1.0.100:80 -r 10.2.0.11:8080 -m';
const NOBODY = [
  'setpriv',
  '--reuid',
  '65534',
  '--regid',
  '65534',
  '--clear-groups',
  '--bounding-set',
  '-all',
  '--inh-caps',
  '-all',
];

describe.skipIf(!isRoot)('ulvs run refuses', () => {
  let testbed: Testbed;

  beforeAll(() => {
    testbed = new Testbed('bad');
    chmodSync(testbed.folder, 0o755);
  });
  afterAll(() => testbed.remove());

  /**
   * Runs the command to its end and returns its one line on stderr, without the log of a start that
   * was undone.
   */
  async function refused(words: string[], code: number, prefix: string[] = []): Promise<string> {
    const before = testbed.traces();
    const ended = await testbed.ulvs(['run', ...words], prefix).ended;
    const lines = ended.err.split('\n').filter((line) => line !== '' && !line.startsWith('{"level":"info",'));
    expect(testbed.traces()).toBe(before);
    expect({ out: ended.out, code: ended.code, lines: lines.length }).toEqual({ out: '', code, lines: 1 });
    return lines[0]!;
  }

  it('an unknown key', async () => {
    const file = testbed.config('key.yaml', { more: 'rulez: x' });
    expect(await refused(['-c', file], 2)).toBe(`ulvs: ${file}:7: rulez: no such key; did you mean rules?`);
  });

  it('a bad address', async () => {
    const file = testbed.file('address.yaml', 'devices:\n  - { name: eth0, kind: tap, addresses: [10.1.0.300/24] }\n');
    expect(await refused(['-c', file], 2)).toMatch(`ulvs: ${file}:2: devices[0].addresses[0]: `);
  });

  it('a masq destination without a route, and names its line', async () => {
    const text = 'devices:\n  - { name: tap0, kind: tap, addresses: [10.1.0.254/24] }\nrules: |\n';
    const file = testbed.file(
      'route.yaml',
      `${text}  -A -t 10.1.0.100:80 -s rr\n  -a -t 10.1.0.100:80 -r 10.7.0.11:8080 -m\n`,
    );
    expect(await refused(['-c', file, '--socket', testbed.socket], 2)).toBe(
      `ulvs: ${file}:5: destination 10.7.0.11: no route to it; the devices have 10.1.0.254/24 on tap0; ` +
        'give a device an address there or add a route under "routes:"',
    );
  });

  it('a rule line that ulvsadm refuses', async () => {
    const file = testbed.config('rule.yaml', { rules: `${NAT}\n-a -t 10.1.0.101:80 -r 10.2.0.11 -m` });
    expect(await refused(['-c', file], 2)).toBe(
      `ulvs: ${file}:11: rules: -a -t 10.1.0.101:80 -r 10.2.0.11 -m: Service not defined: no line before it adds the service (-A)`,
    );
  });

  it('a rules file with such a line', async () => {
    const rules = testbed.file('bad.rules', `# ours\n${NAT}\n-A -t 10.1.0.100 -s rr\n`);
    expect(await refused(['--rules', rules, '--socket', testbed.socket], 2)).toMatch(
      `ulvs: ${rules}:4: rules: -A -t 10.1.0.100 -s rr: `,
    );
  });

  it('a rules file that does not exist', async () => {
    const file = testbed.config('fine.yaml', { rules: NAT });
    const missing = `${testbed.folder}/missing.rules`;
    expect(await refused(['-c', file, '--rules', missing], 2)).toBe(
      `ulvs: ${missing}: no such file; name a file with lines as for ipvsadm -R`,
    );
  });

  it('a configuration that does not exist, is a directory, or may not be read', async () => {
    expect(await refused(['-c', `${testbed.folder}/none.yaml`], 2)).toBe(
      `ulvs: ${testbed.folder}/none.yaml: no such file`,
    );
    expect(await refused(['-c', testbed.folder], 2)).toBe(`ulvs: ${testbed.folder}: is a directory, not a file`);
    const secret = testbed.file('secret.yaml', 'devices: []\n', 0o600);
    expect(await refused(['-c', secret], 2, NOBODY)).toBe(`ulvs: ${secret}: permission denied`);
  });

  it('an interface that does not exist', async () => {
    const file = testbed.file('dev.yaml', `socket: ${testbed.socket}\ndevices:\n  - { name: eth9, kind: packet }\n`);
    expect(await refused(['-c', file], 2)).toBe(
      `ulvs: ${file}:3: devices[0].name: eth9: no such network interface; 'ip link' lists the interfaces`,
    );
  });

  it.each(['packet', 'auto', 'cap'])('a user without privileges (%s)', async (kind) => {
    const file = testbed.config('nobody.yaml');
    const said = await refused(['-c', file, '--device', kind], 2, NOBODY);
    expect(said).toMatch(/^ulvs: (eth0|nft): .*not permitted.*; run as root or with CAP_NET/);
  });

  it('a user without privileges (tap)', async () => {
    const file = testbed.file(
      'nobody-tap.yaml',
      `socket: ${testbed.socket}\ndevices:\n  - { name: tap0, kind: tap }\n`,
    );
    const said = await refused(['-c', file], 2, NOBODY);
    expect(said).toMatch(/^ulvs: tap0: .*not permitted.*; run as root or with CAP_NET/);
  });

  it('a TAP with the name of another interface', async () => {
    const said = await refused(['-c', testbed.config('taken.yaml'), '--device', 'tap'], 2);
    expect(said).toBe(
      'ulvs: eth0: an interface of this name exists and is no TAP; choose another name, or another kind',
    );
  });

  it('a socket path that is a file', async () => {
    const file = testbed.config('fine.yaml', { rules: NAT });
    const said = await refused(['-c', file, '--socket', file], 1);
    expect(said).toBe(`ulvs: ${file} is not a socket: name another path with --socket`);
  });

  it('a second director on the same socket', async () => {
    const file = testbed.config('fine.yaml', { rules: NAT });
    const first = await testbed.up('-c', file);
    const before = testbed.traces();
    const second = await testbed.ulvs(['run', '-c', file]).ended;
    expect(second.err).toBe(
      `ulvs: another director (pid ${first.child.pid}) listens on ${testbed.socket}: stop it first, or name another socket with --socket\n`,
    );
    expect(second.code).toBe(1);
    testbed.run(testbed.director, `chmod 755 ${testbed.folder} ${path.dirname(testbed.socket)}`);
    const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
    const third = await testbed.ulvs(['run', '-c', file], nobody).ended;
    expect(third.err).toBe(`ulvs: ${testbed.socket} is another user's socket: name another one with --socket\n`);
    expect(testbed.traces()).toBe(before);
    first.kill('SIGTERM');
    expect((await first.ended).code).toBe(0);
  });
});

describe('a mistake on the command line is one line and exit code 2', () => {
  const ulvs = (words: readonly string[]) =>
    new Promise((resolve) => {
      execFile(process.execPath, [`${DIST}/cli/main.js`, ...words], (error, out, err) =>
        resolve({ code: error?.code ?? 0, out, err }),
      );
    });

  it.each([
    [['start'], "unknown command 'start'; did you mean run? (--help lists what there is)"],
    [['lab', 'up', 'nat', 'tun'], 'too many arguments for up: tun; one lab at a time: run ulvs lab up tun after it'],
    [['rum'], "unknown command 'rum'; did you mean run? (--help lists what there is)"],
    [['doctor', '--labb', 'x'], "unknown option '--labb'; did you mean --lab? (--help lists what there is)"],
    [
      ['--socket', '/run/s', 'status'],
      "unknown option '--socket' here: options follow the command, as in ulvs run --socket",
    ],
    [['lab', '--all', 'down'], "unknown option '--all' here: options follow the command, as in ulvs lab test --all"],
    [['doctor', '--lab'], "option '--lab <id|name>' argument missing (--help lists what there is)"],
    [['lab', 'up'], "missing required argument 'name' (--help lists what there is)"],
    [['status', 'x', 'y'], 'too many arguments for status: x y (--help lists what there is)'],
    [['doctor', 'dr'], 'too many arguments for doctor: dr; to name a lab use --lab: ulvs doctor --lab dr'],
    [['run', 'x.yaml'], 'too many arguments for run: x.yaml; to name a configuration use -c: ulvs run -c x.yaml'],
    [
      ['replay', 'dir', '--trace', 'port', '40001'],
      "too many arguments for replay: 40001; quote a filter of several words: --trace 'port …'",
    ],
  ])('%j', async (words, said) => {
    expect(await ulvs(words)).toEqual({ code: 2, out: '', err: `ulvs: ${said}\n` });
  });

  it('except for --help and --version', async () => {
    for (const words of [['--version'], ['--help'], ['lab', '--help']])
      expect(await ulvs(words)).toMatchObject({ code: 0, err: '' });
  });
});
