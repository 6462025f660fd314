/**
 * A GSO packet in one piece against its segments one by one: two directors get the same random
 * traffic. One receives GSO packets in large frames, the other their segments. What leaves is equal
 * after a large frame is cut, as the kernel cuts it; so are the connections.
 */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { Housekeeping } from '../../../src/dataplane/housekeeping.js';
import { Loop } from '../../../src/dataplane/loop.js';
import type { Batch } from '../../../src/device/batch.js';
import { Cutter } from '../../../src/device/cutter.js';
import { type Device, newDeviceStats } from '../../../src/device/device.js';
import { Umem } from '../../../src/device/umem.js';
import { GSO_ECN, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4 } from '../../../src/sys/packet-socket.js';
import { loadRules } from '../../../src/ulvsadm/rules.js';
import { Random } from '../../support/seed.js';
import { text } from './network.js';
import { arriving, endsOf } from './traffic.js';

const ROUNDS = 150;
/** EtherType. When ARP asks depends on the number of turns. */
const ARP = '0806';
const VIP6 = '2001:db8::100';
const RULES = `-A -t [${VIP6}]:80 -s rr
-a -t [${VIP6}]:80 -r [2001:db8:1::11]:8080 -m
-A -t 10.0.0.102:80 -s rr
-a -t 10.0.0.102:80 -r 192.168.1.11:8080 --full-nat
-A -t 10.0.0.105:80 -s rr
-a -t 10.0.0.105:80 -r 192.168.1.11 -i --tun-type gue --tun-port 6080`;
const VIPS = ['10.0.0.100', '10.0.0.101', '10.0.0.102', '10.0.0.103', '10.0.0.105', VIP6];
const FLAGS = ['A', 'A', 'A', 'PA', 'PA', 'FA', 'RA', 'S', 'AE', 'AC'];

/** A packet for the wire: `size` 0 is an ordinary frame, else the payload bytes of a segment. */
interface Given {
  readonly bytes: Uint8Array;
  readonly type: number;
  readonly size: number;
}

/** A device of which a test gives the frames; `whole`: GSO packets stay in one piece. */
class Wire implements Device {
  readonly kind = 'memory';
  readonly fd = -1;
  readonly name = 'wire';
  readonly stats = newDeviceStats();
  readonly left: string[] = [];
  /** How many GSO packets left in one piece. */
  whole = 0;
  private readonly queue: Given[] = [];
  private readonly cutter: Cutter;

  constructor(
    private readonly umem: Umem,
    private readonly isWhole: boolean,
  ) {
    this.cutter = new Cutter(umem);
  }

  give(one: Given): void {
    if (one.size === 0 || this.isWhole) this.queue.push(one);
    else for (const bytes of this.cut(this.put(one), one.bytes.length)) this.queue.push({ bytes, type: 0, size: 0 });
  }

  rx(batch: Batch): number {
    while (this.queue.length > 0 && batch.n < batch.capacity) {
      const one = this.queue.shift()!;
      batch.push(one.size === 0 ? this.umem.put(one.bytes) : this.put(one), one.bytes.length);
    }
    return batch.n;
  }

  get pending(): number {
    return this.queue.length;
  }

  tx(batch: Batch): number {
    const { umem, left } = this;
    for (let i = 0; i < batch.n; i++) {
      const at = batch.offsets[i]!;
      const length = batch.lengths[i]!;
      if (at >= umem.largeFrom) {
        this.whole++;
        for (const bytes of this.cut(at, length)) left.push(Buffer.from(bytes).toString('hex'));
        continue;
      }
      left.push(Buffer.from(umem.u8.slice(at, at + length)).toString('hex'));
      umem.free(at);
    }
    batch.n = 0;
    return 0;
  }

  close(): void {}

  private put({ bytes, type, size }: Given): number {
    const frame = this.umem.large.alloc();
    this.umem.u8.set(bytes, frame);
    this.umem.large.setGso(frame, type, size, 0);
    return frame;
  }

  private cut(frame: number, length: number): Uint8Array[] {
    const segments: Uint8Array[] = [];
    const { umem, cutter } = this;
    expect(cutter.begin(frame, length)).toBe(true);
    const one = { n: 0, capacity: 1, offsets: new Int32Array(1), lengths: new Int32Array(1) };
    const batch = Object.assign(one, {
      push: (at: number, len: number) => this.note(one, at, len),
    }) as unknown as Batch;
    while (cutter.fill(batch) > 0) {
      segments.push(umem.u8.slice(one.offsets[0]!, one.offsets[0]! + one.lengths[0]!));
      umem.free(one.offsets[0]!);
      one.n = 0;
    }
    umem.free(frame);
    return segments;
  }

  private note(one: { n: number; offsets: Int32Array; lengths: Int32Array }, at: number, length: number): boolean {
    one.offsets[0] = at;
    one.lengths[0] = length;
    one.n = 1;
    return true;
  }
}

/** One of the two directors with its loop. */
class Side {
  readonly wires: readonly Wire[];
  private readonly loop: Loop;

  constructor(
    readonly inner: InProcessDirector,
    isWhole: boolean,
    takesGso: readonly boolean[],
  ) {
    const d = inner.director;
    this.wires = d.links.map(() => new Wire(d.umem, isWhole));
    this.loop = new Loop(d, this.wires, new Housekeeping(d));
    if (isWhole) for (const link of d.links) link.takesGso = takesGso[link.index]!;
  }

  turn(now: number, device: number, frames: readonly Given[]): string[][] {
    for (const one of frames) this.wires[device]!.give(one);
    do this.loop.turn(now);
    while (this.wires[device]!.pending > 0);
    return this.wires.map(({ left }) => left.splice(0).filter((hex) => hex.slice(24, 28) !== ARP));
  }

  connections() {
    return this.inner.connections();
  }
}

async function sideOf(isWhole: boolean, takesGso: readonly boolean[]): Promise<Side> {
  const config = text({ config: 'accept: { sources: [192.168.1.240] }', rules: RULES });
  const umem = new Umem(2048, 2048, undefined, undefined, 16);
  const inner = new InProcessDirector(parseConfig(config, 'test.yaml'), () => {}, 0, umem);
  await loadRules(inner.config, inner);
  return new Side(inner, isWhole, takesGso);
}

function big(
  random: Random,
  device: number,
  src: string,
  dst: string,
  sport: number,
  dport: number,
  udp: boolean,
): Given {
  const eth = arriving(device);
  const isV6 = src.includes(':');
  const ip = isV6 ? eth.ipv6({ src, dst }) : eth.ipv4({ src, dst, df: random.bool(), id: random.u16() });
  const size = random.pick([200, 400, 520, 560, 1000, 1448]);
  const flags = random.pick(FLAGS);
  const options = random.bool() ? [{ kind: 8, data: random.bytes(8) }] : [];
  const l4 = udp
    ? ip.udp({ sport, dport })
    : ip.tcp({ sport, dport, flags, seq: random.u32(), ack: 1, options } as never);
  const type = udp ? GSO_UDP_L4 : isV6 ? GSO_TCPV6 : GSO_TCPV4;
  const bytes = l4.payload(random.bytes(1800 + random.below(random.pick([3000, 12_000, 60_000])))).bytes();
  return { bytes, type: type | (flags === 'AC' && !udp ? GSO_ECN : 0), size };
}

function small(
  device: number,
  src: string,
  dst: string,
  sport: number,
  dport: number,
  udp: boolean,
  flags: string,
): Given {
  const eth = arriving(device);
  const ip = src.includes(':') ? eth.ipv6({ src, dst }) : eth.ipv4({ src, dst });
  const bytes = (udp ? ip.udp({ sport, dport }).payload('x') : ip.tcp({ sport, dport, flags })).bytes();
  return { bytes, type: 0, size: 0 };
}

/** A frame of a client; an answer to one that left towards a realserver. */
function frameOf(random: Random, device: number, left: readonly Uint8Array[]): Given | undefined {
  const isBig = random.below(3) > 0;
  const ends = device === 0 ? clientEnds(random) : endsOf(random.pick(left));
  if (ends === undefined) return undefined;
  const { sport, dport, udp } = ends;
  const [src, dst, from, to] =
    device === 0 ? [ends.src, ends.dst, sport, dport] : ([ends.dst, ends.src, dport, sport] as const);
  if (isBig) return big(random, device, src, dst, from, to, udp);
  return small(
    device,
    src,
    dst,
    from,
    to,
    udp,
    device === 0 ? random.pick(['S', 'A', 'FA']) : random.pick(['SA', 'A']),
  );
}

function clientEnds(random: Random) {
  const udp = random.below(6) === 0;
  const dst = udp ? '10.0.0.100' : random.pick(VIPS);
  const src = dst === VIP6 ? '2001:db8::1' : random.pick(['10.0.0.1', '10.0.0.2']);
  return { src, dst, sport: 1000 + random.below(4), dport: udp ? 53 : 80, udp };
}

describe('a GSO packet in one piece leaves as its segments would', () => {
  it.each([
    ['both links take GSO packets', [true, true]],
    ['one does not', [true, false]],
    ['none does', [false, false]],
  ])('%s', { timeout: 60_000 }, async (_, takesGso) => {
    const random = new Random();
    const [one, other] = [await sideOf(true, takesGso), await sideOf(false, takesGso)];
    const sent: Uint8Array[] = [];
    for (let round = 0, now = 0; round < ROUNDS; round++) {
      now += random.pick([0, 1, 10, 1000]);
      const device = sent.length > 0 ? random.below(2) : 0;
      const frames = Array.from({ length: 1 + random.below(5) }, () => frameOf(random, device, sent)).filter(
        (f) => f !== undefined,
      );
      const left = one.turn(now, device, frames);
      expect(left, `seed ${random.seed}, round ${round}`).toEqual(other.turn(now, device, frames));
      expect(one.connections()).toEqual(other.connections());
      sent.push(...left[1]!.slice(0, 3).map((hex) => new Uint8Array(Buffer.from(hex, 'hex'))));
    }
    const { umem } = one.inner.director;
    expect(umem.large.freeFrames).toBe(umem.large.count);
    one.wires.forEach(({ whole }, i) => {
      if (takesGso[i]) expect(whole).toBeGreaterThan(20);
      else expect(whole).toBe(0);
    });
  });
});
