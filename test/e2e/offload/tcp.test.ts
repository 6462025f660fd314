/**
 * Offload on a live machine: real TCP whose packets the programs forward. States and counters are
 * those of a director that has seen every packet: those of the realserver's interface, or of its TCP.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutXdp } from '../../device/xdp/missing.js';
import { type Program, Testbed, until } from '../testbed.js';

const VIP = '10.1.0.100';
const CONNECTIONS = 4;
/** Of each connection. */
const BYTES = 15_000_000;
const RULES = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m`;

/** Takes what a client sends; then sends as many bytes as its first line says. */
const server = `const chunk = Buffer.alloc(1 << 16, 'x');
require('net').createServer((s) => { s.on('error', () => {}); s.once('data', (d) => {
  let left = Number(d); const go = () => { while (left > 0) { const n = Math.min(left, chunk.length); left -= n;
  if (!s.write(chunk.subarray(0, n))) return s.once('drain', go); } s.end(); }; go(); }); }).listen(8080, () => console.log('ready'))`;
/** Prints how many bytes came by all of its connections. */
const client = `let n = 0, ended = 0; const get = () => { const s = require('net').connect({ host: '${VIP}', port: 80 }, () => s.write('${BYTES}'));
s.on('data', (d) => { n += d.length; }).on('end', () => { s.end(); if (++ended === ${CONNECTIONS}) console.log(n); }).on('error', (e) => console.log(e.code)) };
for (let i = 0; i < ${CONNECTIONS}; i++) get()`;

const CASES = [
  ['xdp', 1],
  ['xdp', 2],
  ['packet', 1],
  ['packet', 2],
] as const;

describe.skipIf(withoutXdp !== '').each(CASES)('offload, %s, workers: %i', (kind, workers) => {
  let testbed: Testbed;
  let program: Program;

  beforeAll(async () => {
    testbed = new Testbed(`off-${kind}${workers}`, kind);
    const { client: c, servers: s, director: d } = testbed;
    const run = testbed.run.bind(testbed);
    for (const space of [c, s]) run(space, 'ethtool -K eth0 gro on');
    for (const space of [c, s, d]) run(space, 'sysctl -qw net.ipv6.conf.all.disable_ipv6=1');
    const mac = (space: string, dev: string) => run(space, `cat /sys/class/net/${dev}/address`).trim();
    const fix = (space: string, ip: string, dev: string, of: string) =>
      run(space, `ip neigh replace ${ip} lladdr ${of} dev ${dev} nud permanent`);
    fix(d, '10.2.0.11', 'eth2', mac(s, 'eth0'));
    fix(d, '10.1.0.1', 'eth0', mac(c, 'eth0'));
    fix(s, '10.2.0.254', 'eth0', mac(d, 'eth2'));
    for (const ip of [VIP, '10.1.0.254']) fix(c, ip, 'eth0', mac(d, 'eth0'));
    await testbed.serve(s, server);
    program = await testbed.up(
      '-c',
      testbed.config('offload.yaml', { rules: RULES, more: `offload: auto\nworkers: ${workers}` }),
    );
  });
  afterAll(async () => {
    program.kill('SIGTERM');
    await program.ended;
    await testbed.remove();
  });

  /** Packets that came to the realserver, that left it, and how many of these TCP sent again. */
  const packets = () => {
    const read = (line: string) => testbed.run(testbed.servers, line).trim();
    const tcp = read('grep Tcp: /proc/net/snmp').split('\n').at(-1)!.split(' ').map(Number);
    const again = tcp[12]!;
    // InSegs, OutSegs, RetransSegs: a GSO packet counts as its segments.
    if (kind === 'packet') return [tcp[10]!, tcp[11]! + again, again] as const;
    const [rx, tx] = ['rx', 'tx'].map((way) => Number(read(`cat /sys/class/net/eth0/statistics/${way}_packets`)));
    return [rx!, tx!, again] as const;
  };
  const listed = async (words: string) => (await testbed.ulvsadm(words)).out;
  const counted = async () => {
    const line = (await listed('-Ln --stats --exact')).split('\n').find((one) => one.includes('-> 10.2.0.11'))!;
    return line.trim().split(/\s+/).slice(3, 5).map(Number);
  };

  it('forwards bulk TCP, and counts it to the packet', async () => {
    const [rx, tx, again] = packets();
    const before = await counted();
    const out = testbed.run(testbed.client, `node -e "${client}"`);
    expect(out.trim()).toBe(String(CONNECTIONS * BYTES));
    const status = JSON.parse((await testbed.ulvs(['status', '--json', '--socket', testbed.socket]).ended).out);
    expect(status.offload.packets).toBeGreaterThan((CONNECTIONS * BYTES) / 1500);
    expect(status.offload.devices).toEqual(expect.arrayContaining(['eth0', 'eth2']));
    expect(await until(async () => (await listed('-Lnc')).includes('TIME_WAIT'))).toBe(true);
    const [rx2, tx2, again2] = packets();
    const after = await counted();
    const [requests, replies] = [after[0]! - before[0]!, after[1]! - before[1]!];
    expect(requests).toBe(rx2 - rx);
    // TCP counts what is lost before the director, too, and sends it again; an interface does not.
    const lost = tx2 - tx - replies;
    expect(lost).toBeGreaterThanOrEqual(0);
    expect(lost).toBeLessThanOrEqual(kind === 'packet' ? again2 - again : 0);
  });
});
