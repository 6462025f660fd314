/** The doctor's checks on IPv6 facts made by hand, and the parsers of IPv6 output. */

import { describe, expect, it } from 'vitest';
import { network, within } from '../../src/doctor/address.js';
import { examine } from '../../src/doctor/examine.js';
import type { Facts, HostFacts } from '../../src/doctor/facts.js';
import { parseLinks, parseListeners, parsePolicy, parseRoutes, parseSysctls } from '../../src/doctor/parse.js';
import { isIPv6 } from '../../src/wire/address.js';
import { directorFacts, factsOf, host, listener, routes } from './made-facts.js';

const VIP = '2001:db8:1::100';

const client = host('client', 'client', '2001:db8:1::1', {
  addresses: [
    { dev: 'eth0', address: 'fe80::1', length: 64 },
    { dev: 'eth0', address: '2001:db8:1::1', length: 64 },
  ],
  routes: routes('2001:db8:1::/64 eth0'),
});

function nat6(rs: Partial<HostFacts> = {}, box: Partial<HostFacts> = {}): Facts {
  const director = host('director', 'director', '2001:db8:1::fe', {
    addresses: [
      { dev: 'eth0', address: '2001:db8:1::fe', length: 64 },
      { dev: 'eth1', address: '2001:db8:2::fe', length: 64 },
    ],
    routes: routes('2001:db8:1::/64 eth0', '2001:db8:2::/64 eth1'),
    ...box,
  });
  const rs1 = host('rs1', 'realserver', '2001:db8:2::11', {
    routes: routes('2001:db8:2::/64 eth0', '::/0 eth0 2001:db8:2::fe'),
    listeners: [listener('2001:db8:2::11', 8080)],
    ...rs,
  });
  return factsOf([client, director, rs1], directorFacts('masq', '2001:db8:2::11', {}, VIP));
}

function dr6(rs: Partial<HostFacts> = {}): Facts {
  const rs1 = host('rs1', 'realserver', '2001:db8:1::11', {
    routes: routes('2001:db8:1::/64 eth0', `${VIP}/128 lo`),
    listeners: [listener('::', 80)],
    ...rs,
  });
  const director = host('director', 'director', '2001:db8:1::9', { routes: routes('2001:db8:1::/64 eth0') });
  return factsOf([client, director, rs1], directorFacts('gatewaying', '2001:db8:1::11', {}, VIP));
}

const rule = (hook: string, field: string, right: unknown, family = 'inet') => {
  const match = { op: '==', left: { payload: { protocol: field.split(' ')[0], field: field.split(' ')[1] } }, right };
  const rules = [{ handle: 7, expr: [{ match }, { drop: null }] }];
  return { firewall: [{ family, table: 't', name: 'c', hook, policy: 'accept', rules }] };
};

const forwarding = { 'ipv6/conf/all/forwarding': 1 };
const oneWire = routes('2001:db8:1::/64 eth1', '2001:db8:2::/64 eth1');

describe('over IPv6', () => {
  it.each([
    ['healthy NAT', nat6()],
    ['healthy DR', dr6()],
    ['a drop rule for IPv4', nat6(rule('output', 'tcp sport', 8080, 'ip'))],
    ['redirects that the realserver ignores', nat6({}, { routes: oneWire, sysctls: forwarding })],
  ])('%s has no finding', (_, one) => expect(examine(one)).toEqual([]));

  const faults: [string, string, Facts, string][] = [
    [
      'no gateway',
      'gateway-not-director',
      nat6({ routes: routes('2001:db8:2::/64 eth0') }),
      'ip route replace default via 2001:db8:2::fe dev eth0',
    ],
    [
      'a second path',
      'second-path',
      nat6({ routes: [...nat6().hosts[2]!.routes, ...routes('2001:db8:1::1/128 eth1 fd00::2')] }),
      'ip route del 2001:db8:1::1/128 via fd00::2 dev eth1',
    ],
    ['::1 only', 'listens-on-loopback', nat6({ listeners: [listener('::1', 8080)] }), 'systemctl restart SERVICE'],
    [
      'IPv4 only',
      'service-not-listening',
      nat6({ listeners: [listener('0.0.0.0', 8080)] }),
      'systemctl restart SERVICE',
    ],
    ['no VIP', 'vip-missing', dr6({ routes: routes('2001:db8:1::/64 eth0') }), `ip address add ${VIP}/128 dev lo`],
    [
      'a firewall',
      'firewall-drops-replies',
      nat6(rule('output', 'tcp sport', 8080)),
      'nft delete rule inet t c handle 7',
    ],
    [
      'a firewall by network',
      'firewall-drops-replies',
      nat6(rule('output', 'ip6 daddr', { prefix: { addr: '2001:db8:1::', len: 48 } })),
      'nft delete rule inet t c handle 7',
    ],
    [
      'no discovery',
      'neighbour-discovery-filtered',
      dr6(rule('input', 'icmpv6 type', 'nd-neighbor-solicit')),
      'nft delete rule inet t c handle 7',
    ],
    [
      'MTU',
      'mtu-differs',
      dr6({ links: dr6().hosts[2]!.links.map((link) => ({ ...link, mtu: 1400 })) }),
      'ip link set eth0 mtu 1500',
    ],
    [
      'redirects',
      'redirects',
      nat6({ sysctls: { 'ipv6/conf/eth0/accept_redirects': 1 } }, { routes: oneWire, sysctls: forwarding }),
      'sysctl -w net.ipv6.conf.eth0.accept_redirects=0',
    ],
  ];
  it.each(faults)('%s gives %s', (_, id, one, command) => {
    const findings = examine(one);
    expect(findings.map((finding) => finding.id)).toEqual([id]);
    expect(findings[0]!.fix.join('\n')).toContain(command);
  });

  it('the fix moves a VIP from the realserver’s wire to lo', () => {
    const links = [{ dev: 'eth0', mac: '02:00:00:00:99:00', mtu: 1500, up: true, kind: 'veth' }];
    const addresses = [...dr6().hosts[2]!.addresses, { dev: 'eth0', address: VIP, length: 128 }];
    const answer = { vip: VIP, host: 'client', dev: 'eth0', macs: ['02:00:00:00:99:00'] };
    const [finding, ...more] = examine({ ...dr6({ links, addresses }), arp: [answer] });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      id: 'realserver-answers-arp',
      wrong: `realserver rs1 answers neighbour solicitations for the VIP ${VIP}`,
    });
    expect(finding!.fix).toEqual([
      `ip netns exec ns-rs1 ip address del ${VIP}/128 dev eth0`,
      `ip netns exec ns-rs1 ip address add ${VIP}/128 dev lo`,
      `ip netns exec ns-client ip neigh flush to ${VIP}`,
    ]);
  });
});

describe('the parsers read', () => {
  it('IPv6 routes and rules', () => {
    expect(parseRoutes('[{"dst":"default","gateway":"fe80::1","dev":"eth0","metric":1024,"flags":[]}]', true)).toEqual([
      { to: '::', length: 0, type: 'unicast', table: 'main', metric: 1024, via: 'fe80::1', dev: 'eth0' },
    ]);
    expect(parsePolicy('[{"priority":0,"src":"all","table":"local"}]', true)).toEqual([
      { six: true, priority: 0, table: 'local', from: '', length: 128, more: false },
    ]);
  });

  it('IPv6 addresses and an attached XDP program', () => {
    const text = `[{"ifname":"eth0","mtu":1500,"flags":["UP"],"xdp":{"mode":1},"addr_info":[{"family":"inet6","local":"fd00::1","prefixlen":64}]}]`;
    const { links, addresses } = parseLinks(text);
    expect(addresses).toEqual([{ dev: 'eth0', address: 'fd00::1', length: 64 }]);
    expect(links[0]).toMatchObject({ dev: 'eth0', xdp: true, up: true });
  });

  it('IPv6 sockets and sysctls', () => {
    expect(parseListeners('tcp LISTEN 0 511 [2001:db8::1]:80 [::]:*\ntcp LISTEN 0 5 [::]:81 [::]:*')).toEqual([
      { protocol: 'tcp', address: '2001:db8::1', port: '80' },
      { protocol: 'tcp', address: '::', port: '81' },
    ]);
    expect(parseSysctls('/proc/sys/net/ipv6/conf/all/forwarding:1\n/proc/sys/net/ipv4/ip_forward:0')).toEqual({
      'ipv6/conf/all/forwarding': 1,
      ip_forward: 0,
    });
  });

  it('IPv6 networks', () => {
    expect(within('2001:db8:1::ffff', '2001:db8:1::', 64)).toBe(true);
    expect(within('2001:db8:1:1::', '2001:db8:1::', 64)).toBe(false);
    expect(within('10.0.0.1', '::', 0)).toBe(false);
    expect(network('2001:db8::1')).toEqual({ to: '2001:db8::1', length: 128 });
    expect(isIPv6('10.0.0.1')).toBe(false);
  });
});
