import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NetlinkError } from '../../src/netlink/error.js';
import { type Lookup, type LookupQuery, lookupRoute } from '../../src/netlink/lookup.js';
import type { Route, RouteQuery } from '../../src/netlink/route.js';
import type { RouteSocket } from '../../src/netlink/route-socket.js';
import { readSnapshot } from '../../src/netlink/snapshot.js';
import { Random } from '../support/seed.js';
import { Lab, type Printed, skipReason } from './lab.js';

type Family = 4 | 6;
const POLICIES = 12;
const QUERIES = 150;
/** Only default routes lead there. */
const ELSEWHERE = { 4: '172.20.0.9', 6: '2001:470::9' };

describe.skipIf(skipReason('netlink lookups'))('the kernel asked and the kernel imitated', () => {
  let lab: Lab;
  let socket: RouteSocket;
  let va0: number;

  beforeAll(() => {
    lab = new Lab('look');
    socket = lab.socket();
    va0 = lab.ifindex('va0');
  });
  afterAll(() => lab?.remove());
  afterEach(() => {
    flush(4);
    flush(6);
  });

  /** What `ip route get` prints, in our words. */
  function ipRouteGet(query: RouteQuery): Printed {
    const words = [query.dst, ...(query.src ? ['from', query.src] : []), ...(query.mark ? ['mark', query.mark] : [])];
    if (query.iif !== undefined) words.push('iif', 'va0');
    const [route] = lab.ip(`${query.dst.includes(':') ? '-6' : '-4'} -N -d route get ${words.join(' ')}`);
    return route ?? {};
  }

  describe('getRoute answers as `ip route get`', () => {
    const queries: Omit<RouteQuery, 'iif'>[] = [
      { dst: '10.50.0.1' },
      { dst: '10.50.0.1', mark: 5 },
      { dst: '10.50.0.1', src: '10.2.0.1' },
      { dst: '10.51.0.1' },
      { dst: '10.1.0.2' },
      { dst: '10.1.0.1' },
      { dst: '2001:db8:50::1' },
      { dst: '2001:db8:50::1', mark: 5 },
      { dst: '2001:db8:50::1', src: '2001:db8:2::1' },
      { dst: '2001:db8:1::2' },
    ];
    const forwarded: Omit<RouteQuery, 'iif'>[] = [
      { dst: '10.50.0.1', src: '10.99.0.1' },
      { dst: '10.50.0.1', src: '10.77.0.1' },
      { dst: '10.50.0.1', src: '10.99.0.1', mark: 5 },
      { dst: '2001:db8:50::1', src: '2001:db8:99::1' },
      { dst: '2001:db8:50::1', src: '2001:db8:77::1' },
    ];

    function setUp(): void {
      const setUps = [
        [4, '10.50.0.0/16', '10.1.0.2', '10.2.0.2', '10.2.0.0/16', '10.77.0.0/16', '10.51.0.0/16'],
        [
          6,
          '2001:db8:50::/48',
          '2001:db8:1::2',
          '2001:db8:2::2',
          '2001:db8:2::/48',
          '2001:db8:77::/48',
          '2001:db8:51::/48',
        ],
      ] as const;
      for (const [family, net, via0, via1, from, forwardedFrom, mtuNet] of setUps)
        lab.batch(family, [
          `route add ${net} via ${via0} proto static`,
          `route add ${mtuNet} via ${via0} mtu 1300 proto static`,
          `route add ${net} via ${via1} table 10`,
          `route add ${net} via ${via1} table 11 mtu 1280`,
          `rule add pref 100 fwmark 5 lookup 10`,
          `rule add pref 101 from ${from} lookup 11`,
          `rule add pref 102 from ${forwardedFrom} iif va0 lookup 10`,
        ]);
    }

    function same(route: Route, printed: Printed): void {
      const names = new Map(socket.dump('link').map(({ ifindex, name }) => [ifindex, name]));
      expect(printed.dst).toBe(route.dst.replace(/\/(32|128)$/, ''));
      expect(printed.gateway).toBe(route.gateway);
      expect(printed.dev).toBe(names.get(route.oif as number));
      expect(printed.prefsrc).toBe(route.prefsrc);
      expect(Number(printed.table ?? 254)).toBe(route.table);
      expect((printed.metrics as Printed[] | undefined)?.[0]?.mtu).toBe(route.mtu);
    }

    it.each(queries)('$dst src $src mark $mark', (query) => {
      setUp();
      same(socket.getRoute(query), ipRouteGet(query));
    });

    it.each(forwarded)('$dst src $src mark $mark, forwarded', (query) => {
      setUp();
      const asked = { ...query, iif: va0 };
      same(socket.getRoute(asked), ipRouteGet(asked));
    });

    it('says what source, mark and device make of it', () => {
      setUp();
      const via = (query: RouteQuery) => socket.getRoute(query).gateway;
      expect(via({ dst: '10.50.0.1' })).toBe('10.1.0.2');
      expect(via({ dst: '10.50.0.1', mark: 5 })).toBe('10.2.0.2');
      expect(via({ dst: '10.50.0.1', src: '10.2.0.1' })).toBe('10.2.0.2');
      expect(via({ dst: '10.50.0.1', src: '10.77.0.1', iif: va0 })).toBe('10.2.0.2');
      expect(via({ dst: '10.50.0.1', src: '10.99.0.1', iif: va0 })).toBe('10.1.0.2');
      expect(socket.getRoute({ dst: '10.50.0.1', src: '10.2.0.1' }).mtu).toBe(1280);
    });
  });

  it('getRoute throws what the kernel says, in its words', () => {
    lab.batch(4, ['route add prohibit 10.52.0.0/16 proto static']);
    expect(() => socket.getRoute({ dst: '10.52.0.1' })).toThrow(NetlinkError);
    expect(() => socket.getRoute({ dst: '10.52.0.1' })).toThrow('RTM_GETROUTE 10.52.0.1: EACCES');
    expect(() => socket.getRoute({ dst: '172.20.0.1' })).toThrow('RTM_GETROUTE 172.20.0.1: ENETUNREACH');
    expect(() => socket.getRoute({ dst: '10.1.0.2', iif: 99999 })).toThrow(/ENODEV/);
    expect(() => socket.getRoute({ dst: '10.1.0' })).toThrow('"10.1.0" is not an IPv4 or IPv6 address');
    expect(() => socket.getRoute({ dst: '10.1.0.2', src: '::1' })).toThrow('must both be IPv4');
    expect(socket.getRoute({ dst: '10.1.0.2' }).oif).toBe(va0);
  });

  it('a longer prefix in main beats a local one, until a rule is added', () => {
    const space = new Lab('look2');
    try {
      space.run('ip addr add 10.60.0.1/16 dev lo', 'ip route add 10.60.7.0/24 via 10.1.0.2');
      const own = space.socket();
      const both = () => [
        own.getRoute({ dst: '10.60.7.1' }).type,
        lookupRoute(readSnapshot(own), { dst: '10.60.7.1' }).type,
      ];
      expect(both()).toEqual(['unicast', 'unicast']);
      space.run('ip rule add fwmark 1 lookup 10');
      expect(both()).toEqual(['local', 'local']);
    } finally {
      space.remove();
    }
  });

  it('passes over the hop whose device is down', () => {
    lab.run('ip route add 10.61.0.0/16 proto static nexthop via 10.1.0.2 nexthop via 10.2.0.2 weight 5');
    const hops = () =>
      lookupRoute(readSnapshot(socket), { dst: '10.61.0.1' }).nexthops.map(({ gateway, weight }) => [gateway, weight]);
    expect(hops()).toEqual([
      ['10.1.0.2', 1],
      ['10.2.0.2', 5],
    ]);
    lab.run('ip link set va1 down');
    try {
      expect(hops()).toEqual([['10.1.0.2', 1]]);
      expect(socket.getRoute({ dst: '10.61.0.1' }).gateway).toBe('10.1.0.2');
    } finally {
      lab.run('ip link set va1 up', 'ip addr add 2001:db8:2::1/64 dev va1 nodad');
    }
  });

  /** Addresses from a small space, so that rules and routes overlap and queries hit them. */
  function address(random: Random, family: Family): string {
    const [x, y, z] = [random.pick([70, 71, 72]), random.below(4), random.between(1, 6)];
    return family === 4 ? `10.${x}.${y * 64}.${z}` : `2001:db8:${x}:${(y * 0x4000).toString(16)}::${z}`;
  }

  function network(random: Random, family: Family): string {
    const [x, y] = [random.pick([70, 71, 72]), random.below(4)];
    const four = [`10.${x}.0.0/16`, `10.${x}.${y * 64}.0/18`, `10.64.0.0/10`, `${address(random, 4)}/32`];
    const six = [
      `2001:db8:${x}::/48`,
      `2001:db8:${x}:${(y * 0x4000).toString(16)}::/50`,
      '2001:db8::/32',
      `${address(random, 6)}/128`,
    ];
    return random.pick(family === 4 ? four : six);
  }

  function gateway(random: Random, family: Family): string {
    const n = random.between(1, 2);
    return family === 4 ? `via 10.${n}.0.2` : `via 2001:db8:${n}::2`;
  }

  function routeLine(random: Random, family: Family): string {
    const table = random.pick(['table 10', 'table 11', 'table 12', 'table main']);
    const tail = `${table} metric ${random.between(1, 3)} proto static`;
    const to = random.below(25) === 0 ? 'default' : network(random, family);
    const refused = random.pick(['blackhole', 'unreachable', 'prohibit', 'throw']);
    const hops = `nexthop ${gateway(random, family)} weight 2 nexthop ${gateway(random, family)}`;
    const hop = random.below(5) === 0 ? hops : gateway(random, family);
    return random.below(4) === 0 ? `route add ${refused} ${to} ${tail}` : `route add ${to} ${tail} ${hop}`;
  }

  function ruleLine(random: Random, family: Family): string {
    const words = [`rule add pref ${random.between(1, 30) * 10}`];
    const maybe = (n: number, make: () => string) => random.below(n) === 0 && words.push(make());
    if (random.below(6) === 0) words.splice(0, 1, `${words[0]?.replace('add', 'add not')}`);
    maybe(2, () => `from ${network(random, family)}`);
    maybe(3, () => `to ${network(random, family)}`);
    maybe(3, () => `fwmark ${random.below(4)}/${random.pick(['0x1', '0x3', '0xffffffff'])}`);
    maybe(4, () => `iif ${random.pick(['va0', 'va1', 'lo', 'gone0'])}`);
    maybe(9, () => `oif va1`);
    maybe(9, () => `dport 80`);
    const table = `lookup ${random.pick([10, 11, 12, 13])}`;
    const rare = random.pick([
      'blackhole',
      'unreachable',
      'prohibit',
      'nop',
      `goto ${random.between(1, 30) * 10}`,
      'goto 32766',
    ]);
    const suppressed = `${table} suppress_prefixlength ${random.pick([0, 16, 18, 48])}`;
    words.push(random.pick([table, table, table, suppressed, rare]));
    return words.join(' ');
  }

  function query(random: Random, family: Family, forwarded: boolean): LookupQuery {
    const own = family === 4 ? ['10.1.0.1', '10.2.0.1'] : ['2001:db8:1::1', '2001:db8:2::1'];
    const src = forwarded ? address(random, family) : random.pick([undefined, ...own]);
    return {
      dst: random.below(10) === 0 ? ELSEWHERE[family] : address(random, family),
      mark: random.below(4),
      ...(src !== undefined && { src }),
      ...(forwarded && { iif: va0 }),
    };
  }

  /** The kernel's answer, or the name of its error. */
  function asked(query: LookupQuery): Route | string {
    try {
      return socket.getRoute(query);
    } catch (error) {
      if (error instanceof NetlinkError) return error.code;
      throw error;
    }
  }

  function agree(kernel: Route | string, ours: Lookup): boolean {
    if (typeof kernel === 'string') return ours.errno === kernel;
    const one = (hop: { gateway?: string; oif?: number }) => hop.gateway === kernel.gateway && hop.oif === kernel.oif;
    return ours.errno === undefined && ours.route?.table === kernel.table && ours.nexthops.some(one);
  }

  it.each([4, 6] as const)('agrees with the kernel over random IPv%i policies', (family) => {
    const random = new Random();
    const outcomes = new Map<string, number>();
    for (let round = 0; round < POLICIES; round++) {
      const lines = [
        ...Array.from({ length: 30 }, () => routeLine(random, family)),
        ...Array.from({ length: round === 0 ? 0 : 10 }, () => ruleLine(random, family)),
      ];
      lab.batch(family, lines);
      const snapshot = readSnapshot(socket);
      for (let i = 0; i < QUERIES; i++) {
        const asking = query(random, family, random.bool());
        const kernel = asked(asking);
        const ours = lookupRoute(snapshot, asking);
        const text = `seed ${random.seed} round ${round} ${JSON.stringify({ asking, kernel, ours })}\n${lines.join('\n')}`;
        expect(agree(kernel, ours), text).toBe(true);
        const outcome = ours.errno ?? `${ours.type} ${ours.route?.table}`;
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      flush(family);
    }
    // The random policies must reach all tables and all refusals, or they show nothing.
    for (const outcome of [
      'EINVAL',
      'EACCES',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'unicast 10',
      'unicast 11',
      'unicast 12',
      'unicast 254',
    ])
      expect(outcomes.get(outcome), outcome).toBeGreaterThan(0);
  });

  function flush(family: Family): void {
    lab.batch(family, ['rule flush', 'rule add pref 32766 lookup main', 'rule add pref 32767 lookup default']);
    lab.batch(family, [
      'route flush table 10',
      'route flush table 11',
      'route flush table 12',
      'route flush table main proto static',
    ]);
  }
});
