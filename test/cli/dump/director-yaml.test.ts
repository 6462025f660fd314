/** A director as a file: what it has now, and what its own file says beside that. */
import { describe, expect, it } from 'vitest';
import { directorYaml, type LiveDirector } from '../../../src/cli/dump/director-yaml.js';
import { kernelPaths } from '../../../src/cli/dump/kernel-paths.js';
import { parseConfig } from '../../../src/control/config/config.js';
import type { Snapshot } from '../../../src/netlink/snapshot.js';
import { defaultSysctls } from '../../../src/service/sysctl.js';
import { inProcess } from '../../ulvsadm/director.js';

const RULES = `-A -t 10.0.0.100:80 -s wlc -p 300
-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m -w 2
-a -t 10.0.0.100:80 -r 192.168.1.12:8080 -g -w 0
-A -f 7 -6 -s mh -b mh-port
`;

async function live(): Promise<LiveDirector> {
  const director = inProcess();
  const key = { protocol: 6, address: '10.0.0.100', port: 80 };
  const service = { key, scheduler: 'wlc', flags: 1, timeout: 300, netmask: 0xffffffff, pe: '' };
  await director.request({ op: 'addService', service });
  for (const [address, weight, method] of [
    ['192.168.1.11', 2, 'masq'],
    ['192.168.1.12', 0, 'gatewaying'],
  ] as const) {
    const tunnel = { type: 'ipip', port: 0, checksum: '' } as const;
    const limits = { upperThreshold: 0, lowerThreshold: 0 };
    await director.request({
      op: 'addDestination',
      key,
      destination: { address, port: 8080, method, weight, ...limits, tunnel },
    });
  }
  const other = {
    key: { fwmark: 7, family: 6 },
    scheduler: 'mh',
    flags: 16,
    timeout: 0,
    netmask: 128,
    pe: '',
  } as const;
  await director.request({ op: 'addService', service: other });
  const reply = await director.request({ op: 'list' });
  if (!reply.ok) throw new Error(reply.text);
  const eth0 = { name: 'eth0', kind: 'packet', mac: '02:00:00:00:0d:00', mtu: 1500, addresses: ['10.0.0.254/24'] };
  return {
    devices: [eth0],
    services: reply.services!,
    sysctls: { ...defaultSysctls(), expire_nodest_conn: 1, sync_threshold: 4, sync_period: 60 },
    timeouts: { tcp: 800, tcpfin: 120, udp: 300 },
  };
}

const linesOf = (text: string) => parseConfig(text, 'dump').ruleLines.map((one) => one.text);
const wanted = RULES.trim().split('\n');

describe('a dump', () => {
  it('of a director without a file has devices, rules, sysctls and timeouts', async () => {
    const text = directorYaml('', await live());
    const config = parseConfig(text, 'dump');
    expect([...linesOf(text)].sort()).toEqual([...wanted].sort());
    expect(config.devices).toMatchObject([{ name: 'eth0', kind: 'packet', addresses: [] }]);
    expect(config.sysctl).toMatchObject({ expire_nodest_conn: 1, sync_threshold: 4, sync_period: 60 });
    expect(config.timeouts).toEqual({ tcp: 800, tcpfin: 120, udp: 300 });
    expect(config.routes).toBeUndefined();
  });

  it('keeps the keys and comments of its own file, and no rule of it', async () => {
    const own = `# the director of rack 4
devices:
  - { name: eth0, kind: auto, promiscuous: true }
accept: { arp: true } # VIPs are on no interface
rulesFile: some.rules
timeouts: { tcp: 60 }
sysctl: { drop_entry: 1 }
`;
    const text = directorYaml(own, await live());
    const config = parseConfig(text, 'dump');
    expect(text).toContain('# the director of rack 4');
    expect(text).toContain('# VIPs are on no interface');
    expect(config.accept.arp).toBe(true);
    expect(config.devices).toMatchObject([{ name: 'eth0', kind: 'auto', promiscuous: true, addresses: [] }]);
    expect(config.devices[0]?.mac).toBeUndefined();
    expect([config.timeouts.tcp, config.sysctl.drop_entry, config.sysctl.expire_nodest_conn]).toEqual([800, 0, 1]);
    expect([...linesOf(text)].sort()).toEqual([...wanted].sort());
  });

  it('for a replay has routes, policy and neighbours of its devices', async () => {
    const hop = (more: object) => [{ weight: 1, onlink: false, dead: false, ...more }];
    const route = {
      family: 4,
      type: 'unicast',
      table: 254,
      priority: 0,
      scope: 'global',
      tos: 0,
      cached: false,
    } as const;
    const snapshot = {
      links: [
        { ifindex: 2, name: 'eth0' },
        { ifindex: 3, name: 'other' },
      ],
      addresses: [],
      rules: [
        { family: 4, priority: 0, action: 'lookup', table: 255, invert: false },
        { family: 4, priority: 100, action: 'lookup', table: 7, invert: false, src: '10.0.0.100/32' },
        { family: 4, priority: 32766, action: 'lookup', table: 254, invert: false },
      ],
      routes: [
        { ...route, dst: 'default', protocol: 'static', priority: 100, nexthops: hop({ oif: 2, gateway: '10.0.0.3' }) },
        { ...route, dst: 'default', protocol: 'static', nexthops: hop({ oif: 2, gateway: '10.0.0.1' }) },
        { ...route, dst: '10.0.0.0/24', protocol: 'kernel', nexthops: hop({ oif: 2 }) },
        { ...route, dst: '10.9.0.0/16', protocol: 'static', nexthops: hop({ oif: 3 }) },
        { ...route, dst: '10.8.0.0/16', protocol: 'static', table: 7, nexthops: hop({ oif: 2, gateway: '10.0.0.2' }) },
      ],
      neighbours: [
        { family: 4, ifindex: 2, ip: '10.0.0.1', mac: '02:00:00:00:0a:01', valid: true },
        { family: 4, ifindex: 2, ip: '10.0.0.9', mac: '', valid: false },
        { family: 6, ifindex: 2, ip: 'ff02::16', mac: '33:33:00:00:00:16', valid: true },
        { family: 4, ifindex: 3, ip: '10.9.0.1', mac: '02:00:00:00:0a:02', valid: true },
      ],
    } as unknown as Snapshot;
    const config = parseConfig(directorYaml('', await live(), kernelPaths(snapshot, ['eth0'])), 'dump');
    expect(config.devices).toMatchObject([{ mac: '02:00:00:00:0d:00', mtu: 1500, addresses: ['10.0.0.254/24'] }]);
    expect(config.routes).toMatchObject([
      { to: '0.0.0.0/0', via: '10.0.0.1', dev: 'eth0' },
      { to: '10.8.0.0/16', via: '10.0.0.2', dev: 'eth0', table: 7 },
    ]);
    expect(config.policy).toMatchObject([{ priority: 100, from: '10.0.0.100/32', table: 7 }]);
    expect(config.neighbours).toEqual([{ ip: '10.0.0.1', dev: 'eth0', mac: '02:00:00:00:0a:01' }]);
  });
});
