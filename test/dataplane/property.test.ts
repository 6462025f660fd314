/**
 * Property test with arbitrary frames. Each frame has exactly one verdict, none is lost, nothing
 * throws, and every malformed frame has its drop reason.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/control/config/config.js';
import { InProcessDirector } from '../../src/control/inprocess.js';
import { FrameStat } from '../../src/stats/counters.js';
import { DROP_NAMES, Drop } from '../../src/stats/drops.js';
import { offlineNames } from '../../src/ulvsadm/names.js';
import { ulvsadm } from '../../src/ulvsadm/ulvsadm.js';
import { DEVICES } from '../support/network.js';
import { packet } from '../support/packet.js';
import { Random } from '../support/seed.js';

const CONFIG = `${DEVICES}neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:c0:01 }
  - { ip: 192.168.1.11, dev: eth1, mac: 02:00:00:00:a0:11 }
  - { ip: "2001:db8:1::11", dev: eth1, mac: 02:00:00:00:a0:11 }
marks: [ "-d 10.0.0.104/29 -j MARK --set-mark 7" ]
accept: { arp: true, ranges: [10.0.0.104/29], sources: [192.168.1.240] }
connections: { max: 20000 }
`;
const RULES = [
  '-A -t 10.0.0.100:80 -s rr',
  '-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m',
  '-A -t 10.0.0.100:81 -s wlc -p 300',
  '-a -t 10.0.0.100:81 -r 192.168.1.11:81 -g',
  '-A -u 10.0.0.100:53 -s sh',
  '-a -u 10.0.0.100:53 -r 192.168.1.11:53 -i',
  '-A -t 10.0.0.100:82 -s rr',
  '-a -t 10.0.0.100:82 -r 192.168.1.11:82 --full-nat',
  '-A -f 7 -s lc',
  '-a -f 7 -r 192.168.1.11 -m',
  '-A -t 10.0.0.100:83 -s rr',
  '-A -t [2001:db8::100]:80 -s rr',
  '-a -t [2001:db8::100]:80 -r [2001:db8:1::11]:80 -m',
];
const MACS = ['02:00:00:00:c0:01', '02:00:00:00:0d:00'] as const;

let director: InProcessDirector;
let free: number;

beforeEach(async () => {
  director = new InProcessDirector(parseConfig(CONFIG, 'test.yaml'), () => {});
  for (const rule of RULES) {
    const { rc, err } = await ulvsadm(rule.split(' '), () => '', director, { names: offlineNames() });
    expect(err + rc).toBe('0');
  }
  free = director.director.umem.freeFrames;
});

function sum(): { seen: number; verdicts: number; reasons: number } {
  const { counters, neighbours, fragments } = director.director;
  const count = (verdict: number) => counters.values[verdict]!;
  const waiting = neighbours.all.flatMap((one) => one.waiting).filter(({ originated }) => !originated).length;
  return {
    seen: count(FrameStat.in),
    verdicts:
      count(FrameStat.forwarded) +
      count(FrameStat.delivered) +
      count(FrameStat.passed) +
      count(FrameStat.dropped) +
      waiting +
      fragments.held,
    reasons: DROP_NAMES.reduce((total, _, i) => total + counters.drops(i), 0),
  };
}

function balanced(): void {
  const { seen, verdicts, reasons } = sum();
  expect(verdicts).toBe(seen);
  expect(reasons).toBe(director.director.counters.values[FrameStat.dropped]);
}

/** Lets all waiting frames time out. Then no frame may be missing. */
function nothingLeaks(): void {
  director.advance(director.now + 70_000);
  balanced();
  expect(director.director.umem.freeFrames).toBe(free);
}

function tcpFrame(): Uint8Array {
  return packet()
    .eth(...MACS)
    .ipv4({ src: '10.0.0.1', dst: '10.0.0.100' })
    .tcp({ sport: 4000, dport: 80, flags: 'S' })
    .payload('some payload')
    .bytes();
}

/** The drop reason of one frame, or its other verdict. */
function reasonOf(frame: Uint8Array): string {
  const before = DROP_NAMES.map((_, i) => director.director.counters.drops(i));
  director.receive(0, frame);
  balanced();
  return DROP_NAMES.find((_, i) => director.director.counters.drops(i) > before[i]!) ?? 'not dropped';
}

function changed(change: (view: DataView) => void): Uint8Array {
  const frame = tcpFrame();
  change(new DataView(frame.buffer, frame.byteOffset));
  return frame;
}

/** Corrects the header checksum, so that the frame has only one error. */
function summed(change: (view: DataView) => void): Uint8Array {
  return changed((view) => {
    change(view);
    view.setUint16(24, 0);
    let total = 0;
    for (let at = 14; at < 34; at += 2) total += view.getUint16(at);
    while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
    view.setUint16(24, ~total & 0xffff);
  });
}

describe('malformed frames', () => {
  it('cut short at every length are dropped with a reason', () => {
    const frame = tcpFrame();
    for (let len = 0; len < frame.length; len++)
      expect(reasonOf(frame.slice(0, len)), `${len} bytes`).toMatch(/^(truncated|badTotalLength|badHeaderLength)$/);
    expect(reasonOf(frame)).toBe('not dropped');
    nothingLeaks();
  });

  it.each([
    ['IP version 5', 'badVersion', (view: DataView) => view.setUint8(14, 0x55)],
    ['header of 16 bytes', 'badHeaderLength', (view: DataView) => view.setUint8(14, 0x44)],
    ['header beyond the frame', 'badTotalLength', (view: DataView) => view.setUint8(14, 0x4f)],
    ['total length below the header', 'badTotalLength', (view: DataView) => view.setUint16(16, 19)],
    ['total length beyond the frame', 'badTotalLength', (view: DataView) => view.setUint16(16, 1400)],
    ['a source of 127/8', 'badSource', (view: DataView) => view.setUint8(26, 127)],
    ['a multicast source', 'badSource', (view: DataView) => view.setUint8(26, 225)],
    [
      'a fragment of no whole 8 bytes',
      'badFragment',
      (view: DataView) => view.setUint16(16, 20 + 13) ?? view.setUint16(20, 0x2000),
    ],
    ['a fragment beyond 65,535', 'badFragment', (view: DataView) => view.setUint16(20, 0x1fff)],
    ['TCP cut short', 'badTransport', (view: DataView) => view.setUint16(16, 20 + 12)],
  ] as const)('%s: %s', (_, reason, change) => {
    const got = reasonOf(summed((view) => void change(view)));
    // A longer header includes payload bytes. In both cases the lengths contradict each other.
    expect(
      reason === 'badTotalLength' ? ['badTotalLength', 'badHeaderLength', 'badHeaderChecksum'] : [reason],
    ).toContain(got);
    nothingLeaks();
  });

  it('a wrong header checksum, another MAC', () => {
    expect(reasonOf(changed((view) => view.setUint16(24, 1)))).toBe('badHeaderChecksum');
    expect(reasonOf(changed((view) => view.setUint8(5, 0x77)))).toBe('otherHost');
  });
});

function randomFrame(random: Random): Uint8Array {
  const client = `10.0.0.${1 + random.below(3)}`;
  const eth = random.below(8) === 0 ? packet().eth('02:00:00:00:a0:11', '02:00:00:00:0d:01') : packet().eth(...MACS);
  const sport = 4000 + random.below(20);
  const flags = random.pick(['S', 'A', 'FA', 'R', 'SA', 'P', 'SF']);
  const six = random.below(5) === 0;
  const ip = six
    ? eth.ipv6({ src: '2001:db8::1', dst: '2001:db8::100', hopLimit: random.below(4) === 0 ? 1 : 64 })
    : eth.ipv4({
        src: client,
        dst: random.pick([
          '10.0.0.100',
          '10.0.0.105',
          '192.168.1.11',
          '10.0.0.254',
          '8.8.8.8',
          '192.168.1.240',
          '224.0.0.5',
        ]),
        ttl: random.below(8) === 0 ? 1 : 64,
        df: random.below(2) === 0,
      });
  const payload = random.below(3) === 0 ? 1400 : random.below(60);
  const dport = random.pick([80, 81, 82, 83, 53, 9]);
  switch (random.below(4)) {
    case 0:
      return ip.udp({ sport, dport }).payload(payload).bytes();
    case 1:
      return six
        ? ip.icmp6({ type: 128 }).payload(payload).bytes()
        : ip
            .icmp({ type: random.pick([8, 3, 11, 5]) })
            .payload(payload)
            .bytes();
    default:
      return ip.tcp({ sport, dport, flags }).payload(payload).bytes();
  }
}

describe('random frames', () => {
  it('each end in exactly one way, sound or spoiled', () => {
    const random = new Random();
    for (let i = 0; i < 4000; i++) {
      const frame = randomFrame(random);
      const spoils = random.below(4) === 0 ? 1 + random.below(4) : 0;
      for (let n = 0; n < spoils; n++) frame[random.below(frame.length)] = random.below(256);
      const cut = random.below(10) === 0 ? random.below(frame.length + 1) : frame.length;
      director.receive(random.below(2), frame.slice(0, cut));
      if (i % 50 === 0) director.advance(director.now + random.below(2000));
      if (i % 97 === 0) balanced();
    }
    expect(director.director.counters.drops(Drop.ttlExceeded)).toBeGreaterThan(0);
    expect(director.director.counters.values[FrameStat.forwarded]).toBeGreaterThan(200);
    nothingLeaks();
  });

  it('of pure noise as well', () => {
    const random = new Random();
    for (let i = 0; i < 3000; i++) {
      const noise = random.bytes(random.below(200));
      if (noise.length > 14 && random.below(2) === 0)
        noise.set([2, 0, 0, 0, 0x0d, 0, 2, 0, 0, 0, 0xc0, 1, 8, 0, 0x45], 0);
      director.receive(0, noise);
    }
    nothingLeaks();
  });

  it('leave no connection behind when all time is over', () => {
    const random = new Random();
    for (let i = 0; i < 2000; i++) director.receive(random.below(2), randomFrame(random));
    expect(director.director.connections.table.live).toBeGreaterThan(0);
    for (let minutes = 0; minutes < 60; minutes += 5) director.advance(director.now + 300_000);
    expect(director.director.connections.table.live).toBe(0);
    for (const dest of director.director.dests)
      if (dest !== undefined)
        expect([dest.active, dest.inactive, dest.persistent, dest.references]).toEqual([0, 0, 0, 0]);
  });
});
