import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultSocket } from '../../../src/control/api/socket-path.js';
import { ConfigError, loadConfig, parseConfig } from '../../../src/control/config/config.js';
import { defaultSysctls } from '../../../src/service/sysctl.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');

/** The example of the design page. */
const FULL = `devices:
  - { name: eth0, mac: 02:00:00:00:0D:00, addresses: [10.0.0.254/24, "2001:DB8::1/64"], mtu: 1500, kind: packet }
  - { name: eth1, mac: 02-00-00-00-0d-01, addresses: [192.168.1.254/24], promiscuous: true }
routes:
  - { to: 0.0.0.0/0, via: 10.0.0.1, dev: eth0 }
  - { to: default, via: 2001:db8::2, dev: eth0, src: 2001:db8:0::1, mtu: 1400 }
  - { to: 172.16.0.0/12, via: 10.9.9.9, dev: eth1, onlink: true, table: 100 }
policy:     [ { priority: 10, from: 10.0.0.100, to: 10.0.0.0/8, iif: eth1, mark: 0x10/0xf0, table: 100 } ]
neighbours: [ { ip: 192.168.1.11, dev: eth1, mac: 02:00:00:00:0b:0b } ]
marks:      [ "-i eth0 -d 10.9.0.0/16 -p tcp --dport 80 -j MARK --set-mark 1" ]
accept:     { arp: true, ranges: [10.9.0.0/16] }
sysctl:     { conn_reuse_mode: 0, sync_threshold: 5 60 }
timeouts:   { tcp: 100, udp: 30 }
helpers:    { ftp: [] }
snat:       [ { from: 192.168.1.0/24, to: 10.0.0.100, dev: eth0 } ]
sync:       { master: { interface: eth1, syncid: 7, group: ff02::51 } }
socket:     run/ulvs.sock
state:      run/state
connections: { max: 1000 }
workers:    2
rules: |   # as for ipvsadm -R
  -A -t 10.0.0.100:80 -s rr

  # the first realserver
  -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m -w 1
`;

describe('a whole configuration', () => {
  it('is plain data, canonical, every default filled in', () => {
    const { marks, ...config } = parseConfig(FULL, '/etc/ulvs/director.yaml');
    expect(marks).toHaveLength(1);
    expect(config).toEqual({
      file: '/etc/ulvs/director.yaml',
      devices: [
        {
          name: 'eth0',
          kind: 'packet',
          mac: '02:00:00:00:0d:00',
          addresses: ['10.0.0.254/24', '2001:db8::1/64'],
          mtu: 1500,
          promiscuous: false,
          gso: 'auto',
        },
        {
          name: 'eth1',
          kind: 'auto',
          mac: '02:00:00:00:0d:01',
          addresses: ['192.168.1.254/24'],
          mtu: 1500,
          promiscuous: true,
          gso: 'auto',
        },
      ],
      deviceLines: [2, 3],
      routes: [
        { to: '0.0.0.0/0', via: '10.0.0.1', dev: 'eth0', table: 254, onlink: false },
        { to: '::/0', via: '2001:db8::2', dev: 'eth0', src: '2001:db8::1', mtu: 1400, table: 254, onlink: false },
        { to: '172.16.0.0/12', via: '10.9.9.9', dev: 'eth1', table: 100, onlink: true },
      ],
      policy: [
        {
          priority: 10,
          from: '10.0.0.100/32',
          to: '10.0.0.0/8',
          iif: 'eth1',
          mark: { value: 0x10, mask: 0xf0 },
          table: 100,
        },
      ],
      neighbours: [{ ip: '192.168.1.11', dev: 'eth1', mac: '02:00:00:00:0b:0b' }],
      accept: { arp: true, icmp: true, ranges: ['10.9.0.0/16'], forwardShared: [], sources: [], toa: true },
      sysctl: { ...defaultSysctls(), conn_reuse_mode: 0, sync_threshold: 5, sync_period: 60 },
      timeouts: { tcp: 100, tcpfin: 120, udp: 30 },
      helpers: { ftp: [] },
      checks: [],
      serviceOptions: [],
      offload: 'off',
      snat: [{ from: '192.168.1.0/24', to: '10.0.0.100', dev: 'eth0' }],
      sync: { master: { interface: 'eth1', syncid: 7, group: 'ff02::51' }, delay: 2000 },
      socket: '/etc/ulvs/run/ulvs.sock',
      socketGroup: 'ulvs',
      socketReaders: 'ulvs-ro',
      state: '/etc/ulvs/run/state',
      connections: { max: 1000 },
      workers: 2,
      workerCpus: [],
      workerPriority: 'normal',
      rulesFile: undefined,
      ruleLines: [
        { file: '/etc/ulvs/director.yaml', line: 22, text: '-A -t 10.0.0.100:80 -s rr' },
        { file: '/etc/ulvs/director.yaml', line: 25, text: '-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m -w 1' },
      ],
    });
    expect(structuredClone(config)).toEqual(config);
  });

  it('needs no more than a device', () => {
    const config = parseConfig('devices: [ { name: eth0 } ]', 'd.yaml');
    expect(config.routes).toBeUndefined();
    expect(config).toMatchObject({ socket: defaultSocket(), helpers: { ftp: [21] }, workers: 1, ruleLines: [] });
    expect(config.timeouts).toEqual({ tcp: 900, tcpfin: 120, udp: 300 });
    expect(config.sysctl).toEqual(defaultSysctls());
  });

  it('gives rules in quotes their own line', () => {
    const { ruleLines } = parseConfig('devices: [{ name: eth0 }]\n\nrules: "-A -f 1\\n-A -f 2"', 'd.yaml');
    expect(ruleLines.map(({ line, text }) => `${line} ${text}`)).toEqual(['3 -A -f 1', '3 -A -f 2']);
  });

  it('gives rules of a block that begins with blank lines and ends in CR LF their lines', () => {
    const text = 'devices: [{ name: eth0 }]\r\nrules: |2\r\n\r\n  -A -f 1\r\n   -A -f 2\r\n';
    expect(parseConfig(text, 'd.yaml').ruleLines.map(({ line, text: rule }) => `${line} ${rule}`)).toEqual([
      '4 -A -f 1',
      '5 -A -f 2',
    ]);
  });
});

describe('the files of the repository', () => {
  const examples = readdirSync(path.join(ROOT, 'examples')).filter((file) => file.endsWith('.yaml'));
  const scenarios = ['nat-basic', 'dr-basic', 'fwmark-vipless'].map(
    (name) => `test/conformance/recorded/basic/${name}/director.yaml`,
  );

  it('has the four methods as examples', () => {
    expect(examples).toEqual(expect.arrayContaining(['dr.yaml', 'fwmark.yaml', 'nat.yaml', 'tun.yaml']));
  });

  it.each([...examples.map((file) => `examples/${file}`), ...scenarios])('%s loads', (file) => {
    const config = loadConfig(path.join(ROOT, file));
    if (config.rules === undefined) expect(config.ruleLines.length).toBeGreaterThan(1);
    for (const { text } of config.ruleLines) expect(text).toMatch(/^-[Aa] -[tuf] /);
  });

  it.each(['nat', 'dr', 'tun', 'fwmark', 'full-nat', 'ipv6', 'xdp-workers'])(
    'examples/%s.yaml says who answers ARP',
    (name) => {
      expect(loadConfig(path.join(ROOT, `examples/${name}.yaml`)).accept.arp).toBe(true);
    },
  );

  it.each(scenarios)('%s stands for the devices and neighbours of its setup.sh', (file) => {
    const config = loadConfig(path.join(ROOT, file));
    expect(config.devices.map(({ name, mac }) => `${name} ${mac}`)).toEqual([
      'eth0 02:00:00:00:0d:00',
      'eth1 02:00:00:00:0d:01',
      'eth2 02:00:00:00:0d:02',
    ]);
    expect(config.neighbours.length).toBeGreaterThan(2);
    expect(config.routes).toEqual([]);
  });

  it('the mark rule of the VIP-less scenario is its nft rule', () => {
    const { marks } = loadConfig(path.join(ROOT, scenarios[2]!));
    expect(marks).toMatchObject([
      { device: { name: 'eth0' }, dst: { address: '203.0.113.0', length: 24 }, protocol: { protocol: 6 }, flip: 1 },
    ]);
    expect(marks[0]!.dports!.ranges).toEqual([
      [80, 80],
      [443, 443],
    ]);
  });
});

it('ConfigError tells each mistake apart', () => {
  try {
    parseConfig('devices: [ { name: eth0, mtu: x, kind: y } ]', 'd.yaml');
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).problems).toHaveLength(2);
  }
});
