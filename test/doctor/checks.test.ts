import { describe, expect, it } from 'vitest';
import { parseMarkRule } from '../../src/control/mark/rule.js';
import type { HostFacts, Site } from '../../src/doctor/facts.js';
import { examine } from '../../src/doctor/index.js';
import { dr, host, listener, nat, routes, told, tun } from './sites.js';

function ids(site: Site): string[] {
  return examine(site).map(({ id }) => id);
}

function mend(site: Site): string[] {
  return examine(site).flatMap((finding) => finding.mend);
}

const DOWN = [{ dev: 'eth1', mac: '02:00:00:00:0d:01', mtu: 1500, up: false, kind: 'veth' }];

function changed(site: Site, name: string, more: Partial<HostFacts>): Site {
  return { ...site, hosts: site.hosts.map((one) => (one.name === name ? { ...one, ...more } : one)) };
}

const chain = (hook: string, ...expr: Record<string, unknown>[]) => ({
  firewall: [{ family: 'inet', table: 't', name: 'c', hook, policy: 'accept', rules: [{ handle: 7, expr }] }],
});
const match = (protocol: string, field: string, right: unknown) => ({
  match: { op: '==', left: { payload: { protocol, field } }, right },
});

describe('healthy sites', () => {
  it.each([
    ['nat', nat()],
    ['dr', dr()],
    ['tun', tun()],
  ])('%s: nothing', (_, site) => expect(ids(site)).toEqual([]));
});

describe('each fault is found by its id, and mended by the right command', () => {
  const weak = told('masq', '192.168.1.11').services[0]!;
  const quiesced = { ...weak.destinations[0]!, weight: 0, persistConns: 2 };
  const both = [quiesced, { ...quiesced, address: '192.168.1.12', weight: 1 }];
  const martian = {
    addresses: [
      { dev: 'eth0', address: '10.0.0.254', length: 24 },
      { dev: 'eth0', address: '10.0.0.100', length: 32 },
    ],
  };
  const viaDirector = { routes: routes('10.0.0.11/32 lo', '10.0.0.100/32 lo', '0.0.0.0/0 eth0 10.0.0.254') };
  const synthetic: [string, string, Site, string][] = [
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
      'systemctl restart SERVICE   # on rs1, once it is configured to listen there',
    ],
    [
      'another protocol',
      'service-not-listening',
      nat({ listeners: [listener('*', 8080, 'udp')] }),
      'systemctl restart SERVICE   # on rs1, once it is configured to listen there',
    ],
    [
      'loopback',
      'listens-on-loopback',
      nat({ listeners: [listener('127.0.0.1', 8080)] }),
      'systemctl restart SERVICE   # on rs1, once it is configured to listen there',
    ],
    [
      'RIP only',
      'listens-on-rip-only',
      dr({ listeners: [listener('10.0.0.11', 80)] }),
      'systemctl restart SERVICE   # on rs1, once it is configured to listen there',
    ],
    [
      'port in DR',
      'dr-port-differs',
      dr({ listeners: [listener('10.0.0.100', 8080)] }),
      'systemctl restart SERVICE   # on rs1, once it is configured to listen there',
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
      'ip netns exec ns-director ip route add 192.168.1.11/32 via GATEWAY   # a router that knows the way',
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
  it.each(synthetic)('%s: %s', (_, id, site, command) => {
    expect(ids(site)).toEqual([id]);
    expect(mend(site)).toContain(command);
  });

  it('an interface that is down is named', () => {
    const site = changed(nat(), 'director', { routes: routes('10.0.0.0/24 eth0'), links: DOWN });
    expect(examine(site)[0]!.seen).toMatch(/ finds nothing; eth1 is down$/);
  });
});

describe('what only looks like a fault', () => {
  it('a drop rule for other ports', () => {
    expect(ids(nat(chain('output', match('tcp', 'sport', 22), { drop: null })))).toEqual([]);
  });

  it('a drop behind an accept', () => {
    const site = nat(chain('output', match('tcp', 'sport', 8080), { accept: null }));
    const [first] = site.hosts[2]!.firewall;
    const rules = [...first!.rules, { handle: 8, expr: [{ drop: null }] }];
    expect(ids(changed(site, 'rs1', { firewall: [{ ...first!, rules }] }))).toEqual([]);
  });

  it('replies by forwardShared', () => {
    const says = { forwardShared: ['eth0'] };
    expect(ids(dr({ routes: routes('10.0.0.100/32 lo', '0.0.0.0/0 eth0 10.0.0.254') }, says))).toEqual([]);
  });

  it('loose rp_filter', () => {
    const sysctls = { 'conf/all/rp_filter': 0, 'conf/tunl0/rp_filter': 2 };
    expect(ids(tun({ sysctls }))).toEqual([]);
  });
});

describe('listeners', () => {
  it("all ports of a host are named, the first rule's first", () => {
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
  ] as const)('by a %s: %s; by the director: fine', (role, id) => expect(ids(asked(role))).toEqual([id]));
});

describe('marks', () => {
  const service = { ...told('masq', '192.168.1.11').services[0]!, key: { fwmark: 1, family: 4 as const } };
  const marked = (rule: string, ranges = ['10.9.0.0/24']) => ({
    ...nat({}, { services: [service], marks: [parseMarkRule(rule)], ranges }),
    lab: { id: 'x', vips: ['10.9.0.1'], routes: [], farEnds: [], programs: [] },
  });
  const routed = (site: Site) =>
    changed(site, 'client', { routes: routes('10.0.0.0/24 eth0', '10.9.0.0/24 eth0 10.0.0.254') });
  const rule = '-i eth0 -d 10.9.0.0/24 -p tcp --dport 80 -j MARK --set-mark 1';

  it('healthy', () => expect(ids(routed(marked(rule)))).toEqual([]));

  it('an unknown device', () => {
    const site = routed(marked(rule.replace('eth0', 'eth9')));
    expect(ids(site)).toEqual(['mark-rule-never-matches']);
    expect(mend(site)[0]).toBe(`sed -i 's|${rule.replace('eth0', 'eth9')}|${rule}|' /etc/director.yaml`);
  });

  it('a range beside the accepted one', () => {
    expect(ids(routed(marked(rule.replace('10.9.0.0', '10.8.0.0'))))).toEqual(['mark-rule-never-matches']);
  });

  it('nobody routes the range', () => {
    expect(ids(marked(rule))).toEqual(['fwmark-not-accepted']);
    expect(mend(marked(rule))).toEqual([
      'ip netns exec ns-client ip route replace 10.9.0.0/24 via 10.0.0.254 dev eth0',
    ]);
  });
});

describe('redirects', () => {
  it('only where the director forwards out of the device it got the packet by', () => {
    const both = routes('10.0.0.0/24 eth0', '192.168.1.0/24 eth0');
    const sysctls = { ip_forward: 1, 'conf/all/send_redirects': 1 };
    expect(ids(changed(nat(), 'director', { routes: both, sysctls }))).toEqual(['redirects']);
    expect(ids(changed(nat(), 'director', { routes: both, sysctls: { ...sysctls, ip_forward: 0 } }))).toEqual([]);
    expect(ids(changed(nat(), 'director', { sysctls }))).toEqual([]);
  });
});
