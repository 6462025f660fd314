/** Tests defrag on the packet path: order, limits, timeouts, overlaps, counters and memory. */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { FrameStat } from '../../../src/stats/counters.js';
import { Drop } from '../../../src/stats/drops.js';
import { offlineNames } from '../../../src/ulvsadm/names.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import * as ipv4 from '../../../src/wire/ipv4.js';
import { NETWORK } from '../../support/network.js';
import { checkFrame, checkPacket, packet } from '../../support/packet.js';
import { Random } from '../../support/seed.js';

const RULES = [
  '-A -u 10.0.0.100:53 -s rr',
  '-a -u 10.0.0.100:53 -r 192.168.1.11:5353 -m',
  '-A -u [2001:db8::100]:53 -s rr',
  '-a -u [2001:db8::100]:53 -r [2001:db8:1::11]:5353 -m',
];
const eth = packet().eth('02:00:00:00:c0:01', '02:00:00:00:0d:00');
const ADDRESSES = { src: '10.0.0.1', dst: '10.0.0.100' };

let sent: Uint8Array[];
let one: InProcessDirector;
let free: number;

beforeEach(async () => {
  sent = [];
  one = new InProcessDirector(parseConfig(NETWORK, 'test.yaml'), (_, bytes) => sent.push(bytes));
  free = one.director.umem.freeFrames;
  for (const rule of RULES)
    expect((await ulvsadm(rule.split(' '), () => '', one, { names: offlineNames() })).err).toBe('');
});

/** UDP header and payload of a datagram to the service. */
function body(size: number): Uint8Array {
  return packet()
    .ipv4(ADDRESSES)
    .udp({ sport: 5000, dport: 53 })
    .payload(size - 8)
    .bytes()
    .slice(20);
}
function fragment(data: Uint8Array, id: number, from: number, to: number): Uint8Array {
  const mf = to < data.length;
  return eth
    .ipv4({ ...ADDRESSES, id, offset: from, mf, protocol: 17 })
    .payload(data.slice(from, to))
    .bytes();
}
function fragment6(data: Uint8Array, id: number, from: number, to: number): Uint8Array {
  return eth
    .ipv6({ src: '2001:db8::1', dst: '2001:db8::100' })
    .fragment({ id, offset: from, more: to < data.length, protocol: 17 })
    .payload(data.slice(from, to))
    .bytes();
}

function everyFrameHasOneFate(): void {
  const { values } = one.director.counters;
  const ended =
    values[FrameStat.forwarded]! +
    values[FrameStat.delivered]! +
    values[FrameStat.passed]! +
    values[FrameStat.dropped]!;
  const { held } = one.director.fragments;
  expect(ended + held).toBe(values[FrameStat.in]);
  expect(one.director.umem.freeFrames).toBe(free - held);
}

/** A fragment: offset, more fragments, bytes of data. */
function fragmentOf(frame: Uint8Array): [number, boolean, number] {
  const view = new DataView(frame.buffer, frame.byteOffset + 14);
  return [ipv4.fragmentOffset(view, 0), ipv4.moreFragments(view, 0), ipv4.totalLen(view, 0) - 20];
}

/** Reassembles sent frames to one IP packet without Ethernet. */
function together(frames: Uint8Array[]): Uint8Array {
  const first = frames[0]!.slice(14);
  const out = [...first.slice(0, 20), ...frames.flatMap((frame) => [...frame.slice(34)])];
  const bytes = Uint8Array.from(out);
  const view = new DataView(bytes.buffer);
  ipv4.setTotalLen(view, 0, bytes.length);
  ipv4.setFragment(view, 0, 0, false, false);
  ipv4.fillChecksum(view, 0);
  return bytes;
}

describe('reassembly', () => {
  it('lets nothing out before the last fragment, then all in order, translated as one datagram', () => {
    const random = new Random();
    for (let round = 0; round < 200; round++) {
      const data = body(random.between(17, 9000));
      const step = 8 * random.between(Math.ceil(data.length / 8 / 40), 185);
      const starts = Array.from({ length: Math.ceil(data.length / step) }, (_, i) => i * step);
      if (starts.length < 2) continue;
      const order = random.shuffle(starts);
      sent.length = 0;
      for (const [i, from] of order.entries()) {
        expect(sent, `seed ${random.seed} round ${round}`).toHaveLength(0);
        one.receive(0, fragment(data, round + 1, from, Math.min(from + step, data.length)));
        everyFrameHasOneFate();
        if (i < order.length - 1) expect(one.director.fragments.held).toBe(i + 1);
      }
      expect(sent).toHaveLength(starts.length);
      expect(sent.map(fragmentOf)).toEqual(
        starts.map((from) => [from, from + step < data.length, Math.min(step, data.length - from)]),
      );
      for (const frame of sent) expect(checkFrame(frame)).toEqual([]);
      const whole = together(sent);
      expect(checkPacket(whole)).toEqual([]);
      expect(whole.slice(28)).toEqual(data.slice(8));
      expect(new DataView(whole.buffer).getUint16(22)).toBe(5353);
    }
  });

  it('gives a UDP checksum to one that came without, and carries the longest datagram there is', () => {
    const data = packet().ipv4(ADDRESSES).udp({ sport: 5000, dport: 53, checksum: 0 }).payload(65507).bytes().slice(20);
    for (let from = 0; from < data.length; from += 1480)
      one.receive(0, fragment(data, 7, from, Math.min(from + 1480, data.length)));
    expect(sent).toHaveLength(45);
    const whole = together(sent);
    expect(whole.length).toBe(65535);
    expect(new DataView(whole.buffer).getUint16(26)).not.toBe(0);
    expect(checkPacket(whole)).toEqual([]);
    everyFrameHasOneFate();
  });

  it('gives up after 30 s (IPv6: 60 s), tells who sent the first fragment, and forgets', () => {
    const data = body(2000);
    one.receive(0, fragment(data, 1, 0, 1480));
    one.receive(0, fragment(data, 2, 1480, 2000));
    one.receive(0, fragment6(data, 1, 0, 1400));
    one.advance(29_990);
    expect([sent.length, one.director.fragments.held]).toEqual([0, 3]);
    one.advance(30_000);
    expect([sent.length, one.director.fragments.held]).toEqual([1, 1]);
    expect([...sent[0]!.slice(34, 36)]).toEqual([11, 1]);
    one.advance(60_000);
    expect([...sent[1]!.slice(54, 56)]).toEqual([3, 1]);
    expect(one.director.counters.drops(Drop.fragmentTimeout)).toBe(3);
    one.receive(0, fragment(data, 1, 1480, 2000));
    expect(sent).toHaveLength(2);
    everyFrameHasOneFate();
  });

  it('holds a quarter of the frames at most: the oldest datagrams make place for the newest', () => {
    const data = body(2000);
    for (let id = 1; id <= 1000; id++) one.receive(0, fragment(data, id, 0, 1480));
    const { held, waiting } = one.director.fragments;
    expect([held, waiting]).toEqual([256, 256]);
    expect(one.director.counters.drops(Drop.fragmentLimit)).toBe(744);
    one.receive(0, fragment(data, 744, 1480, 2000));
    expect(sent).toHaveLength(0);
    one.receive(0, fragment(data, 1000, 1480, 2000));
    expect(sent).toHaveLength(2);
    everyFrameHasOneFate();
  });

  it('drops the whole datagram for an overlap, and only the frame for a repetition', () => {
    const data = body(1600);
    one.receive(0, fragment(data, 1, 0, 800));
    one.receive(0, fragment(data, 1, 0, 800));
    expect(one.director.counters.drops(Drop.fragmentDuplicate)).toBe(1);
    one.receive(0, fragment(data, 1, 792, 1600));
    expect(one.director.counters.drops(Drop.fragmentOverlap)).toBe(2);
    expect(one.director.fragments.held).toBe(0);
    everyFrameHasOneFate();
  });

  it('counts what becomes of the whole for each of its frames: refused, delivered, forwarded without a service', () => {
    const { values } = one.director.counters;
    const closed = body(2000);
    new DataView(closed.buffer).setUint16(2, 9);
    new DataView(closed.buffer).setUint16(6, 0);
    one.receive(0, fragment(closed, 1, 0, 1480));
    one.receive(0, fragment(closed, 1, 1480, 2000));
    expect([one.director.counters.drops(Drop.portClosed), sent.length]).toEqual([2, 1]);
    everyFrameHasOneFate();
    const igmp = { ...ADDRESSES, id: 2, protocol: 2 };
    one.receive(
      0,
      eth
        .ipv4({ ...igmp, mf: true })
        .payload(800)
        .bytes(),
    );
    one.receive(
      0,
      eth
        .ipv4({ ...igmp, offset: 800 })
        .payload(800)
        .bytes(),
    );
    expect(values[FrameStat.delivered]).toBe(2);
    everyFrameHasOneFate();
    const onward = { src: '10.0.0.1', dst: '192.168.1.11', id: 3, protocol: 17 };
    one.receive(
      0,
      eth
        .ipv4({ ...onward, offset: 800 })
        .payload(800)
        .bytes(),
    );
    one.receive(
      0,
      eth
        .ipv4({ ...onward, mf: true })
        .payload(800)
        .bytes(),
    );
    expect(sent.slice(1).map(fragmentOf)).toEqual([
      [0, true, 800],
      [800, false, 800],
    ]);
    everyFrameHasOneFate();
  });

  it('loses no frame and throws at nothing, whatever fragments come', () => {
    const random = new Random();
    const data = body(4000);
    for (let i = 0; i < 20_000; i++) {
      const from = 8 * random.below(420);
      const to = Math.min(data.length, from + 8 * random.between(1, 180));
      const make = random.below(3) === 0 ? fragment6 : fragment;
      const frame = make(data, random.below(40), from, to);
      const cut = random.below(10) === 0 ? frame.slice(0, random.below(frame.length)) : frame;
      if (random.below(10) === 0) cut[random.below(cut.length)]! ^= 1 << random.below(8);
      one.receive(0, cut);
      if (random.below(100) === 0) one.advance(one.now + random.below(5000));
      if (i % 100 === 0) everyFrameHasOneFate();
    }
    one.advance(one.now + 70_000);
    expect(one.director.fragments.held).toBe(0);
    everyFrameHasOneFate();
  });
});
