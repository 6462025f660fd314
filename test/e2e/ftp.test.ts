/**
 * curl and a real FTP server, through a real director that shares its packet devices with the host.
 *
 *     client 10.0.0.1, 2001:db8::1 ── eth0 [director, VIP .100 ::100] eth1 ── server 192.168.1.11, 2001:db8:1::11
 *
 * The server knows only its own address: every data connection is there thanks to the helper. Needs root and pyftpdlib.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../../src/lab/names.js';

const reason = process.getuid?.() !== 0 ? 'needs root for namespaces' : missingServer();
if (reason) console.log(`skipped: ${reason}`);

function missingServer(): string {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import pyftpdlib'], { stdio: 'ignore' });
    return '';
  } catch {
    return 'needs pyftpdlib (apt-get install python3-pyftpdlib)';
  }
}

const [CLIENT, DIRECTOR, SERVER] = ['c', 'd', 's'].map((who) => `ulvs-ftp-${process.pid}-${who}`) as [
  string,
  string,
  string,
];
const FILES = { small: randomBytes(1000), big: randomBytes(5_000_000) };
/** On the host's interface the VIP is shared with it port by port; without, it is all the director's. */
const VIPS = ['10.0.0.100', '10.0.0.101'];

let home: string;
const children: ChildProcess[] = [];

function ip(...words: string[]): void {
  execFileSync('ip', words.join(' ').split(' '), { stdio: ['ignore', 'ignore', 'inherit'] });
}
function start(namespace: string, ...words: string[]): ChildProcess {
  const child = spawn('ip', ['netns', 'exec', namespace, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}
function said(child: ChildProcess, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const hear = (chunk: Buffer) => {
      text += chunk;
      if (text.includes(word)) resolve();
    };
    child.stdout!.on('data', hear);
    child.stderr!.on('data', hear);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
}

function wire(a: string, devA: string, b: string, devB: string): void {
  ip(`link add ${devA} netns ${a} type veth peer name ${devB} netns ${b}`);
  for (const [namespace, dev] of [
    [a, devA],
    [b, devB],
  ])
    ip(`-n ${namespace} link set ${dev} up`);
}

function network(): void {
  for (const name of [CLIENT, DIRECTOR, SERVER]) {
    ip(`netns add ${name}`);
    ip(`-n ${name} link set lo up`);
  }
  wire(CLIENT, 'eth0', DIRECTOR, 'eth0');
  wire(DIRECTOR, 'eth1', SERVER, 'eth0');
  ip(`-n ${CLIENT} addr add 10.0.0.1/24 dev eth0`);
  ip(`-n ${CLIENT} addr add 2001:db8::1/64 dev eth0 nodad`);
  ip(`-n ${DIRECTOR} addr add 10.0.0.254/24 dev eth0`);
  ip(`-n ${DIRECTOR} addr add ${VIPS[0]}/32 dev eth0`);
  ip(`-n ${DIRECTOR} addr add 2001:db8::254/64 dev eth0 nodad`);
  ip(`-n ${DIRECTOR} addr add 2001:db8::100/128 dev eth0 nodad`);
  ip(`-n ${DIRECTOR} addr add 192.168.1.254/24 dev eth1`);
  ip(`-n ${DIRECTOR} addr add 2001:db8:1::254/64 dev eth1 nodad`);
  ip(`-n ${SERVER} addr add 192.168.1.11/24 dev eth0`);
  ip(`-n ${SERVER} addr add 2001:db8:1::11/64 dev eth0 nodad`);
  ip(`-n ${SERVER} route add default via 192.168.1.254`);
  ip(`-n ${SERVER} -6 route add default via 2001:db8:1::254`);
}

function yaml(): string {
  const rules = [...VIPS, '[2001:db8::100]'].flatMap((vip) => [
    `-A -t ${vip}:21 -s rr`,
    `-a -t ${vip}:21 -r ${vip.includes(':') ? '[2001:db8:1::11]' : '192.168.1.11'}:21 -m`,
  ]);
  return [
    'devices:',
    '  - { name: eth0, kind: packet }',
    '  - { name: eth1, kind: packet }',
    `accept: { arp: true }`,
    `socket: ${home}/socket`,
    'rules: |',
    ...rules.map((rule) => `  ${rule}`),
    '',
  ].join('\n');
}

beforeAll(async () => {
  if (reason) return;
  home = mkdtempSync(join(tmpdir(), 'ulvs-ftp-'));
  for (const [name, bytes] of Object.entries(FILES)) writeFileSync(join(home, name), bytes);
  network();
  writeFileSync(join(home, 'director.yaml'), yaml());
  const server = start(SERVER, '/usr/bin/python3', join(import.meta.dirname, 'ftpserver.py'), home);
  const director = start(DIRECTOR, process.execPath, program('cli/main.js'), 'run', '-c', join(home, 'director.yaml'));
  await Promise.all([said(server, 'ready'), said(director, 'director is up')]);
}, 30_000);

afterAll(async () => {
  for (const child of children) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
  }
  for (const name of [CLIENT, DIRECTOR, SERVER])
    try {
      execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
    } catch {
      // It never came to be.
    }
  if (home) rmSync(home, { recursive: true });
}, 30_000);

/** What curl and the server said to each other. */
function curl(...words: string[]): string {
  const all = ['netns', 'exec', CLIENT, 'curl', '-sS', '-v', '--max-time', '20', '--no-ftp-skip-pasv-ip', ...words];
  return execFileSync('/bin/sh', ['-c', 'exec ip "$@" 2>&1', 'ip', ...all], { encoding: 'utf8' });
}
function listing(): string {
  const words = ['netns', 'exec', DIRECTOR, process.execPath, program('cli/ulvsadm.js'), '-Lnc'];
  return execFileSync('ip', words, { encoding: 'utf8', env: { ...process.env, ULVS_SOCKET: `${home}/socket` } });
}

const MODES = [
  ['PASV', ['--disable-epsv'], '227 '],
  ['EPSV', [], '229 '],
  ['PORT', ['-P', '-', '--disable-eprt'], '> PORT 10,0,0,1,'],
  ['EPRT', ['-P', '-'], '> EPRT |'],
] as const;
const CASES = MODES.flatMap(([mode, options, sign]) =>
  [...VIPS, '[2001:db8::100]']
    .filter((vip) => !vip.includes(':') || mode.startsWith('E'))
    .map((vip) => [mode, vip, options, sign] as const),
);

describe.skipIf(reason !== '').each(CASES)('curl by %s at %s', (_mode, vip, options, sign) => {
  const url = (name: string) => `ftp://${vip}/${name}`;

  it('fetches five files and a big one by one control connection', { timeout: 40_000 }, () => {
    const names = ['small', 'small', 'small', 'small', 'small', 'big'] as const;
    const out = names.flatMap((name, i) => ['-o', join(home, `got${i}`), url(name)]);
    const talk = curl(...options, ...out);
    for (const [i, name] of names.entries())
      expect(readFileSync(join(home, `got${i}`)).equals(FILES[name]), `${name} ${i}`).toBe(true);
    expect(talk).toContain(sign);
    expect(talk).not.toContain('192,168');
    // One control connection for all: its numbers were shifted six times.
    expect(talk.match(/^< 220 /gm)).toHaveLength(1);
  });

  it('stores a file', { timeout: 40_000 }, () => {
    curl(...options, '-T', join(home, 'big'), url('stored'));
    expect(readFileSync(join(home, 'stored')).equals(FILES.big)).toBe(true);
  });
});

describe.skipIf(reason !== '')('afterwards', () => {
  it('the listing shows data connections of both kinds', () => {
    const rows = listing();
    expect(rows).toMatch(/TCP \d\d:\d\d {2}TIME_WAIT +10\.0\.0\.1:\d+ +10\.0\.0\.100:300\d\d +192\.168\.1\.11:300\d\d/);
    expect(rows).toMatch(/10\.0\.0\.1:\d+ +10\.0\.0\.101:20 +192\.168\.1\.11:20/);
  });
});
