/** Each sentence an administrator may read, with its line. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig, parseConfig } from '../../../src/control/config/config.js';
import { Random } from '../../support/seed.js';

const TWO = `devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24] }
  - { name: eth1, mac: 02:00:00:00:0d:01, addresses: [192.168.1.254/24] }
`;

function sentence(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no error';
}

function errorOf(text: string): string {
  return sentence(() => parseConfig(text, 'director.yaml'));
}

describe('values', () => {
  it('devices', () => {
    const text = `devices:
  - { name: eth0, adresses: [10.0.0.254/24], mtu: 15000000 }
  - eth1
  - mac: 1
    kind: pakcet
    addresses: 10.0.0.1/24
  - { name: "a name that is too long", promiscuous: yes, mac: "01:00:5e:00:00:01" }
  - name: eth5
    addresses:
      - 10.0.0.1
      - 10.0.0.0/24
      - 224.0.0.1/24
      - 10.0.0.1/33
      - [10.0.0.1/24]
  - { name: , mac: "00:00:00:00:00:00" }
`;
    expect(errorOf(text)).toMatchInlineSnapshot(`
      "director.yaml:2: devices[0].adresses: no such key; did you mean addresses?
      director.yaml:2: devices[0].mtu: 15000000 is not a whole number from 68 to 65535
      director.yaml:3: devices[1]: "eth1" is not a mapping such as { name: eth0 }
      director.yaml:4: devices[2].name: is missing; it should be a device name such as eth0
      director.yaml:4: devices[2].mac: 1 is not a MAC address such as 02:00:00:00:0d:00
      director.yaml:5: devices[2].kind: "pakcet" is not one of xdp, packet, tap, cap, auto; did you mean packet?
      director.yaml:6: devices[2].addresses: "10.0.0.1/24" is not a list such as [ 10.0.0.254/24 ]
      director.yaml:7: devices[3].name: "a name that is too long" is not a device name such as eth0
      director.yaml:7: devices[3].promiscuous: "yes" is not true or false
      director.yaml:7: devices[3].mac: "01:00:5e:00:00:01" is a multicast MAC address, not that of a device
      director.yaml:10: devices[4].addresses[0]: "10.0.0.1" has no prefix length; write 10.0.0.1/24 for example
      director.yaml:11: devices[4].addresses[1]: "10.0.0.0/24" is the address of the network, not of a host in it
      director.yaml:12: devices[4].addresses[2]: "224.0.0.1/24" is not the address of a host
      director.yaml:13: devices[4].addresses[3]: "10.0.0.1/33" is not an IPv4 or IPv6 address with a prefix length, such as 10.0.0.254/24
      director.yaml:14: devices[4].addresses[4]: a list is not an IPv4 or IPv6 address with a prefix length, such as 10.0.0.254/24
      director.yaml:15: devices[5].name: is empty; it should be a device name such as eth0, or leave the key out
      director.yaml:15: devices[5].mac: "00:00:00:00:00:00" is not the MAC address of a device"
    `);
  });

  it('routes, policy, neighbours', () => {
    const text = `${TWO}routes:
  - { to: 0.0.0.0/0, via: 10.0.0.999, dve: eth0 }
  - { to: 10.0.0.1/8, dev: eth0, table: mian }
  - { to: everywhere, dev: eth0, onlink: 1 }
policy:
  - { priority: -1, table: 0, mark: 1/x }
  - { priority: 1, from: 10.0.0.1/8 }
neighbours: { ip: 10.0.0.1 }
`;
    expect(errorOf(text)).toMatchInlineSnapshot(`
      "director.yaml:5: routes[0].dev: is missing; it should be a device name such as eth0
      director.yaml:5: routes[0].via: "10.0.0.999" is not an IPv4 or IPv6 address
      director.yaml:5: routes[0].dve: no such key; did you mean dev?
      director.yaml:6: routes[1].to: "10.0.0.1/8" has host bits after its prefix length; write 10.0.0.0/8
      director.yaml:6: routes[1].table: "mian" is not main or a table number from 1 to 4294967295
      director.yaml:7: routes[2].to: "everywhere" is not an IPv4 or IPv6 prefix such as 10.9.0.0/16
      director.yaml:7: routes[2].onlink: 1 is not true or false
      director.yaml:9: policy[0].priority: -1 is not a whole number from 0 to 4294967295
      director.yaml:9: policy[0].table: 0 is not main or a table number from 1 to 4294967295
      director.yaml:9: policy[0].mark: "1/x" is not a mark such as 1 or 0x10/0xf0
      director.yaml:10: policy[1].table: is missing; it should be main or a table number from 1 to 4294967295
      director.yaml:10: policy[1].from: "10.0.0.1/8" has host bits after its prefix length; write 10.0.0.0/8
      director.yaml:11: neighbours: a mapping is not a list such as [ { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:0a:01 } ]"
    `);
  });

  it('marks, accept, sysctl, timeouts, helpers, the rest', () => {
    const text = `devices: []
marks:
  - -i eth0 -p tcp --dprot 80 -j MARK --set-mark 1
  - 3
accept: { arp: yes, ranges: [10.9.0.1/16, x], icpm: true }
sysctl:
  conn_reuse_mode: 9
  con_reuse_mode: 1
  expire_nodest: 1
  sync_threshold: 50 3
  sync_ports: 3
  drop_entry: often
timeouts: { tcp: 0, tcpfin: 2678401, udp: 1s }
helpers: { ftp: [0, 21, "x"], sip: [5060] }
ruels: x
wrokers: 2
workers: 1.5
connections: { max: 0 }
rules: 3
rulesFile: ""
socket:
`;
    expect(errorOf(text)).toMatchInlineSnapshot(`
      "director.yaml:1: devices: the list is empty; name a device
      director.yaml:3: marks[0]: "--dprot" is not an option of a mark rule; did you mean --dport?
      director.yaml:4: marks[1]: 3 is not a text such as "-d 10.9.0.0/16 -j MARK --set-mark 1"
      director.yaml:5: accept.arp: "yes" is not true or false
      director.yaml:5: accept.ranges[0]: "10.9.0.1/16" has host bits after its prefix length; write 10.9.0.0/16
      director.yaml:5: accept.ranges[1]: "x" is not an IPv4 or IPv6 prefix such as 10.9.0.0/16
      director.yaml:5: accept.icpm: no such key; did you mean icmp?
      director.yaml:7: sysctl.conn_reuse_mode: 9 is not a whole number from 0 to 3
      director.yaml:8: sysctl.con_reuse_mode: no such sysctl; did you mean conn_reuse_mode?
      director.yaml:9: sysctl.expire_nodest: no such sysctl; did you mean expire_nodest_conn?
      director.yaml:10: sysctl.sync_threshold: "50 3": threshold 50 is not below period 3
      director.yaml:11: sysctl.sync_ports: 3 is not a power of two
      director.yaml:12: sysctl.drop_entry: "often" is not a number
      director.yaml:13: timeouts.tcp: 0 is not a number of seconds from 1 to 2678400
      director.yaml:13: timeouts.tcpfin: 2678401 is not a number of seconds from 1 to 2678400
      director.yaml:13: timeouts.udp: "1s" is not a number of seconds from 1 to 2678400
      director.yaml:14: helpers.ftp[0]: 0 is not a port from 1 to 65535
      director.yaml:14: helpers.ftp[2]: "x" is not a port from 1 to 65535
      director.yaml:14: helpers.sip: no such key; there are ftp
      director.yaml:15: ruels: no such key; did you mean rules?
      director.yaml:16: wrokers: no such key; did you mean workers?
      director.yaml:17: workers: 1.5 is not a whole number from 1 to 64
      director.yaml:18: connections.max: 0 is not a whole number from 1 to 67108864
      director.yaml:19: rules: 3 is not lines such as -A -t 10.0.0.100:80 -s rr, under "rules: |", or a mapping such as { etcd: { endpoints: [https://10.0.0.2:2379] } }
      director.yaml:20: rulesFile: "" is not the path of a file
      director.yaml:21: socket: is empty; it should be the path of the control socket, or leave the key out"
    `);
  });

  it('snat: families, devices, keys', () => {
    const text = `${TWO}snat:
  - { from: 192.168.1.0/24, to: "2001:db8::1" }
  - { from: 192.168.1.5/24, to: 10.0.0.100 }
  - { from: 192.168.2.0/24, to: 10.0.0.0/24, dev: eth9, out: eth0 }
`;
    expect(errorOf(text)).toMatchInlineSnapshot(`
      "director.yaml:6: snat[1].from: "192.168.1.5/24" has host bits after its prefix length; write 192.168.1.0/24
      director.yaml:7: snat[2].to: "10.0.0.0/24" is not an IPv4 or IPv6 address
      director.yaml:7: snat[2].out: no such key; there are from, to, dev"
    `);
    expect(
      errorOf(
        `${TWO}snat: [ { from: 10.1.0.0/16, to: 10.0.0.1, dev: eth9 }, { from: 10.2.0.0/16, to: "2001:db8::1" } ]\n`,
      ),
    ).toMatchInlineSnapshot(`
      "director.yaml:4: snat[0].dev: no device is called "eth9"; there are eth0, eth1
      director.yaml:4: snat[1].to: 2001:db8::1 and from: 10.2.0.0/16 are of different families"
    `);
  });

  it('a sysctl section that is no mapping, more than eight FTP ports', () => {
    const text = `${TWO}sysctl: [1]\nhelpers: { ftp: [1, 2, 3, 4, 5, 6, 7, 8, 9] }\n`;
    expect(errorOf(text)).toMatchInlineSnapshot(`
      "director.yaml:4: sysctl: a list is not a mapping such as { conn_reuse_mode: 1 }
      director.yaml:5: helpers.ftp: more than 8 ports"
    `);
  });

  it('a socket path longer than the kernel takes', () => {
    expect(errorOf(`${TWO}socket: /${'s'.repeat(107)}`)).toMatch(
      /^director\.yaml:4: socket: \/s+ is longer than the 107 bytes a Unix socket's path may have$/,
    );
  });
});

describe('what the parts say about each other', () => {
  it('names, MACs and addresses there twice', () => {
    const text = `devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24] }
  - { name: eth0, mac: 02-00-00-00-0D-00, addresses: [10.0.0.253/24, 10.0.0.254/16] }
routes:
  - { to: 10.1.0.0/16, dev: eth0 }
  - { to: 10.1.0.0/16, dev: eth0, table: 100 }
  - { to: 10.1.0.0/16, dev: eth0, table: 100 }
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:0a:01 }
  - { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:0a:02 }
`;
    expect(errorOf(text)).toMatchInlineSnapshot(`
      "director.yaml:3: devices[1].name: eth0 is already at devices[0].name
      director.yaml:3: devices[1].mac: 02:00:00:00:0d:00 is already at devices[0].mac
      director.yaml:3: devices[1].addresses[1]: 10.0.0.254 is already at devices[0].addresses[0]
      director.yaml:7: routes[2].to: 10.1.0.0/16 in table 100 is already at routes[1].to
      director.yaml:10: neighbours[1].ip: 10.0.0.1 on eth0 is already at neighbours[0].ip"
    `);
  });

  it('devices that are not there, routers off the link, families', () => {
    const text = `${TWO}routes:
  - { to: default, via: 172.16.0.1, dev: eth0 }
  - { to: 172.16.0.0/12, via: 172.16.0.1, dev: eth0, onlink: true, src: 10.0.0.7 }
  - { to: 2001:db8::/32, via: 10.0.0.1, dev: eth0 }
  - { to: 10.1.0.0/16, dev: eth2 }
policy:
  - { priority: 1, table: 7, iif: lo }
  - { priority: 2, table: main, from: 10.0.0.0/8, to: "::/0" }
neighbours:
  - { ip: 10.0.0.1, dev: eth3, mac: 02:00:00:00:0a:01 }
marks:
  - "-i eth+ -j MARK --set-mark 1"
  - "-i wlan+ -j MARK --set-mark 1"
rules: ""
rulesFile: x
`;
    expect(errorOf(text)).toMatchInlineSnapshot(`
      "director.yaml:5: routes[0].via: 172.16.0.1 is on no network of eth0 (10.0.0.254/24); use a router there, or add onlink: true
      director.yaml:6: routes[1].src: 10.0.0.7 is not an address of a device of this file
      director.yaml:7: routes[2].via: 10.0.0.1 is IPv4, but the route to 2001:db8::/32 is IPv6
      director.yaml:8: routes[3].dev: no device is called "eth2"; there are eth0, eth1
      director.yaml:10: policy[0].table: no route is in table 7
      director.yaml:10: policy[0].iif: no device is called "lo"; there are eth0, eth1
      director.yaml:11: policy[1].to: ::/0 and from: 10.0.0.0/8 are of different families
      director.yaml:13: neighbours[0].dev: no device is called "eth3"; there are eth0, eth1
      director.yaml:16: marks[1]: no device is called "wlan+"; there are eth0, eth1
      director.yaml:18: rulesFile: rules are given too; keep one of the two"
    `);
  });

  it('a mistake in one part does not hide one in another', () => {
    const text = `${TWO}timeouts: { tpc: 1 }\nneighbours: [ { ip: 10.0.0.1, dev: eth3, mac: 02:00:00:00:0a:01 } ]\n`;
    expect(errorOf(text)).toMatchInlineSnapshot(`
      "director.yaml:4: timeouts.tpc: no such key; did you mean tcp?
      director.yaml:5: neighbours[0].dev: no device is called "eth3"; there are eth0, eth1"
    `);
  });
});

describe('not YAML', () => {
  const texts = [
    'devices: [ { name: eth0 }\nroutes: []\n',
    'devices:\n\t- { name: eth0 }\n',
    'devices: [{ name: eth0 }]\nworkers: 1\nworkers: 2\n',
    'devices: [{ name: !mine eth0 }]\n',
    '',
    '\n- eth0\n',
    'devices: [{ name: eth0 }]\n---\nworkers: 1\n',
    'devices: *x\n',
    'devices: [{ name: eth0 }]\nrules: >\n  -A -f 1\n  -A -f 2\n',
  ];

  it('tells the line', () => {
    expect(texts.map(errorOf).join('\n')).toMatchInlineSnapshot(`
      "director.yaml:2: not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]
      director.yaml:2: not YAML: Tabs are not allowed as indentation
      director.yaml:3: the key is given twice in the same mapping; keep one
      director.yaml:1: not YAML: Unresolved tag: !mine
      director.yaml:1: the file is empty; begin with "devices:"
      director.yaml:2: a list is not a configuration; begin with "devices:"
      director.yaml:2: a second YAML document begins here; a configuration is one document
      director.yaml:1: not YAML: Unresolved alias (the anchor must be set before the alias): x
      director.yaml:2: rules: a ">" joins the lines; write "rules: |""
    `);
  });

  it('aliases that multiply', () => {
    const rows = Array.from({ length: 12 }, (_, i) => `k${i}: &a${i} [${i ? `*a${i - 1}, `.repeat(9) : '1'}]`);
    expect(errorOf(rows.join('\n'))).toMatchInlineSnapshot(
      `"director.yaml:1: not YAML: Excessive alias count indicates a resource exhaustion attack"`,
    );
  });
});

describe('files', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'ulvs-config-'));
  const file = (name: string) => path.join(folder, name);
  afterAll(() => rmSync(folder, { recursive: true }));
  const told = (name: string) => sentence(() => loadConfig(file(name))).replaceAll(folder, 'DIR');

  it('that are not there, folders, not text', () => {
    mkdirSync(file('folder'));
    writeFileSync(file('binary'), Buffer.of(0x64, 0xff, 0xfe));
    expect(told('none.yaml')).toBe('DIR/none.yaml: no such file');
    expect(told('folder')).toBe('DIR/folder: is a directory, not a file');
    expect(told('binary')).toBe('DIR/binary: is not UTF-8 text');
  });

  it('rulesFile is found beside the file, its lines keep their place', () => {
    writeFileSync(file('d.yaml'), `${TWO}rulesFile: rules\n`);
    expect(told('d.yaml')).toBe('DIR/d.yaml:4: rulesFile: DIR/rules: no such file');
    writeFileSync(file('rules'), '# ours\n-A -f 1\n\n-a -f 1 -r 10.0.0.1\n');
    expect(loadConfig(file('d.yaml')).ruleLines).toEqual([
      { file: file('rules'), line: 2, text: '-A -f 1' },
      { file: file('rules'), line: 4, text: '-a -f 1 -r 10.0.0.1' },
    ]);
  });
});

/** Whatever the text: a Config or a ConfigError, whose every line begins with the file's name. */
it('random text never throws anything else', () => {
  const random = new Random();
  const words =
    `devices routes policy neighbours marks accept sysctl timeouts helpers rules socket workers name via dev to
    eth0 10.0.0.1/24 02:00:00:00:0d:00 | > - : { } [ ] , " ' & * ! # ~ 1 0x1 .5 true null -j MARK --set-mark ? <<
    __proto__ constructor toString conn_reuse_mode ranges %YAML --- ...`.split(/\s+/);
  const seps = [' ', ' ', ' ', '\n', '\n  ', ': ', ', ', '', '\t', '\u2028'];
  for (let round = 0; round < 3000; round++) {
    const start = random.bool() ? FULL_START : '';
    const text =
      start + Array.from({ length: random.below(40) }, () => random.pick(words) + random.pick(seps)).join('');
    const told = errorOf(text);
    if (told !== 'no error') for (const line of told.split('\n')) expect(line).toMatch(/^director\.yaml:\d+: \S/);
  }
  for (let round = 0; round < 500; round++) errorOf(Buffer.from(random.bytes(random.below(200))).toString('latin1'));
});

const FULL_START = `${TWO}routes: [ { to: 0.0.0.0/0, via: 10.0.0.1, dev: eth0 } ]\n`;
