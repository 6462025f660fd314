/**
 * Datagrams of an offloaded connection, while its director is killed and started again, and while
 * another process takes over: the kernel forwards them, and none is lost or doubled.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SocketClient } from '../../../src/control/api/client.js';
import { pinsName } from '../../../src/device/flow/pins.js';
import { withoutXdp } from '../../device/xdp/missing.js';
import { type Program, Testbed, until } from '../testbed.js';

/** ULVS_RUNS: kills, each with a takeover after it. */
const ROUNDS = Number(process.env.ULVS_RUNS ?? 1);
const VIP = '10.1.0.100';
const RULES = `-A -u ${VIP}:53 -s rr
-a -u ${VIP}:53 -r 10.2.0.11:5300 -m`;
/** Sends back what it gets, and says how many datagrams that were. */
const server = `let n = 0; const s = require('dgram').createSocket('udp4');
s.on('message', (m, from) => { n++; if (m.toString() === 'count') s.send(String(n - 1), from.port, from.address); else s.send(m, from.port, from.address); });
s.bind(5300, () => console.log('ready'))`;
/** A datagram each 5 ms, until SIGUSR2; then what was sent, what came back, what the server got. */
const client = `const s = require('dgram').createSocket('udp4'); const back = new Set(); let sent = 0, got = 0, end = false;
s.on('message', (m) => { if (end) { console.log(JSON.stringify({ sent, got, unique: back.size, reached: Number(m) })); process.exit(); } got++; back.add(m.toString()); });
s.connect(53, '${VIP}', () => { const t = setInterval(() => s.send('m' + sent++), 5);
process.once('SIGUSR2', () => { clearInterval(t); setTimeout(() => { end = true; s.send('count'); }, 300); }); console.log('ready'); })`;

/** `ip netns exec` hides the usual BPF file system; directors find this one. */
const pins = mkdtempSync(path.join(tmpdir(), 'ulvs-bpf-'));
beforeAll(() => {
  if (withoutXdp === '') execFileSync('mount', ['-t', 'bpf', 'bpf', pins]);
});
afterAll(() => {
  if (withoutXdp === '') execFileSync('umount', ['-l', pins]);
  rmdirSync(pins);
});

describe.skipIf(withoutXdp !== '').concurrent.each(['xdp', 'packet'] as const)(
  'an offloaded connection, %s',
  (kind) => {
    let testbed: Testbed;
    let config: string;
    /** What its director pins. Those of other tests are there, too. */
    let own: string;

    beforeAll(async () => {
      testbed = new Testbed(`offr-${kind}`, kind);
      const { client: c, servers: s, director: d } = testbed;
      const run = testbed.run.bind(testbed);
      for (const space of [c, s]) run(space, 'ethtool -K eth0 gro on');
      for (const space of [c, s, d]) run(space, 'sysctl -qw net.ipv6.conf.all.disable_ipv6=1');
      const mac = (space: string, dev: string) => run(space, `cat /sys/class/net/${dev}/address`).trim();
      run(c, `ip neigh replace ${VIP} lladdr ${mac(d, 'eth0')} dev eth0 nud permanent`);
      const state = path.join(testbed.folder, 'state');
      own = path.join(pins, pinsName(state, run(d, 'readlink /proc/self/ns/net').trim()));
      const more = `offload: auto\nstate: ${state}`;
      config = testbed.config('offload.yaml', { rules: RULES, more });
    });
    afterEach(async () => {
      await testbed.killAll();
    });
    afterAll(async () => {
      await testbed.remove();
    });

    const statusOf = async () => {
      const socket = new SocketClient(testbed.socket);
      const reply = await socket.request({ op: 'status' }).catch(() => undefined);
      socket.close();
      return reply?.ok ? reply.status?.offload : undefined;
    };
    /** The programs forward both directions now: the counts of a new process begin at 0. */
    const offloads = async () => {
      let last = Number.POSITIVE_INFINITY;
      return until(async () => {
        const { used = 0, packets = last } = (await statusOf()) ?? {};
        const grows = packets > last + 5;
        last = packets;
        return grows && used === 2;
      });
    };

    it('loses no packet when its director is killed or taken over', async () => {
      await testbed.serve(testbed.servers, server);
      let director: Program = await testbed.up('--fresh', '-c', config);
      const flow = await testbed.serve(testbed.client, client);
      expect(await offloads()).toBe(true);
      for (let round = 0; round < ROUNDS; round++) {
        director.kill('SIGKILL');
        await director.ended;
        await testbed.up('-c', config);
        expect(await offloads()).toBe(true);
        director = await testbed.up('--takeover', '-c', config);
        expect(await offloads()).toBe(true);
      }
      flow.kill('SIGUSR2');
      const { sent, got, unique, reached } = JSON.parse((await flow.ended).out.trim().split('\n').at(-1)!);
      expect({ got, unique, reached }).toEqual({ got: sent, unique: sent, reached: sent });
      const { out } = await testbed.ulvsadm('-Ln --stats --exact');
      const line = out.split('\n').find((one) => one.includes('-> 10.2.0.11'))!;
      expect(line.trim().split(/\s+/).slice(3, 5).map(Number)).toEqual([sent + 1, sent + 1]);
      if (ROUNDS > 1) console.log(`${kind}: ${sent} datagrams, ${ROUNDS} kills, ${ROUNDS} takeovers`);
      expect(existsSync(own)).toBe(true);
      director.kill('SIGTERM');
      await director.ended;
      expect(existsSync(own)).toBe(false);
    });
  },
);
