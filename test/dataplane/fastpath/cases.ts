/**
 * The cases of the differential test. Each has a configuration, additional traffic, and a check
 * that the test really had what its name says.
 */
import { expect } from 'vitest';
import { CONN_OUTGOING, ENTRY_SHIFT, FLAGS } from '../../../src/conntrack/entry.js';
import { Tcp } from '../../../src/conntrack/tcp.js';
import type { Director } from '../../../src/dataplane/director.js';
import { FrameStat, Stat } from '../../../src/stats/counters.js';
import { Drop } from '../../../src/stats/drops.js';
import { parse4 } from '../../../src/wire/address.js';
import type { Random } from '../../support/seed.js';
import { FIRST_DATA_PORT, FtpSession } from './ftp-session.js';
import type { Network } from './network.js';
import type { Left } from './side.js';
import { answer, anyFrame, arriving, between, endsOf, odd6 } from './traffic.js';

/**
 * Makes a frame that the link `device` receives. `left`: the frames that were sent by that link
 * lately.
 */
export type Source = (random: Random, device: number, left: readonly Uint8Array[]) => Uint8Array | undefined;

/** What the check of a case gets at the end. */
export interface Outcome {
  readonly d: Director;
  /** The frames that took each path, and all sent frames. */
  readonly fast: readonly Uint8Array[];
  readonly slow: readonly Uint8Array[];
  readonly left: readonly Left[];
  /** The numbers of the TCP states in which a connection was seen. */
  readonly states: ReadonlySet<number>;
  /** The flags with which a connection was seen. */
  readonly flags: number;
}

export interface Case extends Network {
  readonly name: string;
  /** Sources of frames in addition to the usual ones. One source is picked for each frame. */
  readonly sources?: (random: Random) => readonly Source[];
  readonly check: (outcome: Outcome) => void;
}

const DIRECTOR = Buffer.of(10, 0, 0, 254);
const VIP6 = '2001:db8::100';
const DR_VIP6 = '2001:db8::101';
/** A reply to a packet of a connection, not to a packet that the director made itself. */
const answers: Source = (random, device, left) => {
  const said = left.filter((frame) => !DIRECTOR.equals(frame.subarray(26, 30)));
  return said.length === 0 ? undefined : answer(random, device, random.pick(said));
};

/** Well-formed packets of clients, and replies to them. */
const ordinary: Source = (random, device, left) => {
  if (device === 1) return answers(random, device, left);
  const client = random.pick(['10.0.0.1', '10.0.0.2', '11.0.0.1', '11.0.0.2']);
  const udp = random.below(8) === 0;
  const vip = udp ? '10.0.0.100' : random.pick(['10.0.0.100', '10.0.0.101', '10.0.0.103']);
  return between(random, 0, client, vip, { sport: 1000 + random.below(6), dport: udp ? 53 : 80 }, udp);
};

/**
 * The usual sources: arbitrary frames, well-formed packets of clients, and replies to sent frames.
 */
export const USUAL: readonly Source[] = [anyFrame, ordinary, ordinary, answers];

const drops = ({ d }: Outcome, reason: number) => expect(d.counters.drops(reason)).toBeGreaterThan(20);
const count = (frames: readonly Uint8Array[], is: (ends: NonNullable<ReturnType<typeof endsOf>>) => boolean) =>
  frames.filter((frame) => is(endsOf(frame) ?? NOTHING)).length;
const NOTHING = { src: '', dst: '', sport: 0, dport: 0, udp: false };
const leftBy = ({ left }: Outcome, link: number) =>
  left.flatMap(({ device, bytes }) => (device === link ? [bytes] : []));

export function flagsAndStates({ connections }: Director): { flags: number; states: number[] } {
  const { words, table } = connections;
  let flags = 0;
  const states: number[] = [];
  for (let entry = 1; entry <= table.highWater; entry++) {
    flags |= words[(entry << ENTRY_SHIFT) + FLAGS]!;
    states.push(connections.stateOf(entry));
  }
  return { flags, states };
}

/** A client of the service `vip`:80, one of a few. */
const clientOf =
  (vip: string): Source =>
  (random, device) =>
    device === 0 ? between(random, 0, '11.0.0.7', vip, { sport: 3000 + random.below(4), dport: 80 }) : undefined;

const marked: Source = (random, device) =>
  device === 0 ? between(random, 0, '10.0.0.1', '10.9.0.1', { sport: 4000 + random.below(4), dport: 5000 }) : undefined;

/** A realserver opens a connection. */
const opens: Source = (random, device) =>
  device === 1
    ? between(random, 1, '192.168.1.12', '11.0.0.9', { sport: 7000 + random.below(4), dport: 443 })
    : undefined;

/** A realserver sends from the VIP, to a client or, like a client, to a service. */
const fromVip: Source = (random, device) => {
  const [dst, dport] = random.below(4) === 0 ? ['10.0.0.103', 80] : ['11.0.0.1', 1000 + random.below(6)];
  return between(random, device, '10.0.0.101', dst, { sport: 80, dport });
};

/** "Fragmentation needed" about a packet that left in a tunnel, from a router on its way. */
const tooBig: Source = (random, device, left) => {
  const tunnelled = left.filter((frame) => frame[23] === 4);
  if (device !== 1 || tunnelled.length === 0) return undefined;
  const quoted = random.pick(tunnelled).subarray(14, 14 + 48);
  const error = arriving(1).ipv4({ src: '192.168.1.12', dst: '192.168.1.254' });
  return error
    .icmp({ type: 3, code: 4, mtu: 560 + random.below(20) })
    .payload(quoted)
    .bytes();
};

const CLIENT6 = '2001:db8::1';
const SERVER6 = '2001:db8:1::11';

/** A client of the IPv6 services, or a reply of their masq destination. Some frames are unusual. */
const six: Source = (random, device) => {
  const client = { sport: 1000 + random.below(6), dport: 80 };
  const udp = random.below(6) === 0;
  const vip = random.pick([VIP6, VIP6, ...(udp ? [] : [DR_VIP6, ...TUNNEL_VIPS6])]);
  if (device === 0) return odd6(random, device, CLIENT6, vip, udp ? { ...client, dport: 53 } : client, udp);
  return odd6(random, device, SERVER6, CLIENT6, { sport: udp ? 53 : 8080, dport: client.sport }, udp);
};

/**
 * Services by tunnels: ipip, gre, gue, gre with a checksum; the last one of IPv6 has an IPv4 tunnel.
 * Outer IPv6 needs an MTU of 1280 inside, so that its destination is behind eth0.
 */
const TUNNEL_VIPS6 = [1, 2, 3, 4, 5].map((n) => `2001:db8::20${n}`);
const TUNNEL_VIPS = [1, 2, 3, 4].map((n) => `10.0.0.20${n}`);
const TUNNELS = ['', '--tun-type gre', '--tun-type gue --tun-port 6080', '--tun-type gre --tun-csum'];
const tunnelRules = [
  ...TUNNELS.flatMap((type, i) => [
    `-A -t ${TUNNEL_VIPS[i]}:80 -s rr`,
    `-a -t ${TUNNEL_VIPS[i]}:80 -r 192.168.1.11 -i ${type}`,
    `-A -t [${TUNNEL_VIPS6[i]}]:80 -s rr`,
    `-a -t [${TUNNEL_VIPS6[i]}]:80 -r [2001:db8::2]:80 -i ${type}`,
  ]),
  `-A -t [${TUNNEL_VIPS6[4]}]:80 -s rr`,
  `-a -t [${TUNNEL_VIPS6[4]}]:80 -r 192.168.1.12 -i`,
].join('\n');
const rules6 = `-A -t [${VIP6}]:80 -s rr\n-a -t [${VIP6}]:80 -r [${SERVER6}]:8080 -m
-A -u [${VIP6}]:53 -s rr\n-a -u [${VIP6}]:53 -r [${SERVER6}]:53 -m
-A -t [${DR_VIP6}]:80 -s rr\n-a -t [${DR_VIP6}]:80 -r [${SERVER6}]:80 -g`;

export const CASES: readonly Case[] = [
  {
    name: 'nothing special',
    check: ({ fast }) => {
      expect(fast.length).toBeGreaterThan(800);
      expect(count(fast, ({ src, udp }) => src === '192.168.1.11' && udp)).toBeGreaterThan(50);
    },
  },
  {
    name: 'marks',
    config: 'marks: [ "-p tcp --dport 5000 -j MARK --set-mark 7" ]',
    sources: () => [marked],
    check: (o) => {
      expect(count(o.slow, ({ dst, dport }) => dst === '10.9.0.1' && dport === 5000)).toBeGreaterThan(20);
      expect(count(leftBy(o, 1), ({ dst }) => dst === '10.9.0.1')).toBeGreaterThan(20);
      // Marks do not choose routes here.
      expect(count(o.fast, ({ src, sport }) => src === '192.168.1.11' && sport === 8080)).toBeGreaterThan(50);
    },
  },
  {
    name: 'sloppy_tcp',
    config: 'sysctl: { sloppy_tcp: 1 }',
    check: ({ fast }) => expect(fast.length).toBeGreaterThan(800),
  },
  {
    name: 'drop_packet',
    config: 'sysctl: { drop_packet: 3, am_droprate: 3 }',
    check: (o) => drops(o, Drop.defence),
  },
  {
    name: 'a full table',
    config: 'connections: { max: 40 }\nsysctl: { early_drop: 0 }',
    check: (o) => drops(o, Drop.tableFull),
  },
  {
    name: 'a full table, early_drop',
    config: 'connections: { max: 40 }',
    check: ({ d }) => expect(d.counters.values[FrameStat.earlyDropped]).toBeGreaterThan(100),
  },
  {
    name: 'expire_nodest_conn, short timeouts',
    config: 'sysctl: { expire_nodest_conn: 1 }\ntimeouts: { tcp: 5, tcpfin: 2, udp: 3 }',
    // Far more connections were opened than still exist.
    check: ({ d }) =>
      expect(d.counters.values[d.counters.totalRow + Stat.conns]).toBeGreaterThan(5 * d.connections.table.live),
  },
  {
    name: 'full NAT',
    config: 'accept: { sources: [192.168.1.240] }',
    rules: '-A -t 10.0.0.102:80 -s rr\n-a -t 10.0.0.102:80 -r 192.168.1.11:8080 --full-nat',
    sources: () => [clientOf('10.0.0.102')],
    check: (o) => {
      expect(count(leftBy(o, 1), ({ src }) => src === '192.168.1.240')).toBeGreaterThan(200);
      expect(count(leftBy(o, 0), ({ src }) => src === '10.0.0.102')).toBeGreaterThan(100);
      expect(count(o.fast, ({ dst }) => dst === '10.0.0.102')).toBeGreaterThan(100);
      expect(count(o.fast, ({ dst }) => dst === '192.168.1.240')).toBeGreaterThan(50);
    },
  },
  {
    name: 'snat',
    config: 'snat: [ { from: 192.168.1.0/24, to: 10.0.0.200 } ]',
    sources: () => [opens],
    check: (o) => {
      expect(o.flags & CONN_OUTGOING).toBe(CONN_OUTGOING);
      expect(count(leftBy(o, 0), ({ src, dst }) => src === '10.0.0.200' && dst === '11.0.0.9')).toBeGreaterThan(50);
      expect(count(leftBy(o, 1), ({ src, dport }) => src === '11.0.0.9' && dport >= 7000)).toBeGreaterThan(50);
      expect(count(o.fast, ({ dst }) => dst === '11.0.0.9')).toBeGreaterThan(20);
      expect(count(o.fast, ({ src }) => src === '11.0.0.9')).toBeGreaterThan(20);
    },
  },
  {
    name: 'forwardShared',
    config: 'accept: { forwardShared: [eth1] }',
    addresses: ', 10.0.0.101/32',
    sources: () => [fromVip],
    check: (o) => {
      expect(count(leftBy(o, 0), ({ src, dst }) => src === '10.0.0.101' && dst === '11.0.0.1')).toBeGreaterThan(100);
      expect(count(o.fast, ({ src }) => src === '10.0.0.101')).toBe(0);
      drops(o, Drop.badSource);
    },
  },
  {
    name: 'secure_tcp',
    config: 'sysctl: { secure_tcp: 3 }',
    check: ({ states, fast }) => {
      expect([...states]).toContain(Tcp.SYNACK);
      expect(fast.length).toBeGreaterThan(800);
    },
  },
  {
    name: 'path MTU',
    rules: '-A -t 10.0.0.102:80 -s rr\n-a -t 10.0.0.102:80 -r 192.168.1.12 -g',
    sources: () => [clientOf('10.0.0.102'), clientOf('10.0.0.101'), tooBig],
    check: (o) => {
      const narrow = parse4('192.168.1.12')!;
      const slowed = (frames: readonly Uint8Array[], rip: string) => count(frames, ({ src }) => src === rip);
      expect(o.d.pathMtus.isKnown(narrow, o.d.now)).toBe(true);
      // The VIP of the masq service tells clients an MTU below the link's.
      const told = leftBy(o, 0).filter((frame) => frame[23] === 1 && frame[34] === 3 && frame[35] === 4);
      const mtus = told.filter((frame) => frame[29] === 100).map((frame) => (frame[40]! << 8) | frame[41]!);
      expect(mtus.some((mtu) => mtu >= 560 && mtu < 600)).toBe(true);
      expect(slowed(o.fast, '192.168.1.12')).toBeGreaterThan(0);
      expect(count(o.fast, ({ dst }) => dst === '10.0.0.102')).toBeGreaterThan(100);
    },
  },
  {
    name: 'IPv6 beside IPv4',
    rules: `${rules6}\n${tunnelRules}`,
    sources: () => [six, six],
    check: (o) => {
      expect(count(leftBy(o, 1), ({ dst }) => dst === SERVER6)).toBeGreaterThan(100);
      expect(count(leftBy(o, 0), ({ src }) => src === VIP6)).toBeGreaterThan(100);
      expect(count(leftBy(o, 1), ({ dst }) => dst === DR_VIP6)).toBeGreaterThan(20);
      expect(count(o.fast, ({ src, udp }) => src === CLIENT6 && !udp)).toBeGreaterThan(100);
      expect(count(o.fast, ({ src, udp }) => src === CLIENT6 && udp)).toBeGreaterThan(50);
      expect(count(o.fast, ({ src, udp }) => src === SERVER6 && !udp)).toBeGreaterThan(50);
      expect(count(o.fast, ({ src, udp }) => src === SERVER6 && udp)).toBeGreaterThan(10);
      for (const vip of TUNNEL_VIPS6.slice(0, 3)) expect(count(o.fast, ({ dst }) => dst === vip)).toBeGreaterThan(20);
      for (const vip of TUNNEL_VIPS6.slice(3)) expect(count(o.slow, ({ dst }) => dst === vip)).toBeGreaterThan(20);
    },
  },
  {
    name: 'tunnels',
    rules: tunnelRules,
    sources: () => TUNNEL_VIPS.map(clientOf),
    check: (o) => {
      for (const vip of TUNNEL_VIPS.slice(0, 3)) expect(count(o.fast, ({ dst }) => dst === vip)).toBeGreaterThan(100);
      expect(count(o.fast, ({ dst }) => dst === TUNNEL_VIPS[3])).toBe(0);
    },
  },
  {
    name: 'tunnels without pmtu_disc',
    config: 'sysctl: { pmtu_disc: 0 }',
    rules: tunnelRules,
    sources: () => [...TUNNEL_VIPS.map(clientOf), six],
    check: (o) => expect(count(o.fast, ({ dst }) => dst === TUNNEL_VIPS[0])).toBeGreaterThan(50),
  },
  {
    name: 'FTP: data connections after PASV and PORT',
    sources: (random) => {
      const sessions = Array.from({ length: 16 }, (_, i) => new FtpSession(random, 2000 + i, 16));
      const ftp: Source = (_, device) => random.pick(sessions).next(device);
      return [ftp, ftp, ftp];
    },
    check: (o) => {
      const text = (frame: Uint8Array) => Buffer.from(frame.subarray(54)).toString('latin1');
      const told = leftBy(o, 0).filter((frame) => text(frame).startsWith('227 Entering Passive Mode (10,0,0,100,'));
      expect(told.length).toBeGreaterThan(10);
      expect(count(leftBy(o, 0), ({ sport, dport }) => sport === 20 && dport >= FIRST_DATA_PORT)).toBeGreaterThan(50);
      const passive = (frames: readonly Uint8Array[]) => count(frames, ({ dport }) => dport >= FIRST_DATA_PORT);
      expect(passive(o.slow)).toBeGreaterThan(10);
      expect(passive(o.fast)).toBeGreaterThan(50);
      expect(count(o.fast, ({ sport }) => sport === 20)).toBeGreaterThan(50);
    },
  },
];

/** Every case forwards. */
export function checkAll(o: Outcome): void {
  expect(o.d.counters.values[FrameStat.forwarded]).toBeGreaterThan(1000);
  expect(o.fast.length, 'frames that took the fast path').toBeGreaterThan(300);
}

/** Number of the last sent frames that may get a reply. */
const LATELY = 64;

export function framesFor(random: Random, device: number, sources: readonly Source[], left: readonly Left[]) {
  const lately = left.flatMap((one) => (one.device === device ? [one.bytes] : [])).slice(-LATELY);
  return Array.from({ length: 1 + random.below(64) }, () => {
    const source = random.pick(sources);
    return source(random, device, lately) ?? anyFrame(random, device);
  });
}
