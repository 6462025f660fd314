/**
 * The short way against the long way: two directors get the same random traffic, one in batches through `express`, the other
 * frame by frame past it. They must say the same, count the same and remember the same.
 */
import { describe, expect, it } from 'vitest';
import { ENTRY_WORDS, HASH, NEXT } from '../../../src/conntrack/entry.js';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { Housekeeping } from '../../../src/dataplane/housekeeping.js';
import { processBatch, processFrame } from '../../../src/dataplane/ingress.js';
import { Batch } from '../../../src/device/batch.js';
import { FrameStat } from '../../../src/stats/counters.js';
import { loadRules } from '../../../src/ulvsadm/rules.js';
import { packet } from '../../support/packet.js';
import { Random } from '../../support/seed.js';

const DEVICES = ['02:00:00:00:0d:00', '02:00:00:00:0d:01'] as const;
const CONFIG = (more: string) => `
${more}
devices:
  - { name: eth0, mac: ${DEVICES[0]}, addresses: [10.0.0.254/24], mtu: 1500 }
  - { name: eth1, mac: ${DEVICES[1]}, addresses: [192.168.1.254/24], mtu: 600 }
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:c0:01 }
  - { ip: 10.0.0.2, dev: eth0, mac: 02:00:00:00:c0:02 }
  - { ip: 192.168.1.11, dev: eth1, mac: 02:00:00:00:a0:11 }
  - { ip: 192.168.1.12, dev: eth1, mac: 02:00:00:00:a0:12 }
routes: [ { to: 11.0.0.0/8, via: 10.0.0.1, dev: eth0 } ]
rules: |
  -A -t 10.0.0.100:80 -s rr
  -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m
  -a -t 10.0.0.100:80 -r 192.168.1.12:8080 -m
  -a -t 10.0.0.100:80 -r 192.168.1.13:8080 -m
  -A -u 10.0.0.100:53 -s rr
  -a -u 10.0.0.100:53 -r 192.168.1.11 -m
  -A -t 10.0.0.101:80 -s wlc
  -a -t 10.0.0.101:80 -r 192.168.1.11 -g
  -a -t 10.0.0.101:80 -r 192.168.1.12 -i
  -A -u 10.0.0.101:53 -s rr -o
  -a -u 10.0.0.101:53 -r 192.168.1.12 -g
  -A -t 10.0.0.100:21 -s rr -p 60
  -a -t 10.0.0.100:21 -r 192.168.1.11 -m
  -A -f 7 -s rr
  -a -f 7 -r 192.168.1.12 -g
`;

const FLAGS = ['S', 'SA', 'A', 'A', 'A', 'A', 'PA', 'FA', 'R', 'RA', 'F', '', 'SF'];

/** A frame of a client or a destination: mostly plain, sometimes everything that may be wrong or strange with it. */
function anyFrame(random: Random, device: number): Uint8Array {
  const odd = (one: number) => random.below(one) === 0;
  const mac = odd(40) ? '02:00:00:00:ff:ff' : DEVICES[device]!;
  const client = random.pick(['10.0.0.1', '10.0.0.2', '11.0.0.1', '11.0.0.2', '12.0.0.1']);
  const cport = 1000 + random.below(6);
  const udp = odd(4);
  const [server, sport] = device === 1 ? realServer(random, udp) : virtual(random, udp);
  const [src, dst] = device === 1 ? [server, client] : [odd(60) ? '127.0.0.1' : client, server];
  const ports = device === 1 ? { sport, dport: cport } : { sport: cport, dport: sport };
  const ip = packet()
    .eth(device === 1 ? '02:00:00:00:a0:11' : '02:00:00:00:c0:01', mac)
    .ipv4({
      src,
      dst,
      ttl: odd(20) ? random.below(3) : 64,
      df: !odd(3),
      tos: random.u8(),
      id: random.u16(),
      ...(odd(40) ? { checksum: random.u16() } : {}),
      ...(odd(40) ? { totalLen: random.below(60) } : {}),
      ...(odd(40) ? { mf: true } : {}),
    });
  const payload = new Uint8Array(odd(10) ? 700 + random.below(900) : random.below(9));
  const bytes = udp
    ? ip
        .udp({ ...ports, ...(odd(3) ? { checksum: 0 } : {}) })
        .payload(payload)
        .bytes()
    : ip
        .tcp({ ...ports, flags: random.pick(FLAGS), seq: random.u32() })
        .payload(payload)
        .bytes();
  return odd(60) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

function virtual(random: Random, udp: boolean): [string, number] {
  const vip = random.pick(['10.0.0.100', '10.0.0.101', '10.0.0.254', '10.9.0.1']);
  return [vip, udp ? 53 : random.pick([80, 80, 80, 21, 5000])];
}
function realServer(random: Random, udp: boolean): [string, number] {
  const rip = random.pick(['192.168.1.11', '192.168.1.12', '192.168.1.13', '192.168.1.14']);
  return [rip, udp ? 53 : random.pick([8080, 8080, 8080, 21, 5000])];
}

class Side {
  readonly sent: string[] = [];
  private readonly housekeeping: Housekeeping;
  private readonly batch = new Batch();

  constructor(
    readonly inner: InProcessDirector,
    private readonly short: boolean,
  ) {
    this.housekeeping = new Housekeeping(inner.director);
  }

  turn(now: number, device: number, frames: readonly Uint8Array[]): void {
    const d = this.inner.director;
    this.housekeeping.tick(now);
    for (const bytes of frames) this.batch.push(d.umem.put(bytes), bytes.length);
    if (this.short) processBatch(d, device, this.batch);
    else for (let i = 0; i < this.batch.n; i++) processFrame(d, device, this.batch.offsets[i]!, this.batch.lengths[i]!);
    this.batch.n = 0;
    this.housekeeping.ask();
    this.collect();
  }

  private collect(): void {
    const { links, umem } = this.inner.director;
    for (const { index, output } of links) {
      for (let i = 0; i < output.n; i++) {
        const at = output.offsets[i]!;
        this.sent.push(`${index} ${Buffer.from(umem.u8.slice(at, at + output.lengths[i]!)).toString('hex')}`);
        umem.free(at);
      }
      output.n = 0;
    }
  }

  /** What it said since the last call, what it counted and what it remembers. */
  state() {
    const { counters, umem, connections, neighbours } = this.inner.director;
    const { words, highWater } = connections.table;
    // A bucket's chain is in an order of its own: the hash is keyed.
    const memory = words
      .slice(0, (highWater + 1) * ENTRY_WORDS)
      .map((word, i) => ([NEXT, HASH].includes(i % ENTRY_WORDS) ? 0 : word));
    return {
      sent: this.sent.splice(0),
      values: counters.values.filter((value) => value !== 0),
      gauges: counters.gauges.filter((value) => value !== 0),
      free: umem.freeFrames,
      live: connections.table.live,
      memory: memory.join(),
      used: neighbours.all.map(({ used }) => used).join(),
    };
  }
}

async function side(more: string, short: boolean): Promise<Side> {
  const inner = new InProcessDirector(parseConfig(CONFIG(more), 'test.yaml'), () => {});
  await loadRules(inner.config, inner);
  return new Side(inner, short);
}

describe('express', () => {
  it.each([
    ['plain', ''],
    ['with marks', 'marks: [ "-p tcp --dport 5000 -j MARK --set-mark 7" ]'],
    ['sloppy', 'sysctl: { sloppy_tcp: 1 }'],
    ['dropping', 'sysctl: { drop_packet: 3, am_droprate: 3 }'],
    ['full', 'connections: { max: 40 }'],
    ['expiring', 'sysctl: { expire_nodest_conn: 1 }\ntimeouts: { tcp: 5, tcpfin: 2, udp: 3 }'],
  ])('says, counts and remembers what the long way does: %s', async (_, more) => {
    const random = new Random();
    const [short, long] = [await side(more, true), await side(more, false)];
    let now = 0;
    for (let round = 0; round < 160; round++) {
      now += random.pick([0, 1, 10, 100, 3000]);
      const device = random.below(2);
      const frames = Array.from({ length: 1 + random.below(64) }, () => anyFrame(random, device));
      for (const one of [short, long]) one.turn(now, device, frames);
      if (round % 40 === 39) for (const one of [short, long]) await edit(one, round);
      expect(short.state(), `seed ${random.seed}, round ${round}`).toEqual(long.state());
    }
    expect(short.inner.director.counters.values[FrameStat.forwarded]).toBeGreaterThan(1000);
  });
});

/** A destination goes and comes back, so that connections lose theirs. */
async function edit({ inner }: Side, round: number): Promise<void> {
  const line =
    round % 80 === 39 ? '-d -t 10.0.0.100:80 -r 192.168.1.12:8080' : '-a -t 10.0.0.100:80 -r 192.168.1.12:8080 -m';
  await loadRules({ ...inner.config, ruleLines: [{ file: 'test', line: 1, text: line }] }, inner);
}
