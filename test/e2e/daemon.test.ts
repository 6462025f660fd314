/**
 * `ulvs run` from start to end on a live machine: signals, crashes, reloads, rules without
 * configuration, a network that changes.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../support/netns.js';
import { type Program, Testbed, until } from './testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const VIP = '10.1.0.100';
const NAT = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m
-a -t ${VIP}:80 -r 10.2.0.12:8080 -m`;
/** Answers with the address that was asked; /slow: 4 MB in 40 pieces, 50 ms apart. */
const WEB = `require('http').createServer(async (q, a) => {
  if (q.url !== '/slow') return q.resume().on('end', () => a.end(q.socket.localAddress.replace('::ffff:', '') + '\\n'));
  for (let i = 0; i < 40; i++) { a.write(Buffer.alloc(100000, i)); await new Promise((r) => setTimeout(r, 50)); }
  a.end();
}).listen(8080, () => console.log('ready'))`;
/** Of what /slow sends. */
const SLOW_DIGEST = createHash('sha256')
  .update(Buffer.concat(Array.from({ length: 40 }, (_, i) => Buffer.alloc(100_000, i))))
  .digest('hex');
/** Asks for a connection every 2 ms; at SIGTERM prints how many it got, and how many were refused. */
const KNOCKER = `const seen = { got: 0, ECONNREFUSED: 0 };
setInterval(() => {
  const s = require('net').connect(80, '${VIP}', () => { if (seen.got++ === 0) console.log('got one'); s.destroy(); });
  s.setTimeout(200, () => s.destroy()).on('error', ({ code }) => seen[code]++);
}, 2);
process.on('SIGTERM', () => { console.log(JSON.stringify(seen)); process.exit(); });
console.log('ready')`;
/** A stop takes 0.2 s; a machine that runs other tests beside it is slower. */
const STOP_MS = 5000;
const SLOW_SHA = 'curl -s -m 20 http://10.1.0.100/slow | sha256sum';

describe.skipIf(!isRoot)('a director on a live machine', () => {
  let testbed: Testbed;
  let clean: string;
  let program: Program | undefined;

  beforeAll(async () => {
    testbed = new Testbed('live');
    await testbed.serve(testbed.servers, WEB);
    clean = testbed.traces().trim();
  });
  afterEach(async () => {
    program?.kill('SIGTERM');
    await program?.ended;
    program = undefined;
  });
  afterAll(() => testbed.remove());

  async function up(...words: string[]): Promise<void> {
    program = await testbed.up(...words);
  }
  const curl = (address = VIP) => testbed.try(testbed.client, `curl -s -m 3 http://${address}/`);
  const listing = async () => (await testbed.ulvsadm('-Sn')).out;

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with code 0 at %s and leaves nothing behind', async (signal) => {
    await up('-c', testbed.config('nat.yaml', { rules: NAT }));
    expect([curl(), curl()].sort()).toEqual(['10.2.0.11\n', '10.2.0.12\n']);
    expect(testbed.traces()).toContain('table netdev ulvs_');
    const asked = performance.now();
    program!.kill(signal);
    expect((await program!.ended).code).toBe(0);
    expect(performance.now() - asked).toBeLessThan(STOP_MS);
    expect(testbed.traces().trim()).toBe(clean);
  });

  it('leaves nothing behind if a signal arrives during the start', async () => {
    const config = testbed.config('nat.yaml', { rules: NAT });
    for (const ms of [200, 300, 350, 400, 450, 500, 600, 800]) {
      const starting = testbed.ulvs(['run', '-c', config]);
      await sleep(ms);
      starting.kill('SIGTERM');
      const { code, err } = await starting.ended;
      expect({ ms, left: testbed.traces().trim() }).toEqual({ ms, left: clean });
      // Before the program's own code runs, the signal ends Node.js itself.
      if (err !== '') expect({ ms, code }).toEqual({ ms, code: 0 });
    }
  });

  it('leaves no rules behind at SIGKILL, and the next start serves', async () => {
    const config = testbed.config('nat.yaml', { rules: NAT });
    await up('-c', config);
    program!.kill('SIGKILL');
    await program!.ended;
    expect(testbed.run(testbed.director, 'nft list tables')).toBe('');
    await up('-c', config);
    const after = testbed.run(testbed.director, 'nft list tables');
    expect(after).toBe(`table netdev ulvs_${program!.child.pid}\n`);
    expect(curl()).toMatch(/^10\.2\.0\.1[12]\n$/);
  });

  it('refuses no client while it starts: its rules are there before its devices', async () => {
    const others = Array.from({ length: 500 }, (_, i) => `-A -t ${VIP}:${1000 + i} -s rr`);
    const config = testbed.config('many.yaml', { rules: [...others, NAT].join('\n') });
    const accept = `accept: { arp: true, ranges: [${VIP}/32] }`;
    const file = testbed.file('range.yaml', readFileSync(config, 'utf8').replace(/accept: .*/, accept));
    const mac = testbed.run(testbed.director, 'cat /sys/class/net/eth0/address').trim();
    testbed.run(testbed.client, `ip neigh replace ${VIP} lladdr ${mac} nud permanent dev eth0`);
    const knocker = await testbed.serve(testbed.client, KNOCKER);
    await up('-c', file);
    await knocker.says('got one');
    knocker.kill('SIGTERM');
    const { out } = await knocker.ended;
    testbed.run(testbed.client, `ip neigh del ${VIP} dev eth0`);
    expect(out).toContain(',"ECONNREFUSED":0');
  });

  it('loads new rules at SIGHUP while a download goes on', async () => {
    const config = testbed.config('nat.yaml', { rules: NAT });
    await up('-c', config);
    const sha = testbed.start(testbed.client, ['sh', '-c', SLOW_SHA]);
    await sleep(500);
    testbed.config('nat.yaml', {
      more: 'sysctl: { conn_reuse_mode: 0, snat_reroute: 0 }\ntimeouts: { tcp: 77 }',
      rules: `-A -t ${VIP}:80 -s wlc\n-a -t ${VIP}:80 -r 10.2.0.11:8080 -m -w 5\n-a -t ${VIP}:80 -r 10.2.0.12:8080 -m -w 5\n-A -u ${VIP}:53 -s rr`,
    });
    program!.kill('SIGHUP');
    await program!.says('configuration reloaded');
    expect(program!.err).toContain('nat.yaml: sysctl.snat_reroute: the value is kept but has no effect: replies are');
    expect(await listing()).toBe(
      `-A -t ${VIP}:80 -s wlc\n-a -t ${VIP}:80 -r 10.2.0.11:8080 -m -w 5\n-a -t ${VIP}:80 -r 10.2.0.12:8080 -m -w 5\n-A -u ${VIP}:53 -s rr\n`,
    );
    expect((await testbed.ulvsadm('-L --timeout')).out).toBe('Timeout (tcp tcpfin udp): 77 120 300\n');
    expect((await sha.ended).out).toBe(`${SLOW_DIGEST}  -\n`);
  });

  it('undoes the changes of ulvsadm at SIGHUP and logs them', async () => {
    await up('-c', testbed.config('nat.yaml', { rules: NAT }));
    const before = await listing();
    await testbed.ulvsadm(`-e -t ${VIP}:80 -r 10.2.0.11:8080 -m -w 0`);
    await testbed.ulvsadm(`-A -u ${VIP}:53 -s rr`);
    program!.kill('SIGHUP');
    await program!.says('configuration reloaded');
    expect(program!.err).toMatch(
      /undone by the reload: 10\.2\.0\.11:8080 of -t 10\.1\.0\.100:80 has weight 1 again, not 0"/,
    );
    expect(program!.err).toMatch(/undone by the reload: -u 10\.1\.0\.100:53 is gone again"/);
    expect(await listing()).toBe(before);
    const from = program!.err.length;
    program!.kill('SIGHUP');
    await program!.says('configuration reloaded', from);
    expect(program!.err.slice(from)).not.toContain('undone');
  });

  it('warns once of a VIP that nobody answers ARP for', async () => {
    const rules = testbed.file('mute.rules', NAT);
    await up('--rules', rules, '--socket', testbed.socket);
    const warned = (vip: string) => program!.err.split(`nobody answers ARP for the VIP ${vip}:`).length - 1;
    expect(warned(VIP)).toBe(1);
    await testbed.ulvsadm('-A -t 10.1.0.101:80 -s rr');
    expect([warned(VIP), warned('10.1.0.101')]).toEqual([1, 1]);
    await testbed.ulvsadm('-A -t 10.1.0.254:80 -s rr');
    expect(warned('10.1.0.254')).toBe(0);
  });

  it('keeps the old configuration at SIGHUP with a mistake in the new one', async () => {
    const config = testbed.config('nat.yaml', { rules: NAT });
    await up('-c', config);
    const before = [await listing(), testbed.run(testbed.director, 'nft list ruleset | grep -v counter')];
    for (const [more, rules, said] of [
      ['sysctl: { conn_reuse_mod: 0 }', NAT, 'no such sysctl; did you mean conn_reuse_mode?'],
      ['', `-A -t ${VIP}:81 -s rr\n-A -t ${VIP}:81 -s rr`, 'Service already exists'],
      ['connections: { max: 5000 }', NAT, 'connections cannot change while the director runs: restart it'],
    ] as const) {
      testbed.config('nat.yaml', { more, rules });
      const from = program!.err.length;
      program!.kill('SIGHUP');
      await program!.says('not reloaded: ', from);
      expect(program!.err.slice(from)).toContain(said);
      expect([await listing(), testbed.run(testbed.director, 'nft list ruleset | grep -v counter')]).toEqual(before);
    }
    expect(curl()).toMatch(/^10\.2\.0\.1[12]\n$/);
  });

  it('runs with --rules alone on a machine with a bridge', async () => {
    testbed.run(
      testbed.director,
      'ip link add br0 type bridge; ip link add d0 type veth peer name d1; ip link set d0 master br0',
    );
    testbed.run(testbed.director, 'ip link set br0 up; ip link set d0 up; ip link set d1 up');
    testbed.run(testbed.director, `ip addr add ${VIP}/32 dev eth0`);
    await up('--rules', testbed.file('nat.rules', `# ours\n${NAT}\n`), '--socket', testbed.socket);
    expect([curl(), curl()].sort()).toEqual(['10.2.0.11\n', '10.2.0.12\n']);
    const { out } = await testbed.ulvs(['status', '--json', '--socket', testbed.socket]).ended;
    const names = (JSON.parse(out) as { devices: { name: string }[] }).devices.map(({ name }) => name);
    expect(names.sort()).toEqual(['br0', 'd1', 'eth0', 'eth1', 'eth2']);
    program!.kill('SIGTERM');
    expect((await program!.ended).code).toBe(0);
    testbed.run(testbed.director, `ip link del br0; ip link del d0; ip addr del ${VIP}/32 dev eth0`);
  });

  it('goes on when a device vanishes, attaches it again, and leaves nothing behind', async () => {
    testbed.run(testbed.director, 'ip link add gone0 type veth peer name gone1; ip link set gone0 up');
    const config = testbed.config('gone.yaml', { rules: NAT });
    await up('-c', testbed.file('gone2.yaml', readFileSync(config, 'utf8').replace('eth1', 'gone0')));
    testbed.run(testbed.director, 'ip link del gone0');
    await program!.says('gone0: the network interface is gone; the director goes on without it');
    expect(curl()).not.toBe('');
    testbed.run(testbed.director, 'ip link add gone0 type veth peer name gone1; ip link set gone0 up');
    await program!.says('gone0: attached again, using packet');
    const { out } = await testbed.ulvs(['status', '--json', '--socket', testbed.socket]).ended;
    const mac = testbed.run(testbed.director, 'cat /sys/class/net/gone0/address').trim();
    expect((JSON.parse(out) as { devices: { mac: string }[] }).devices[1]!.mac).toBe(mac);
    program!.kill('SIGTERM');
    expect((await program!.ended).code).toBe(0);
    testbed.run(testbed.director, 'ip link del gone0');
    expect(testbed.traces().trim()).toBe(clean);
  });

  it('follows links that go down and up and change MAC and MTU', async () => {
    await up('-c', testbed.config('nat.yaml', { rules: NAT }));
    expect(curl()).not.toBe('');
    testbed.run(testbed.director, 'ip link set eth2 down');
    await sleep(200);
    expect(curl()).toBe('');
    testbed.run(testbed.director, 'ip link set eth2 up');
    expect(await until(() => curl() !== '')).toBe(true);
    testbed.run(testbed.servers, 'ip link set eth0 address 02:00:00:00:77:77; ping -c1 -W2 10.2.0.254');
    expect(await until(() => curl() !== '')).toBe(true);
    testbed.run(testbed.director, 'ip link set eth2 mtu 1400; ip link set eth2 address 02:00:00:00:66:66');
    testbed.run(testbed.servers, 'ip neigh flush all');
    expect(await until(() => curl() !== '')).toBe(true);
    const { out } = await testbed.ulvs(['status', '--socket', testbed.socket]).ended;
    expect(out).toContain('eth2 (packet) 02:00:00:00:66:66, MTU 1400, 10.2.0.254/24');
    // The realserver still offers segments of 1460 bytes: the client learns the path's MTU from the director alone.
    const post = `head -c 300000 /dev/zero | curl -s -m 5 --data-binary @- http://${VIP}/`;
    expect(testbed.try(testbed.client, post)).toMatch(/^10\.2\.0\.1[12]\n$/);
    expect(testbed.run(testbed.client, `ip route get ${VIP}`)).toContain('mtu 1400');
    testbed.run(testbed.director, 'ip link set eth2 mtu 1500');
  });

  it('announces the VIPs by the new MAC of an interface', async () => {
    await up('-c', testbed.config('nat.yaml', { rules: NAT }));
    expect(curl()).not.toBe('');
    const known = () => testbed.run(testbed.client, `ip neigh show ${VIP} dev eth0`);
    expect(known()).toContain('lladdr');
    testbed.run(testbed.director, 'ip link set eth0 address 02:00:00:00:66:55');
    // The client asks by itself only half a minute later.
    expect(await until(() => known().includes('lladdr 02:00:00:00:66:55'))).toBe(true);
    expect(curl()).not.toBe('');
  });

  it("keeps its rules when the host's firewall is reloaded", async () => {
    await up('-c', testbed.config('nat.yaml', { rules: NAT }));
    testbed.run(testbed.director, 'nft flush ruleset');
    expect(testbed.run(testbed.director, 'nft list ruleset')).toContain('10.2.0.11');
    expect((await testbed.ulvsadm(`-a -t ${VIP}:80 -r 10.2.0.13:8080 -m -w 0`)).code).toBe(0);
    expect(testbed.run(testbed.director, 'nft list ruleset')).toContain('10.2.0.13');
  });

  it("uses the service's port for a gatewaying destination with another one, as ipvsadm does", async () => {
    await up('-c', testbed.config('dr.yaml', { rules: `-A -t ${VIP}:80 -s rr\n-a -t ${VIP}:80 -r 10.2.0.11:8080 -g` }));
    expect(await listing()).toBe(`-A -t ${VIP}:80 -s rr\n-a -t ${VIP}:80 -r 10.2.0.11:80 -g -w 1\n`);
  });
});
