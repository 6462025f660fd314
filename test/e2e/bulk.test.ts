/**
 * GSO packets in one piece on a live machine, and jumbo frames by xdp: downloads and uploads through
 * NAT are whole, and the director handles fewer packets than a wire would carry.
 */
import { createHash, randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutXdp } from '../device/xdp/missing.js';
import { type Program, Testbed } from './testbed.js';

const VIP = '10.1.0.100';
const VIP6 = 'fd00:1::100';
const BYTES = 20_000_000;
const RULES = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m
-A -t [${VIP6}]:80 -s rr
-a -t [${VIP6}]:80 -r [fd00:2::11]:8080 -m`;
/** The TAPs and the interfaces that a bridge joins them with; the director's addresses. */
const TAPS = [
  { tap: 'tap0', of: 'eth0', addresses: '10.1.0.254/24, "fd00:1::fe/64"' },
  { tap: 'tap1', of: 'eth2', addresses: '10.2.0.254/24, "fd00:2::fe/64"' },
];

/** Sends the file to who says `get`; answers everything else with the hash of what came. */
const server = (
  file: string,
) => `const data = require('fs').readFileSync('${file}'); const { createHash } = require('crypto');
require('net').createServer({ allowHalfOpen: true }, (s) => { const hash = createHash('sha256'); let first;
s.on('error', () => {}); s.on('data', (d) => { first ??= String(d.subarray(0, 3));
if (first === 'get') s.end(data); else hash.update(d); });
s.on('end', () => { if (first !== 'get') s.end(hash.digest('hex')); }); }).listen(8080, () => console.log('ready'))`;
/** Prints the hash of the file that comes, or what the server says about the file that is sent. */
const download = (host: string) => `const hash = require('crypto').createHash('sha256');
const s = require('net').connect({ host: '${host}', port: 80 }, () => s.write('get'));
s.on('data', (d) => hash.update(d)).on('end', () => { console.log(hash.digest('hex')); s.end(); })`;
const upload = (host: string, file: string) => `const s = require('net').connect({ host: '${host}', port: 80 });
s.end(require('fs').readFileSync('${file}')); s.on('data', (d) => console.log(String(d)))`;

const KINDS = withoutXdp === '' ? (['packet', 'tap', 'xdp'] as const) : (['packet', 'tap'] as const);

describe.each(KINDS)('GSO packets in one piece, jumbo frames, %s', (kind) => {
  let testbed: Testbed;
  let program: Program;
  let file: string;
  let sha256: string;
  const state = `/dev/shm/ulvs-bulk-${process.pid}`;

  beforeAll(async () => {
    testbed = new Testbed('bulk', kind === 'xdp' ? 'xdp' : 'packet');
    const { client, director, servers } = testbed;
    if (kind === 'xdp') widen();
    file = path.join(testbed.folder, 'data');
    const bytes = randomBytes(BYTES);
    writeFileSync(file, bytes);
    sha256 = createHash('sha256').update(bytes).digest('hex');
    addIPv6();
    await testbed.serve(servers, server(file));
    if (kind !== 'tap')
      program = await testbed.up('-c', testbed.config('bulk.yaml', { rules: RULES, more: `state: ${state}` }));
    else {
      for (const { of } of TAPS) testbed.run(director, `ip addr flush dev ${of}`);
      program = await testbed.up('-c', testbed.file('bulk.yaml', ofTaps()));
      TAPS.forEach(({ tap, of }, i) => {
        testbed.run(director, `ip link add br${i} type bridge; ip link set ${of} master br${i}`);
        testbed.run(director, `ip link set ${tap} master br${i} up; ip link set br${i} up`);
      });
    }
    testbed.run(client, `ip route add ${VIP6} via fd00:1::fe`);
  });
  afterAll(async () => {
    program?.kill('SIGTERM');
    await program?.ended;
    rmSync(state, { recursive: true, force: true });
    await testbed.remove();
  });

  /** AF_XDP gives frames, never GSO packets. */
  function widen(): void {
    const { client, director, servers } = testbed;
    for (const [space, names] of [
      [client, 'eth0 eth1'],
      [servers, 'eth0'],
      [director, 'eth0 eth1 eth2'],
    ] as const)
      testbed.run(space, `for i in ${names}; do ip link set $i mtu 9000; done`);
  }

  function addIPv6(): void {
    const { client, director, servers } = testbed;
    for (const space of [client, director, servers])
      testbed.run(space, 'sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0');
    testbed.run(client, 'ip addr add fd00:1::1/64 dev eth0 nodad');
    testbed.run(servers, 'ip addr add fd00:2::11/64 dev eth0 nodad; ip route add default via fd00:2::fe');
    if (kind === 'tap') return;
    testbed.run(director, 'ip addr add fd00:1::fe/64 dev eth0 nodad; ip addr add fd00:2::fe/64 dev eth2 nodad');
  }

  function ofTaps(): string {
    const devices = TAPS.map(({ tap, addresses }) => `  - { name: ${tap}, kind: tap, addresses: [${addresses}] }`);
    const rules = RULES.split('\n').map((line) => `  ${line}`);
    return ['devices:', ...devices, `socket: ${testbed.socket}`, 'rules: |', ...rules, ''].join('\n');
  }

  const node = (text: string) => testbed.run(testbed.client, `node -e "${text.replaceAll('"', '\\"')}"`).trim();
  /** Packets in and out. */
  const counted = async (realserver: string) => {
    const { out } = await testbed.ulvsadm('-Ln --stats --exact');
    const line = out.split('\n').find((one) => one.includes(`-> ${realserver}`))!;
    return line.trim().split(/\s+/).slice(3, 5).map(Number) as [number, number];
  };

  it.each([
    [VIP, '10.2.0.11'],
    [VIP6, '[fd00:2::11]'],
  ])('downloads from %s, uploads', { timeout: 60_000 }, async (vip, realserver) => {
    const before = await counted(realserver);
    expect(node(download(vip))).toBe(sha256);
    expect(node(upload(vip, file))).toBe(sha256);
    const after = await counted(realserver);
    // ACKs of the other direction are packets, too.
    for (const way of [0, 1]) expect(after[way]! - before[way]!).toBeLessThan(BYTES / 1448 / 2);
  });

  if (kind === 'tap') return;
  it('goes on so in a process that takes over', { timeout: 60_000 }, async () => {
    const successor = testbed.ulvs(['run', '-c', path.join(testbed.folder, 'bulk.yaml'), '--takeover']);
    await successor.says('director is up');
    await program.ended;
    program = successor;
    const [, before] = await counted('10.2.0.11');
    expect(node(download(VIP))).toBe(sha256);
    const [, after] = await counted('10.2.0.11');
    expect(after - before).toBeLessThan(BYTES / 1448 / 4);
  });
});
