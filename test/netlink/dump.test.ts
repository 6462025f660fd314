/** Dumps of the kernel, compared with what ip(8) prints. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Address } from '../../src/netlink/address.js';
import type { Link } from '../../src/netlink/link.js';
import type { Route } from '../../src/netlink/route.js';
import type { RouteSocket } from '../../src/netlink/route-socket.js';
import type { Range, Rule } from '../../src/netlink/rule.js';
import { defined, Lab, only, type Printed, skipReason } from './lab.js';
import { ROUTES4, ROUTES6, RULES, RULES4, RULES6 } from './policy.js';

describe.skipIf(skipReason('netlink dumps'))('dumps, compared with what ip(8) prints', () => {
  let lab: Lab;
  let socket: RouteSocket;
  let names: Map<number, string>;

  beforeAll(() => {
    lab = new Lab('dump');
    // Not every kernel has bridges or vlans; TUN and veth are what the lab needs anyway.
    lab.run('ip link set va1 txqueuelen 7 group 42 mtu 1400', 'ip tuntap add t0 mode tun', 'ip link set t0 up');
    lab.run('ip link add up0 type veth peer name up1');
    lab.run('ip addr add 10.3.0.1 peer 10.3.0.2/30 dev va0', 'ip addr add 10.1.0.77/24 dev va0 label va0:x brd +');
    lab.run(
      'ip addr add 10.1.0.88/32 dev lo scope host',
      'ip addr add 2001:db8:1::88/128 dev va1 nodad valid_lft 1000 preferred_lft 0',
    );
    lab.batch(4, [...ROUTES4, ...RULES, ...RULES4]);
    lab.batch(6, [...ROUTES6, ...RULES, ...RULES6]);
    lab.run(
      'ip neigh add 10.1.0.9 lladdr 02:00:00:00:00:09 dev va0',
      'ip neigh add 2001:db8:1::9 lladdr 02:00:00:00:00:0a dev va0 router nud stale',
    );
    lab.run('ip neigh add 10.2.0.9 dev va1 nud failed || true', 'ip neigh add proxy 10.2.0.10 dev va1');
    socket = lab.socket();
    names = new Map(socket.dump('link').map(({ ifindex, name }) => [ifindex, name]));
  });
  afterAll(() => lab?.remove());

  const nameOf = (ifindex: number | undefined) => (ifindex === undefined ? undefined : names.get(ifindex));

  it('links', () => {
    const keys = ['ifindex', 'ifname', 'mtu', 'address', 'operstate', 'num_tx_queues', 'num_rx_queues'];
    const printed = lab.ip('-d -N link').map(
      (link): Printed => ({
        ...only(link, keys),
        address: link.address ?? '',
        flags: [...(link.flags as string[])]
          .filter((flag) => ['UP', 'LOWER_UP', 'LOOPBACK', 'NOARP', 'POINTOPOINT'].includes(flag))
          .sort(),
        group: String(link.group),
        master: link.master,
        kind: (link.linkinfo as Printed | undefined)?.info_kind ?? '',
        lower: link.link ?? link.link_index,
      }),
    );
    expect(printed.map(({ ifname }) => ifname)).toEqual(
      expect.arrayContaining(['lo', 'va0', 'va1', 'up0', 'up1', 't0']),
    );
    expect(socket.dump('link').map(printedLink)).toEqual(printed);
  });

  function printedLink(link: Link): Printed {
    const flags = {
      UP: link.up,
      LOWER_UP: link.carrier,
      LOOPBACK: link.loopback,
      NOARP: link.noArp,
      POINTOPOINT: link.pointToPoint,
    };
    return {
      ifindex: link.ifindex,
      ifname: link.name,
      mtu: link.mtu,
      address: link.mac,
      operstate: link.operstate,
      num_tx_queues: link.txQueues,
      num_rx_queues: link.rxQueues,
      flags: Object.entries(flags)
        .filter(([, set]) => set)
        .map(([flag]) => flag)
        .sort(),
      group: String(link.group),
      master: nameOf(link.master),
      kind: link.kind,
      lower: link.linkNetns === undefined ? nameOf(link.link) : link.link,
    };
  }

  it('addresses', () => {
    const keys = [
      'family',
      'local',
      'address',
      'prefixlen',
      'broadcast',
      'scope',
      'label',
      'secondary',
      'deprecated',
      'tentative',
    ];
    const printed = lab
      .ip('addr')
      .flatMap((link) =>
        (link.addr_info as Printed[])
          .filter(({ family }) => family !== undefined)
          .map((info) => ({ ifindex: link.ifindex, ...only(info, keys) })),
      );
    const ours = socket.dump('address').map(printedAddress);
    expect(printed.length).toBeGreaterThan(10);
    expect(ours).toHaveLength(printed.length);
    expect(ours).toEqual(expect.arrayContaining(printed));
  });

  function printedAddress(address: Address): Printed {
    return defined({
      ifindex: address.ifindex,
      family: address.family === 4 ? 'inet' : 'inet6',
      local: address.address,
      address: address.peer,
      prefixlen: address.prefixLength,
      broadcast: address.broadcast,
      scope: address.scope,
      label: address.label,
      secondary: address.secondary || undefined,
      deprecated: address.deprecated || undefined,
      tentative: address.tentative || undefined,
    });
  }

  it('address lifetimes', () => {
    const mortal = socket.dump('address').filter(({ permanent }) => !permanent);
    expect(mortal.map(({ address }) => address)).toEqual(['2001:db8:1::88']);
    expect(mortal[0]?.validLifetime).toBeGreaterThan(900);
    expect(mortal[0]?.validLifetime).toBeLessThanOrEqual(1000);
    expect(mortal[0]?.preferredLifetime).toBe(0);
    expect(socket.dump('address').find(({ address }) => address === '10.1.0.1')?.validLifetime).toBe(Infinity);
  });

  it.each([4, 6] as const)('IPv%i routes of all tables', (family) => {
    const keys = [
      'type',
      'dst',
      'from',
      'gateway',
      'via',
      'dev',
      'protocol',
      'scope',
      'table',
      'metric',
      'prefsrc',
      'metrics',
      'nexthops',
      'tos',
    ];
    const printed = lab.ip(`-${family} -d -N route show table all`).map((route) => withHops(only(route, keys)));
    const ours = socket.dump('route').filter((route) => route.family === family);
    expect(printed.length).toBeGreaterThan((family === 4 ? ROUTES4 : ROUTES6).length);
    expect(ours.map(printedRoute)).toEqual(printed);
  });

  it('routes have words for numbers, and always a prefix length', () => {
    const routes = socket.dump('route');
    const found = (dst: string) => routes.filter((route) => route.dst === dst);
    expect(found('10.22.2.7/32')).toMatchObject([{ type: 'prohibit', table: 100, protocol: 'bgp', nexthops: [] }]);
    expect(found('10.22.0.0/24')).toMatchObject([{ type: 'blackhole', table: 254, protocol: 'boot' }]);
    expect(found('10.20.0.0/16')).toMatchObject([
      { priority: 50, mtu: 1400, gateway: '10.1.0.2', oif: lab.ifindex('va0'), scope: 'global' },
      { priority: 60, prefsrc: '10.1.0.1', gateway: '10.2.0.2', protocol: 'static' },
    ]);
    expect(found('10.24.0.0/16')).toMatchObject([{ nexthops: [{ onlink: true, dead: false, weight: 1 }] }]);
    expect(found('10.1.0.0/24')).toMatchObject([{ type: 'unicast', scope: 'link', protocol: 'kernel' }]);
    expect(found('10.1.0.1/32')).toMatchObject([{ type: 'local', table: 255, scope: 'host' }]);
  });

  const NUMBERS: Printed = {
    unicast: '1',
    local: '2',
    broadcast: '3',
    anycast: '4',
    multicast: '5',
    blackhole: '6',
    unreachable: '7',
    prohibit: '8',
    throw: '9',
  };
  const SCOPES: Printed = { global: '0', link: '253', host: '254', site: '200', nowhere: '255' };
  const PROTOCOLS: Printed = { kernel: '2', boot: '3', static: '4', bgp: '186', ra: '9' };

  function printedRoute(route: Route): Printed {
    const several = route.nexthops.length > 1;
    const [hop] = route.nexthops;
    const bare = (prefix: string | undefined) => prefix?.replace(route.family === 4 ? /\/32$/ : /\/128$/, '');
    return defined({
      type: NUMBERS[route.type],
      dst: bare(route.dst),
      from: bare(route.src),
      gateway: several ? undefined : hop?.gateway,
      dev: several ? undefined : nameOf(hop?.oif),
      protocol: PROTOCOLS[route.protocol],
      scope: SCOPES[route.scope],
      table: String(route.table),
      metric: route.family === 4 && route.priority === 0 ? undefined : route.priority,
      prefsrc: route.prefsrc,
      metrics: route.mtu === undefined ? undefined : [{ mtu: route.mtu }],
      tos: route.tos === 0 ? undefined : `0x${route.tos.toString(16)}`,
      nexthops: several
        ? route.nexthops.map(({ gateway, oif, weight }) => ({ gateway, dev: nameOf(oif), weight }))
        : undefined,
    });
  }

  /** A gateway of the other family is printed as `via`; flags are compared elsewhere. */
  function withHops({ via, nexthops, ...route }: Printed): Printed {
    const hops = (nexthops as Printed[] | undefined)?.map((hop) => only(hop, ['gateway', 'dev', 'weight']));
    return defined({ ...route, gateway: (via as Printed | undefined)?.host ?? route.gateway, nexthops: hops });
  }

  it.each([4, 6] as const)('IPv%i rules', (family) => {
    const printed = lab.ip(`-${family} -N rule`).map(({ protocol: _, ...rule }) => rule);
    const ours = socket.dump('rule').filter((rule) => rule.family === family);
    expect(printed.length).toBeGreaterThan(RULES.length + 2);
    expect(ours.map(printedRule)).toEqual(printed);
  });

  function printedRule(rule: Rule): Printed {
    const lookup = rule.action === 'lookup';
    return defined({
      priority: rule.priority,
      not: rule.invert ? null : undefined,
      ...prefix('src', rule.src, rule.family),
      ...prefix('dst', rule.dst, rule.family),
      tos: rule.tos === 0 ? undefined : `0x${rule.tos.toString(16)}`,
      fwmark: rule.fwmask === 0 ? undefined : `0x${rule.fwmark.toString(16)}`,
      fwmask: [0, 0xffffffff].includes(rule.fwmask) ? undefined : `0x${rule.fwmask.toString(16)}`,
      iif: rule.iif,
      iif_detached: rule.iif === 'nosuch0' ? null : undefined,
      oif: rule.oif,
      uid_start: rule.uid?.[0],
      uid_end: rule.uid?.[1],
      ipproto: rule.ipProto === undefined ? undefined : `ipproto-${rule.ipProto}`,
      ...ports('sport', rule.sport),
      ...ports('dport', rule.dport),
      table: lookup ? String(rule.table) : undefined,
      suppress_prefixlen: rule.suppressPrefixLength,
      suppress_ifgroup: rule.suppressGroup === undefined ? undefined : String(rule.suppressGroup),
      goto: rule.goto,
      nop: rule.action === 'nop' ? null : undefined,
      action: { blackhole: '6', unreachable: '7', prohibit: '8' }[rule.action as string],
    });
  }

  function prefix(key: string, text: string | undefined, family: number): Printed {
    const [address, len] = text?.split('/') ?? [];
    if (address === undefined) return key === 'src' ? { src: 'all' } : {};
    return Number(len) === (family === 4 ? 32 : 128)
      ? { [key]: address }
      : { [key]: address, [`${key}len`]: Number(len) };
  }

  function ports(key: string, range: Range | undefined): Printed {
    if (range === undefined) return {};
    return range[0] === range[1] ? { [key]: range[0] } : { [`${key}_start`]: range[0], [`${key}_end`]: range[1] };
  }

  it('neighbours, without proxies', () => {
    const printed = lab
      .ip('neigh show nud all')
      .filter(({ dev, dst }) => dev !== 'lo' && !/^ff|^224/.test(String(dst)));
    const ours = socket.dump('neighbour').filter(({ ip, ifindex }) => nameOf(ifindex) !== 'lo' && !/^ff|^224/.test(ip));
    const asPrinted = ours.map(({ ip, ifindex, mac, state, router }) =>
      defined({
        dst: ip,
        dev: nameOf(ifindex),
        lladdr: mac || undefined,
        router: router ? null : undefined,
        state: [state],
      }),
    );
    expect(asPrinted).toEqual(expect.arrayContaining(printed));
    expect(asPrinted).toHaveLength(printed.length);
    expect(ours.find(({ ip }) => ip === '10.1.0.9')).toMatchObject({ state: 'PERMANENT', valid: true, family: 4 });
    expect(ours.find(({ ip }) => ip === '2001:db8:1::9')).toMatchObject({ state: 'STALE', valid: true, router: true });
  });
});
