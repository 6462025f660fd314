/** The boxes of a filter hold exactly the packets of the fast path that the filter passes; too many become one of everything. */
import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../../src/control/server/trace-filter.js';
import { PacketInfo } from '../../../src/dataplane/parse/packet.js';
import { BOX, boxesOf, isInBoxes } from '../../../src/dataplane/trace/boxes.js';
import { type Filter, passes } from '../../../src/dataplane/trace/filter.js';
import { parse4 } from '../../../src/wire/address.js';
import { Random } from '../../support/seed.js';

const ADDRESSES = [
  '10.0.0.1',
  '10.0.0.2',
  '10.255.0.1',
  '127.255.255.255',
  '128.0.0.0',
  '192.168.1.11',
  '255.255.255.255',
];
const PORTS = [0, 1, 79, 80, 81, 1024, 65535];

function anyFilter(random: Random, depth: number): Filter {
  if (depth > 0 && random.below(3) !== 0) {
    const kind = random.pick(['and', 'or', 'not'] as const);
    if (kind === 'not') return { kind, of: anyFilter(random, depth - 1) };
    return { kind, left: anyFilter(random, depth - 1), right: anyFilter(random, depth - 1) };
  }
  const side = random.pick(['src', 'dst', 'either'] as const);
  switch (random.below(7)) {
    case 0:
      return { kind: 'protocol', protocol: random.pick([6, 17, 1, 132]) };
    case 1:
      return { kind: 'family', family: random.pick([4, 6] as const) };
    case 2: {
      const [from, to] = [random.pick(PORTS), random.pick(PORTS)];
      return { kind: 'port', side, from: Math.min(from, to), to: Math.max(from, to) };
    }
    case 3:
      return { kind: random.pick(['all', 'arp'] as const) };
    case 4:
      return { kind: 'net', side, family: 6, words: [0x20010db8, 0, 0, 1], length: 128 };
    default: {
      const words = [0, 0, 0, parse4(random.pick(ADDRESSES))!];
      return { kind: 'net', side, family: 4, words, length: random.pick([0, 1, 8, 24, 31, 32]) };
    }
  }
}

function anyPacket(random: Random): PacketInfo {
  const p = new PacketInfo();
  p.family = 4;
  p.etherType = 0x0800;
  p.protocol = random.pick([6, 17]);
  p.src = parse4(random.pick(ADDRESSES))!;
  p.dst = parse4(random.pick(ADDRESSES))!;
  p.sport = random.pick(PORTS);
  p.dport = random.pick(PORTS);
  return p;
}

const isIn = (boxes: Int32Array, { protocol, src, dst, sport, dport }: PacketInfo) =>
  isInBoxes(boxes, protocol, src, dst, sport, dport);

describe('boxesOf', () => {
  it.each([
    ['what the filter passes and nothing else', 2, true],
    ['at least what a long filter passes', 5, false],
  ])('holds %s', (_, depth, isExact) => {
    const random = new Random();
    let [inside, outside] = [0, 0];
    for (let i = 0; i < 2000; i++) {
      const filter = anyFilter(random, depth);
      const boxes = boxesOf(filter);
      for (let n = 0; n < 30; n++) {
        const packet = anyPacket(random);
        const [is, wanted] = [isIn(boxes, packet), passes(filter, packet)];
        const what = () => `seed ${random.seed}: ${JSON.stringify(filter)} ${JSON.stringify(packet)}`;
        if (is !== wanted && (isExact || wanted)) expect.fail(what());
        if (is) inside++;
        else outside++;
      }
    }
    expect(Math.min(inside, outside)).toBeGreaterThan(10_000);
  });

  it('has a box for each way round of one flow', () => {
    expect(boxesOf(parseFilter('tcp and host 10.0.0.1 and port 4000')).length / BOX).toBe(4);
    expect(boxesOf(parseFilter('ip6 or arp'))).toHaveLength(0);
  });

  it('holds everything where the filter has too many', () => {
    const words = Array.from({ length: 40 }, (_, i) => `src port ${2 * i}`).join(' or ');
    const boxes = boxesOf(parseFilter(words));
    expect(boxes).toHaveLength(BOX);
    expect(isInBoxes(boxes, 6, -1, 0, 99, 99)).toBe(true);
  });
});
