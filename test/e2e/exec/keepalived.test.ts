/** Debian's keepalived under `ulvs exec`: it fills the table, follows its checks, and empties it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../../support/netns.js';
import type { Program } from '../testbed.js';
import { ExecBed } from './bed.js';

if (!isRoot) console.log('exec: skipped, needs root for namespaces');

/** Prints `ready`; answers with the address that was asked. */
const web = (address: string) =>
  `require('http').createServer((q, a) => a.end('${address}\\n')).listen(8080, '${address}', () => console.log('ready'))`;
const SERVERS = ['10.2.0.11', '10.2.0.12', '2001:db8:2::11'] as const;
type Server = (typeof SERVERS)[number];

const TCP = `TCP_CHECK {
   connect_timeout 1
   retry 0
   delay_before_retry 1
  }`;
const HTTP = `HTTP_GET {
   url {
    path /
    status_code 200
   }
   connect_timeout 1
   retry 0
   delay_before_retry 1
  }`;
const real = (address: string, ...lines: string[]) => ` real_server ${address} 8080 {
  ${lines.join('\n  ')}
 }`;
const virtual = (name: string, ...lines: string[]) => `virtual_server ${name} {
 delay_loop 1
 ${lines.join('\n ')}
}`;
/** NAT by TCP_CHECK and HTTP_GET, a group with quorum and sorry server, a fwmark, IPv6. */
const CONFIG = `global_defs {
 router_id test
}
virtual_server_group both {
 10.1.0.101 80
 10.1.0.102 80
}
${virtual(
  '10.1.0.100 80',
  'lb_algo wrr\n lb_kind NAT\n protocol TCP',
  real('10.2.0.11', 'weight 3', TCP),
  real('10.2.0.12', 'weight 5\n inhibit_on_failure', HTTP),
)}
${virtual(
  'group both',
  'lb_algo rr\n lb_kind NAT\n protocol TCP\n persistence_timeout 50\n quorum 2\n sorry_server 10.2.0.13 8080',
  real('10.2.0.11', TCP),
  real('10.2.0.12', TCP),
)}
${virtual('fwmark 9', 'lb_algo sh\n lb_kind DR', real('10.2.0.11', TCP))}
${virtual(
  '2001:db8:1::100 80',
  'lb_algo mh\n lb_kind NAT\n protocol TCP\n sorry_server 2001:db8:2::19 8080',
  real('2001:db8:2::11', TCP),
)}
`;
const FULL = `TCP  10.1.0.100:80 wrr
  -> 10.2.0.11:8080               Masq    3
  -> 10.2.0.12:8080               Masq    5
TCP  10.1.0.101:80 rr persistent 50
  -> 10.2.0.11:8080               Masq    1
  -> 10.2.0.12:8080               Masq    1
TCP  10.1.0.102:80 rr persistent 50
  -> 10.2.0.11:8080               Masq    1
  -> 10.2.0.12:8080               Masq    1
TCP  [2001:db8:1::100]:80 mh
  -> [2001:db8:2::11]:8080        Masq    1
FWM  9 sh
  -> 10.2.0.11:0                  Route   1`;
/** The group has lost its quorum of two, and has its sorry server alone. */
const SORRY = FULL.replaceAll(
  `  -> 10.2.0.11:8080               Masq    1
  -> 10.2.0.12:8080               Masq    1`,
  '  -> 10.2.0.13:8080               Masq    1',
);

describe.skipIf(!isRoot)('keepalived under ulvs exec', () => {
  let bed: ExecBed;
  const running = new Map<Server, Program>();
  const config = (text: string) => bed.file('keepalived.conf', text);
  beforeAll(async () => {
    bed = new ExecBed('xkeep');
    bed.addIPv6(bed.client, 'eth0', '2001:db8:1::1/64');
    bed.addIPv6(bed.director, 'eth0', '2001:db8:1::254/64');
    bed.addIPv6(bed.director, 'eth2', '2001:db8:2::254/64');
    bed.addIPv6(bed.servers, 'eth0', '2001:db8:2::11/64');
    bed.run(bed.servers, 'ip -6 route add default via 2001:db8:2::254');
    for (const server of SERVERS) await revive(server);
    await bed.up('-c', bed.config('empty.yaml'));
  });
  afterAll(() => bed.remove());

  async function revive(server: Server): Promise<void> {
    running.set(server, await bed.serve(bed.servers, web(server)));
  }
  async function kill(...servers: Server[]): Promise<void> {
    for (const server of servers) running.get(server)!.kill('SIGKILL');
    await Promise.all(servers.map((server) => running.get(server)!.ended));
  }
  const becomes = async (wanted: string) => expect(await bed.tableBecomes(wanted)).toBe(wanted);
  const curl = (vip: string) => bed.try(bed.client, `curl -s -m 3 http://${vip}/`);
  const eight = () => Array.from({ length: 8 }, () => curl('10.1.0.100')).sort();

  it('fills the table and follows servers that die and revive, a changed file, and SIGTERM', async () => {
    const pids = ['-p', '-c', '-r'].flatMap((option, i) => [option, `${bed.folder}/${i}.pid`]);
    const keepalived = bed.exec(['keepalived', '-n', '-l', '-f', config(CONFIG), ...pids]);
    await becomes(FULL);
    expect(eight()).toEqual([...Array(3).fill('10.2.0.11\n'), ...Array(5).fill('10.2.0.12\n')]);
    expect(curl('[2001:db8:1::100]')).toBe('2001:db8:2::11\n');

    await kill('10.2.0.11', '2001:db8:2::11');
    await becomes(
      SORRY.replace('  -> 10.2.0.11:8080               Masq    3\n', '')
        .replace('[2001:db8:2::11]', '[2001:db8:2::19]')
        .replace(/\n {2}-> 10.2.0.11:0 .*/, ''),
    );
    expect(eight()).toEqual(Array(8).fill('10.2.0.12\n'));

    await revive('10.2.0.11');
    await revive('2001:db8:2::11');
    await becomes(FULL);
    expect(new Set(eight())).toEqual(new Set(['10.2.0.11\n', '10.2.0.12\n']));
    expect(curl('[2001:db8:1::100]')).toBe('2001:db8:2::11\n');

    await kill('10.2.0.12'); // it is inhibited
    await becomes(SORRY.replace('Masq    5', 'Masq    0'));
    config(
      CONFIG.replace('weight 3', 'weight 7')
        .replace('mh', 'rr')
        .replace(/virtual_server fwmark 9 [\s\S]*?\n}\n/, ''),
    );
    keepalived.kill('SIGHUP');
    const changed = SORRY.replace('Masq    5', 'Masq    0').replace('Masq    3', 'Masq    7').replace('mh', 'rr');
    await becomes(changed.replace(/\nFWM.*\n.*/, ''));

    keepalived.kill('SIGTERM');
    expect((await keepalived.ended).code).toBe(0);
    expect(await bed.table()).toBe('');
  });
});
