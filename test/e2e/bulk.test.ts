/**
 * GSO packets in one piece on a live machine: downloads and uploads through NAT are whole, and the
 * director handles fewer packets than a wire would carry.
 */
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Program, Testbed } from './testbed.js';

const VIP = '10.1.0.100';
const BYTES = 30_000_000;
const RULES = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m`;

/** Sends the file to who says `get`; answers everything else with the hash of what came. */
const server = (
  file: string,
) => `const data = require('fs').readFileSync('${file}'); const { createHash } = require('crypto');
require('net').createServer({ allowHalfOpen: true }, (s) => { const hash = createHash('sha256'); let first;
s.on('error', () => {}); s.on('data', (d) => { first ??= String(d.subarray(0, 3));
if (first === 'get') s.end(data); else hash.update(d); });
s.on('end', () => { if (first !== 'get') s.end(hash.digest('hex')); }); }).listen(8080, () => console.log('ready'))`;
/** Prints the hash of the file that comes, or what the server says about the file that is sent. */
const download = `const hash = require('crypto').createHash('sha256');
const s = require('net').connect({ host: '${VIP}', port: 80 }, () => s.write('get'));
s.on('data', (d) => hash.update(d)).on('end', () => { console.log(hash.digest('hex')); s.end(); })`;
const upload = (file: string) => `const s = require('net').connect({ host: '${VIP}', port: 80 });
s.end(require('fs').readFileSync('${file}')); s.on('data', (d) => console.log(String(d)))`;

describe('GSO packets in one piece', () => {
  let testbed: Testbed;
  let program: Program;
  let file: string;
  let sha256: string;

  beforeAll(async () => {
    testbed = new Testbed('bulk');
    file = path.join(testbed.folder, 'data');
    const bytes = randomBytes(BYTES);
    writeFileSync(file, bytes);
    sha256 = createHash('sha256').update(bytes).digest('hex');
    await testbed.serve(testbed.servers, server(file));
    program = await testbed.up('-c', testbed.config('bulk.yaml', { rules: RULES }));
  });
  afterAll(async () => {
    program.kill('SIGTERM');
    await program.ended;
    await testbed.remove();
  });

  const node = (text: string) => testbed.run(testbed.client, `node -e "${text.replaceAll('"', '\\"')}"`).trim();
  /** Packets and bytes in and out. */
  const counted = async () => {
    const { out } = await testbed.ulvsadm('-Ln --stats --exact');
    const line = out.split('\n').find((one) => one.includes('-> 10.2.0.11'))!;
    return line.trim().split(/\s+/).slice(2).map(Number) as [number, number, number, number, number];
  };

  it('downloads', async () => {
    const [, , outBefore] = await counted();
    expect(node(download)).toBe(sha256);
    const [, , out, , bytes] = await counted();
    expect(out - outBefore).toBeLessThan(BYTES / 1448 / 4);
    expect(bytes).toBeGreaterThan(BYTES);
  });

  it('uploads', async () => {
    const [, inBefore] = await counted();
    expect(node(upload(file))).toBe(sha256);
    const [, now] = await counted();
    expect(now - inBefore).toBeLessThan(BYTES / 1448 / 4);
  });
});
