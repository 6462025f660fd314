/** The doctor's checks on facts made by hand: each fault gives its finding and the right fix. */
import { describe, expect, it } from 'vitest';
import { parseMarkRule } from '../../src/control/mark/rule.js';
import { examine } from '../../src/doctor/examine.js';
import type { Facts, HostFacts } from '../../src/doctor/facts.js';
import { directorFacts, dr, host, listener, nat, routes, tun } from './made-facts.js';

function ids(facts: Facts): string[] {
  return examine(facts).map(({ id }) => id);
}

function fixes(facts: Facts): string[] {
  return examine(facts).flatMap((finding) => finding.fix);
}

const DOWN = [{ dev: 'eth1', mac: '02:00:00:00:0d:01', mtu: 1500, up: false, kind: 'veth' }];

function changed(facts: Facts, name: string, more: Partial<HostFacts>): Facts {
  return { ...facts, hosts: facts.hosts.map((one) => (one.name === name ? { ...one, ...more } : one)) };
}

const chain = (hook: string, ...expr: Record<string, unknown>[]) => ({
  firewall: [{ family: 'inet', table: 't', name: 'c', hook, policy: 'accept', rules: [{ handle: 7, expr }] }],
});
const match = (protocol: string, field: string, right: unknown) => ({
  match: { op: '==', left: { payload: { protocol, field } }, right },
});

describe('a healthy LVS', () => {
  it.each([
    ['nat', nat()],
    ['dr', dr()],
    ['tun', tun()],
  ])('by %s has no finding', (_, facts) => expect(ids(facts)).toEqual([]));
});

describe('each fault has one finding, with the command that fixes it', () => {
  const weak = directorFacts('masq', '192.168.1.11').services[0]!;
  const quiesced = { ...weak.destinations[0]!, weight: 0, persistConns: 2 };
  const both = [quiesced, { ...quiesced, address: '192.168.1.12', weight: 1 }];
  const martian = {
    addresses: [
      { dev: 'eth0', address: '10.0.0.254', length: 24 },
      { dev: 'eth0', address: '10.0.0.100', length: 32 },
    ],
  };
  const viaDirector = { routes: routes('10.0.0.11/32 lo', '10.0.0.100/32 lo', '0.0.0.0/0 eth0 10.0.0.254') };
  const synthetic: [string, string, Facts, string][] = [
    [
      'another gateway',
      'gateway-not-director',
      nat({ routes: routes('192.168.1.0/24 eth0', '0.0.0.0/0 eth0 192.168.1.1') }),
      'ip netns exec ns-rs1 ip route replace default via 192.168.1.254 dev eth0',
    ],
    [
      'no gateway',
      'gateway-not-director',
      nat({ routes: routes('192.168.1.0/24 eth0') }),
      'ip netns exec ns-rs1 ip route replace default via 192.168.1.254 dev eth0',
    ],
    [
      'a route past the director',
      'second-path',
      nat({ routes: [...nat().hosts[2]!.routes, ...routes('10.0.0.1/32 eth1 10.9.0.2')] }),
      'ip netns exec ns-rs1 ip route del 10.0.0.1/32 via 10.9.0.2 dev eth1',
    ],
    [
      'no listener',
      'service-not-listening',
      nat({ listeners: [] }),
      'systemctl restart SERVICE   # on rs1, after its configuration names that address',
    ],
    [
      'another protocol',
      'service-not-listening',
      nat({ listeners: [listener('*', 8080, 'udp')] }),
      'systemctl restart SERVICE   # on rs1, after its configuration names that address',
    ],
    [
      'loopback',
      'listens-on-loopback',
      nat({ listeners: [listener('127.0.0.1', 8080)] }),
      'systemctl restart SERVICE   # on rs1, after its configuration names that address',
    ],
    [
      'RIP only',
      'listens-on-rip-only',
      dr({ listeners: [listener('10.0.0.11', 80)] }),
      'systemctl restart SERVICE   # on rs1, after its configuration names that address',
    ],
    [
      'port in DR',
      'dr-port-differs',
      dr({ listeners: [listener('10.0.0.100', 8080)] }),
      'systemctl restart SERVICE   # on rs1, after its configuration names that address',
    ],
    [
      'VIP missing',
      'vip-missing',
      dr({ routes: routes('10.0.0.0/24 eth0') }),
      'ip netns exec ns-rs1 ip address add 10.0.0.100/32 dev lo',
    ],
    [
      'rp_filter of all',
      'rp-filter',
      tun({ links: tun().hosts[2]!.links, sysctls: { 'conf/all/rp_filter': 1, 'conf/tunl0/rp_filter': 0 } }),
      'ip netns exec ns-rs1 sysctl -w net.ipv4.conf.all.rp_filter=0',
    ],
    [
      'no tunnel endpoint',
      'tunnel-endpoint-missing',
      tun({ links: dr().hosts[2]!.links }),
      'ip netns exec ns-rs1 modprobe ipip',
    ],
    [
      'MTU',
      'mtu-too-small',
      tun({ links: tun().hosts[2]!.links.map((link) => ({ ...link, mtu: 1400 })) }),
      'ip netns exec ns-rs1 ip link set eth0 mtu 1500',
    ],
    [
      'firewall',
      'firewall-drops-replies',
      nat(chain('output', match('tcp', 'sport', { set: [80, 8080] }), { drop: null })),
      'ip netns exec ns-rs1 nft delete rule inet t c handle 7',
    ],
    [
      'frag needed',
      'frag-needed-filtered',
      changed(tun(), 'client', chain('input', match('icmp', 'code', 'frag-needed'), { reject: null })),
      'ip netns exec ns-client nft delete rule inet t c handle 7',
    ],
    [
      'retries',
      'synack-outlives-connection',
      nat({ sysctls: { tcp_synack_retries: 6 } }),
      'ip netns exec ns-rs1 sysctl -w net.ipv4.tcp_synack_retries=5',
    ],
    [
      'weights',
      'all-weights-zero',
      nat({}, { services: [{ ...weak, destinations: [{ ...quiesced, persistConns: 0 }] }] }),
      'ulvsadm -e -t 10.0.0.100:80 -r 192.168.1.11:8080 -m -w 1 --socket /run/s',
    ],
    [
      'template',
      'template-outlives-quiesced',
      changed(nat({}, { services: [{ ...weak, persistent: true, destinations: both }] }), 'none', {}),
      'ulvs sysctl expire_quiescent_template=1 --socket /run/s',
    ],
    [
      'no route',
      'no-route-to-realserver',
      changed(nat(), 'director', { routes: routes('10.0.0.0/24 eth0') }),
      'ip netns exec ns-director ip route add 192.168.1.11/32 via GATEWAY   # a router that has a route to it',
    ],
    [
      'an interface that is down',
      'no-route-to-realserver',
      changed(nat(), 'director', { routes: routes('10.0.0.0/24 eth0'), links: DOWN }),
      'ip netns exec ns-director ip link set eth1 up',
    ],
    [
      'behind a gateway',
      'dr-not-on-segment',
      changed(dr(), 'director', { routes: routes('0.0.0.0/0 eth0 10.0.0.1') }),
      'ulvsadm -e -t 10.0.0.100:80 -r 10.0.0.11:80 -i -w 1 --socket /run/s',
    ],
    [
      'martian',
      'director-gateway-martian',
      changed(dr(viaDirector), 'director', martian),
      'ip netns exec ns-director ip address del 10.0.0.100/32 dev eth0',
    ],
    [
      'not forwarding',
      'director-does-not-forward',
      dr(viaDirector),
      'ip netns exec ns-director sysctl -w net.ipv4.ip_forward=1',
    ],
  ];
  it.each(synthetic)('%s: %s', (_, id, facts, command) => {
    expect(ids(facts)).toEqual([id]);
    expect(fixes(facts)).toContain(command);
  });

  it('names the interface that is down', () => {
    const facts = changed(nat(), 'director', { routes: routes('10.0.0.0/24 eth0'), links: DOWN });
    expect(examine(facts)[0]!.seen).toMatch(/ finds nothing; eth1 is down$/);
  });
});

describe('no finding comes from', () => {
  it('a drop rule for other ports', () => {
    expect(ids(nat(chain('output', match('tcp', 'sport', 22), { drop: null })))).toEqual([]);
  });

  it('a drop rule after an accept rule', () => {
    const facts = nat(chain('output', match('tcp', 'sport', 8080), { accept: null }));
    const [first] = facts.hosts[2]!.firewall;
    const rules = [...first!.rules, { handle: 8, expr: [{ drop: null }] }];
    expect(ids(changed(facts, 'rs1', { firewall: [{ ...first!, rules }] }))).toEqual([]);
  });

  it('replies through a forwardShared device', () => {
    const says = { forwardShared: ['eth0'] };
    expect(ids(dr({ routes: routes('10.0.0.100/32 lo', '0.0.0.0/0 eth0 10.0.0.254') }, says))).toEqual([]);
  });

  it('a loose rp_filter', () => {
    const sysctls = { 'conf/all/rp_filter': 0, 'conf/tunl0/rp_filter': 2 };
    expect(ids(tun({ sysctls }))).toEqual([]);
  });
});

describe('missing listeners', () => {
  it('of one host are one finding, in the order of the rules', () => {
    const [tcp] = dr().director.services;
    const [dest] = tcp!.destinations;
    const udp = {
      ...tcp!,
      key: { protocol: 17, address: '10.0.0.100', port: 7 },
      destinations: [{ ...dest!, port: 7 }],
    };
    const listeners = [listener('10.0.0.11', 80), listener('10.0.0.11', 7, 'udp')];
    const found = examine(dr({ listeners }, { services: [udp, tcp!] }));
    expect(found.map(({ wrong, seen }) => [wrong, seen])).toEqual([
      [
        'the service on rs1 listens on its RIP only, not on the VIP: 10.0.0.100:80 and 10.0.0.100:7 (UDP)',
        '`ss -ltnu` on rs1 shows 10.0.0.11:80, 10.0.0.11:7 (UDP)',
      ],
    ]);
  });
});

describe('ARP answers', () => {
  const asked = (role: HostFacts['role']) => {
    const box = host('strange', role, '10.0.0.7', {
      links: [{ dev: 'eth0', mac: '02:00:00:00:99:00', mtu: 1500, up: true, kind: 'veth' }],
    });
    const answer = { vip: '10.0.0.100', host: 'client', dev: 'eth0', macs: ['02:00:00:00:0d:00', '02:00:00:00:99:00'] };
    return { ...dr(), hosts: [...dr().hosts, box], arp: [answer] };
  };
  it.each([
    ['realserver', 'realserver-answers-arp'],
    ['backup', 'vip-on-backup'],
    ['router', 'vip-owned-elsewhere'],
  ] as const)('from a %s give %s, from the director nothing', (role, id) => expect(ids(asked(role))).toEqual([id]));

  it('of nobody are found, unless an interface of the director has the VIP', () => {
    const silent = dr({}, { unheard: ['10.0.0.100'] });
    const found = examine(silent);
    expect(found.map(({ id, wrong }) => [id, wrong])).toEqual([
      ['vip-unanswered', 'nobody answers ARP for the VIP 10.0.0.100'],
    ]);
    expect(found[0]!.fix[0]).toContain('ip address add 10.0.0.100/32 dev eth0');
    const answer = { vip: '10.0.0.100', host: 'client', dev: 'eth0', macs: ['02:00:00:00:0d:00'] };
    expect(ids({ ...silent, arp: [answer] })).toEqual([]);
    const addresses = [
      { dev: 'eth0', address: '10.0.0.254', length: 24 },
      { dev: 'lo', address: '10.0.0.100', length: 32 },
    ];
    expect(ids(changed(silent, 'director', { addresses }))).toEqual([]);
  });
});

describe('marks', () => {
  const service = { ...directorFacts('masq', '192.168.1.11').services[0]!, key: { fwmark: 1, family: 4 as const } };
  const marked = (rule: string, ranges = ['10.9.0.0/24']) => ({
    ...nat({}, { services: [service], marks: [parseMarkRule(rule)], ranges }),
    lab: { id: 'x', vips: ['10.9.0.1'], routes: [], farEnds: [], programs: [] },
  });
  const routed = (facts: Facts) =>
    changed(facts, 'client', { routes: routes('10.0.0.0/24 eth0', '10.9.0.0/24 eth0 10.0.0.254') });
  const rule = '-i eth0 -d 10.9.0.0/24 -p tcp --dport 80 -j MARK --set-mark 1';

  it('give no finding when rule and routes are right', () => expect(ids(routed(marked(rule)))).toEqual([]));

  it('never match a device that the director does not have', () => {
    const facts = routed(marked(rule.replace('eth0', 'eth9')));
    expect(ids(facts)).toEqual(['mark-rule-never-matches']);
    expect(fixes(facts)[0]).toBe(`sed -i 's|${rule.replace('eth0', 'eth9')}|${rule}|' /etc/director.yaml`);
  });

  it('never match a range outside accept.ranges', () => {
    expect(ids(routed(marked(rule.replace('10.9.0.0', '10.8.0.0'))))).toEqual(['mark-rule-never-matches']);
  });

  it('match nothing when no route leads to the director', () => {
    expect(ids(marked(rule))).toEqual(['fwmark-not-accepted']);
    expect(fixes(marked(rule))).toEqual([
      'ip netns exec ns-client ip route replace 10.9.0.0/24 via 10.0.0.254 dev eth0',
    ]);
  });
});

describe('redirects', () => {
  it('are a finding only if the director forwards out of the device that the packet came in by', () => {
    const both = routes('10.0.0.0/24 eth0', '192.168.1.0/24 eth0');
    const sysctls = { ip_forward: 1, 'conf/all/send_redirects': 1 };
    expect(ids(changed(nat(), 'director', { routes: both, sysctls }))).toEqual(['redirects']);
    expect(ids(changed(nat(), 'director', { routes: both, sysctls: { ...sysctls, ip_forward: 0 } }))).toEqual([]);
    expect(ids(changed(nat(), 'director', { sysctls }))).toEqual([]);
  });
});
