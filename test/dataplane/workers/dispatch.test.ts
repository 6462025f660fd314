/**
 * Compares three workers with a single director. Each frame arrives at any of the workers; the
 * single director gets all frames. The sent frames must be equal, whichever worker received the
 * packet. The counters and tables of all workers together must be those of the single director.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { FrameStat } from '../../../src/stats/counters.js';
import { Drop } from '../../../src/stats/drops.js';
import { packet } from '../../support/packet.js';
import { Random } from '../../support/seed.js';
import { DEVICES, silence, WorkerPool } from './pool.js';

const ROUTER = '02:00:00:00:c0:01';
const SERVER = '02:00:00:00:a0:11';
const WORKERS = 3;

const config = (rules: readonly string[], more = '') => `
${more}
devices:
  - { name: eth0, mac: ${DEVICES[0]}, addresses: [10.0.0.254/24, "2001:db8::fe/64"] }
  - { name: eth1, mac: ${DEVICES[1]}, addresses: [192.168.1.254/24, "fd00::fe/64"] }
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: ${ROUTER} }
  - { ip: "2001:db8::1", dev: eth0, mac: ${ROUTER} }
  - { ip: 192.168.1.11, dev: eth1, mac: ${SERVER} }
  - { ip: 192.168.1.12, dev: eth1, mac: 02:00:00:00:a0:12 }
  - { ip: "fd00::11", dev: eth1, mac: ${SERVER} }
routes: [ { to: 11.0.0.0/8, via: 10.0.0.1, dev: eth0 }, { to: "2001:db8::1:0/112", via: "2001:db8::1", dev: eth0 } ]
rules: |
${rules.map((rule) => `  ${rule}`).join('\n')}
`;

const PLAIN = [
  '-A -t 10.0.0.100:80 -s sh',
  '-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m',
  '-a -t 10.0.0.100:80 -r 192.168.1.12:8080 -m',
  '-A -u 10.0.0.100:53 -s sh',
  '-a -u 10.0.0.100:53 -r 192.168.1.11 -m',
  '-A -t 10.0.0.101:80 -s sh',
  '-a -t 10.0.0.101:80 -r 192.168.1.11 -g',
  '-A -u 10.0.0.101:53 -s sh',
  '-a -u 10.0.0.101:53 -r 192.168.1.12 -i',
  '-A -t [2001:db8::100]:80 -s sh',
  '-a -t [2001:db8::100]:80 -r [fd00::11]:8080 -m',
];
const PERSISTENT = [
  ...PLAIN,
  '-A -t 10.0.0.102:0 -s rr -p 600 -M 255.255.255.0',
  '-a -t 10.0.0.102:0 -r 192.168.1.11 -m',
  '-a -t 10.0.0.102:0 -r 192.168.1.12 -m',
];

afterEach(silence);

const SIX = '2001:db8::100';
const client = (random: Random) => `11.0.${random.below(3)}.${1 + random.below(20)}`;

/**
 * Frames of one packet from a client, a destination or a router between them. The packet is whole
 * or in two fragments, in either order.
 */
function anyPacket(random: Random, vips: readonly string[]): { device: number; frames: Uint8Array[] } {
  const cport = 1000 + random.below(4);
  const device = random.below(2);
  const vip = random.pick(vips);
  const six = vip === SIX;
  const cip = six ? `2001:db8::1:${random.below(20)}` : client(random);
  const udp = !six && vip !== '10.0.0.102' && random.below(3) === 0;
  const [server, sport] =
    device === 0
      ? [vip, udp ? 53 : 80]
      : [six ? 'fd00::11' : random.pick(['192.168.1.11', '192.168.1.12']), udp ? 53 : random.pick([8080, 80])];
  const ends = device === 0 ? { src: cip, dst: server } : { src: server, dst: cip };
  const ports = device === 0 ? { sport: cport, dport: sport } : { sport, dport: cport };
  const eth = packet().eth(device === 0 ? ROUTER : SERVER, DEVICES[device]!);
  if (six)
    return {
      device,
      frames: [
        eth
          .ipv6(ends)
          .tcp({ ...ports, flags: random.pick(FLAGS) })
          .bytes(),
      ],
    };
  if (random.below(6) === 0) return { device, frames: [errorAbout(device, ends, ports, udp)] };
  const ip = { ...ends, id: random.u16() };
  if (!udp)
    return {
      device,
      frames: [
        eth
          .ipv4(ip)
          .tcp({ ...ports, flags: random.pick(FLAGS) })
          .bytes(),
      ],
    };
  if (random.below(3) > 0) return { device, frames: [eth.ipv4(ip).udp(ports).payload('question').bytes()] };
  return { device, frames: pieces(device, ip, ports, random.below(2) === 0) };
}
const FLAGS = ['S', 'S', 'SA', 'A', 'A', 'PA', 'FA', 'R'];

type Ends = { src: string; dst: string };
type Ports = { sport: number; dport: number };

function pieces(device: number, ip: Ends & { id: number }, ports: Ports, turned: boolean): Uint8Array[] {
  const eth = packet().eth(device === 0 ? ROUTER : SERVER, DEVICES[device]!);
  const whole = eth.ipv4(ip).udp(ports).payload(new Uint8Array(120)).bytes();
  const data = whole.subarray(34);
  const frames = [
    eth
      .ipv4({ ...ip, protocol: 17, mf: true })
      .payload(data.subarray(0, 64))
      .bytes(),
    eth
      .ipv4({ ...ip, protocol: 17, offset: 64 })
      .payload(data.subarray(64))
      .bytes(),
  ];
  return turned ? frames.reverse() : frames;
}

/** A router answers a packet with "too long". The packet went to the source of `ends`. */
function errorAbout(device: number, { src, dst }: Ends, { sport, dport }: Ports, udp: boolean): Uint8Array {
  const eth = packet().eth(device === 0 ? ROUTER : SERVER, DEVICES[device]!);
  const quoted = eth
    .ipv4({ src: device === 0 ? '10.0.0.77' : '192.168.1.77', dst })
    .icmp({ type: 3, code: 4, mtu: 1400 })
    .ipv4({ src: dst, dst: src, id: 7 });
  const ports = { sport: dport, dport: sport };
  return (udp ? quoted.udp(ports).payload('question') : quoted.tcp({ ...ports, flags: 'A' })).bytes();
}

const VIPS = ['10.0.0.100', '10.0.0.101', SIX];

async function compare(text: string, vips: readonly string[], rounds: number): Promise<WorkerPool> {
  const random = new Random();
  const alone = await WorkerPool.of(1, text);
  const pool = await WorkerPool.of(WORKERS, text);
  let now = 0;
  for (let round = 0; round < rounds; round++) {
    now += random.pick([0, 1, 5]);
    for (const { housekeeping } of [...alone.workers, ...pool.workers]) housekeeping.tick(now);
    const { device, frames } = anyPacket(random, vips);
    for (const frame of frames) {
      const seen = pool.give(random.below(WORKERS), device, frame);
      expect(seen, `seed ${random.seed}, round ${round}`).toEqual(alone.give(0, device, frame));
    }
  }
  same(alone, pool);
  return pool;
}

function same(alone: WorkerPool, pool: WorkerPool): void {
  const figures = (one: WorkerPool) => ({
    ...Object.fromEntries(
      Object.entries({ ...FrameStat, handedOff: undefined }).map(([name, at]) => [
        name,
        one.sum(({ director: d }) => (at === undefined ? 0 : d.counters.values[at]!)),
      ]),
    ),
    live: one.sum(({ director: d }) => d.connections.table.live),
    references: one.sum(({ director: d }) => d.counters.gauges.reduce((sum, value) => sum + value, 0)),
  });
  expect(figures(pool)).toEqual(figures(alone));
  for (const { director: d } of pool.workers)
    expect(d.umem.freeFrames).toBe(alone.workers[0]!.director.umem.freeFrames);
}

describe('several workers', () => {
  it('forwards, counts and remembers what one worker would', async () => {
    const pool = await compare(config(PLAIN), VIPS, 3000);
    for (const { director: d } of pool.workers) {
      expect(d.connections.table.live).toBeGreaterThan(20);
      expect(d.counters.values[FrameStat.forwarded]).toBeGreaterThan(200);
    }
  });

  it('shares by mark, too', async () => {
    const rules = ['-A -f 7 -s sh', '-a -f 7 -r 192.168.1.11 -m', '-a -f 7 -r 192.168.1.12 -m'];
    const marks =
      'marks: [ "-i eth0 -d 10.0.0.96/28 -p tcp --dport 80 -j MARK --set-mark 7" ]\naccept: { ranges: [10.0.0.96/28] }\nhelpers: { ftp: [] }';
    await compare(config(rules, marks), ['10.0.0.97', '10.0.0.98'], 1500);
  });

  it('keeps connections where they are when persistence makes it coarser', async () => {
    const random = new Random();
    const pool = await WorkerPool.of(WORKERS, config(PLAIN));
    const opened = Array.from({ length: 60 }, (_, i) => ({ src: `11.0.${i % 3}.${i}`, sport: 2000 + i }));
    const eth = packet().eth(ROUTER, DEVICES[0]);
    const say = ({ src, sport }: { src: string; sport: number }, dst: string, flags: string) =>
      pool.give(random.below(WORKERS), 0, eth.ipv4({ src, dst }).tcp({ sport, dport: 80, flags }).bytes());
    const before = opened.map((one) => say(one, '10.0.0.100', 'S')[0]!.slice(60, 76));
    await pool.change(PERSISTENT.slice(PLAIN.length));
    expect(pool.workers[0]!.dispatch!.steering.last).toBe(1);
    expect(opened.map((one) => say(one, '10.0.0.100', 'A')[0]!.slice(60, 76))).toEqual(before);
    expect(pool.sum(({ director: d }) => d.connections.table.live)).toBe(60);
    for (const net of [0, 1, 2]) {
      const chosen = Array.from({ length: 20 }, (_, i) =>
        say({ src: `11.0.${net}.${i}`, sport: 3000 + i }, '10.0.0.102', 'S'),
      );
      expect(new Set(chosen.map(([frame]) => frame!.slice(62, 70))).size, 'one network, one destination').toBe(1);
    }
  });

  it('gives a port of the pool to the worker that its replies will find', async () => {
    const rules = ['-A -t 10.0.0.100:80 -s sh', '-a -t 10.0.0.100:80 -r 192.168.1.11:8080 --full-nat'];
    const pool = await WorkerPool.of(
      WORKERS,
      config(rules, 'accept: { sources: [192.168.1.240, 192.168.1.241], toa: false }'),
    );
    const eth = packet().eth(ROUTER, DEVICES[0]);
    for (let i = 0; i < 40; i++) {
      const syn = eth
        .ipv4({ src: `11.0.0.${i}`, dst: '10.0.0.100' })
        .tcp({ sport: 5000, dport: 80, flags: 'S' })
        .bytes();
      const [out] = pool.give(i % WORKERS, 0, syn);
      const bytes = Buffer.from(out!.split(' ')[1]!, 'hex');
      const reply = packet()
        .eth(SERVER, DEVICES[1])
        .ipv4({ src: '192.168.1.11', dst: [...bytes.subarray(26, 30)].join('.') })
        .tcp({ sport: 8080, dport: bytes.readUInt16BE(34), flags: 'SA' })
        .bytes();
      const [back] = pool.give((i + 1) % WORKERS, 1, reply);
      expect([...Buffer.from(back!.split(' ')[1]!, 'hex').subarray(30, 34)]).toEqual([11, 0, 0, i]);
    }
  });

  it('drops what the owner has no room for, and says so', async () => {
    const pool = await WorkerPool.of(2, config(PLAIN));
    const eth = packet().eth(ROUTER, DEVICES[0]);
    const ask = (i: number) =>
      eth
        .ipv4({ src: '11.0.0.1', dst: '10.0.0.101' })
        .tcp({ sport: 1000 + i, dport: 80, flags: 'S' })
        .bytes();
    for (let i = 0; i < 3000; i++) {
      pool.workers[0]!.give(0, ask(i));
      pool.workers[0]!.sent();
    }
    const [first, second] = pool.workers.map(({ director: d }) => d);
    const lost = first!.counters.drops(Drop.workerBusy);
    expect(lost).toBeGreaterThan(500);
    while (pool.workers[1]!.receive() > 0) pool.workers[1]!.sent();
    expect(first!.counters.values[FrameStat.in]! + second!.counters.values[FrameStat.in]!).toBe(3000);
    expect(first!.connections.table.live + second!.connections.table.live).toBe(3000 - lost);
  });
});
