/**
 * curl and a real FTP server through a real director. The server knows only its own address, so
 * every data connection depends on the FTP helper. Needs root and pyftpdlib.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pair, VIPS } from './pair.js';

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

const FILES = { small: randomBytes(1000), big: randomBytes(5_000_000) };
let pair: Pair | undefined;
let home = '';

function rules(): string[] {
  return ['rules: |', ...VIPS.flatMap(ruleLines)];
}
function ruleLines(vip: string): string[] {
  const [service, server] = vip.includes(':') ? [`[${vip}]`, '[2001:db8:1::11]'] : [vip, '192.168.1.11'];
  return [`  -A -t ${service}:21 -s rr`, `  -a -t ${service}:21 -r ${server}:21 -m`];
}

beforeAll(async () => {
  if (reason) return;
  pair = new Pair();
  home = pair.home;
  for (const [name, bytes] of Object.entries(FILES)) writeFileSync(join(home, name), bytes);
  const server = join(import.meta.dirname, 'ftpserver.py');
  await Promise.all([pair.start('server', 'ready', '/usr/bin/python3', server, home), pair.direct(...rules())]);
});

afterAll(() => pair?.close(), 30_000);

/** The dialogue of curl and the server. */
function curl(...words: string[]): string {
  return pair!.run('client', 'curl', '-sS', '-v', '--max-time', '20', '--no-ftp-skip-pasv-ip', ...words);
}

const MODES = [
  ['PASV', ['--disable-epsv'], '227 '],
  ['EPSV', [], '229 '],
  ['PORT', ['-P', '-', '--disable-eprt'], '> PORT 10,0,0,1,'],
  ['EPRT', ['-P', '-'], '> EPRT |'],
] as const;
const CASES = MODES.flatMap(([mode, options, sign]) =>
  VIPS.filter((vip) => !vip.includes(':') || mode.startsWith('E')).map((vip) => [mode, vip, options, sign] as const),
);

describe.skipIf(reason !== '').each(CASES)('curl by %s at %s', (_mode, vip, options, sign) => {
  const url = (name: string) => `ftp://${vip.includes(':') ? `[${vip}]` : vip}/${name}`;

  it('fetches five files and a large one over one control connection', { timeout: 40_000 }, () => {
    const names = ['small', 'small', 'small', 'small', 'small', 'big'] as const;
    const out = names.flatMap((name, i) => ['-o', join(home, `got${i}`), url(name)]);
    const talk = curl(...options, ...out);
    for (const [i, name] of names.entries())
      expect(readFileSync(join(home, `got${i}`)).equals(FILES[name]), `${name} ${i}`).toBe(true);
    expect(talk).toContain(sign);
    expect(talk).not.toContain('192,168');
    // One control connection for all files: its sequence numbers were shifted six times.
    expect(talk.match(/^< 220 /gm)).toHaveLength(1);
  });

  it('stores a file', { timeout: 40_000 }, () => {
    curl(...options, '-T', join(home, 'big'), url('stored'));
    expect(readFileSync(join(home, 'stored')).equals(FILES.big)).toBe(true);
  });
});

describe.skipIf(reason !== '')('afterwards', () => {
  it('the listing shows data connections of both kinds', () => {
    const rows = pair!.ulvsadm('-Lnc');
    expect(rows).toMatch(/TCP \d\d:\d\d {2}TIME_WAIT +10\.0\.0\.1:\d+ +10\.0\.0\.100:300\d\d +192\.168\.1\.11:300\d\d/);
    expect(rows).toMatch(/10\.0\.0\.1:\d+ +10\.0\.0\.101:20 +192\.168\.1\.11:20/);
  });
});
