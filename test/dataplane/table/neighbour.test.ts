/**
 * Tests neighbours: requests, waiting frames, timeouts, and neighbours that the kernel resolves.
 */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { NeighbourState, Neighbours } from '../../../src/dataplane/table/neighbour.js';
import { FrameStat } from '../../../src/stats/counters.js';
import { Drop } from '../../../src/stats/drops.js';
import { packet } from '../../support/packet.js';

const CONFIG = `
devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24] }
  - { name: eth1, mac: 02:00:00:00:0d:01, addresses: [192.168.0.1/16] }
neighbours: [ { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:c0:01 } ]
`;

interface Sent {
  device: number;
  bytes: Uint8Array;
}

function director(): { one: InProcessDirector; sent: Sent[] } {
  const sent: Sent[] = [];
  return {
    one: new InProcessDirector(parseConfig(CONFIG, 'test.yaml'), (device, bytes) => sent.push({ device, bytes })),
    sent,
  };
}

function toHost(dst: string, id = 1): Uint8Array {
  return packet()
    .eth('02:00:00:00:c0:01', '02:00:00:00:0d:00')
    .ipv4({ src: '10.0.0.1', dst, id })
    .udp({ sport: 1000, dport: 2000 })
    .bytes();
}

function arpReply(ip: string): Uint8Array {
  return packet()
    .eth('02:00:00:00:aa:01', '02:00:00:00:0d:01')
    .arp({
      op: 'reply',
      senderMac: '02:00:00:00:aa:01',
      senderIp: ip,
      targetMac: '02:00:00:00:0d:01',
      targetIp: '192.168.0.1',
    })
    .bytes();
}

describe('a next hop that is not known yet', () => {
  it('is asked for once, and what waited leaves in order when it answers', () => {
    const { one, sent } = director();
    for (let id = 1; id <= 3; id++) one.receive(0, toHost('192.168.7.7', id));
    expect(sent).toHaveLength(1);
    one.receive(1, arpReply('192.168.7.7'));
    expect(sent.slice(1).map(({ bytes }) => bytes[19])).toEqual([1, 2, 3]);
    expect(one.director.neighbours.waiting).toBe(0);
  });

  it('is given up after three questions; what waited is dropped and nothing leaks', () => {
    const { one, sent } = director();
    const free = one.director.umem.freeFrames;
    for (let id = 0; id < 70; id++) one.receive(0, toHost('192.168.7.7', id));
    expect(one.director.counters.drops(Drop.neighbourQueue)).toBe(6);
    one.advance(3500);
    expect(sent).toHaveLength(3);
    one.receive(0, toHost('192.168.7.7', 99));
    expect(one.director.counters.drops(Drop.neighbourFailed)).toBe(65);
    expect(one.director.umem.freeFrames).toBe(free);
    one.advance(5000);
    one.receive(0, toHost('192.168.7.7', 100));
    expect(sent).toHaveLength(4);
  });

  it('keeps no more than a quarter of the frames waiting, whatever the number of next hops', () => {
    const { one } = director();
    for (let i = 0; i < 2000; i++) one.receive(0, toHost(`192.168.${i >> 8}.${i & 0xff || 1}`, i));
    expect(one.director.neighbours.waiting).toBe(one.director.umem.frameCount / 4);
    expect(one.director.counters.values[FrameStat.in]).toBe(2000);
  });
});

describe('Neighbours', () => {
  it('stops growing, and forgets the useless', () => {
    const neighbours = new Neighbours();
    const mine = neighbours.idOf(1, 4, 0, 0, 0, -1);
    neighbours.resolve(neighbours.all[mine]!, 2, 3, 0);
    for (let i = 0; i < 40_000; i++) neighbours.idOf(0, 4, 0, 0, 0, i);
    expect(neighbours.all.length).toBe(16_384);
    expect(neighbours.idOf(0, 4, 0, 0, 0, 70_000)).toBe(0);
    expect(neighbours.want(neighbours.all[0]!, 1e9)).toBe(false);
    expect(neighbours.collect()).toBe(true);
    expect(neighbours.all).toHaveLength(2);
    expect(neighbours.known(1, 4, 0, 0, 0, -1)?.state).toBe(NeighbourState.reachable);
  });
});

describe('a neighbour that the kernel resolves for us', () => {
  const ANSWERED = 1000;
  const kernel = () => false;
  const none = () => {};

  function known(): { all: Neighbours; neighbour: Neighbours['all'][number] } {
    const all = new Neighbours();
    const neighbour = all.all[all.idOf(0, 4, 0, 0, 0, 0x0a000001)]!;
    all.resolve(neighbour, 1, 2, ANSWERED);
    return { all, neighbour };
  }

  it('is told to it every half minute while it is used, and stays usable', () => {
    const { all, neighbour } = known();
    const asked: number[] = [];
    for (let now = ANSWERED; now <= ANSWERED + 120_000; now += 1000) {
      neighbour.used = true;
      all.tick(now, kernel, none);
      if (all.wanted.splice(0).includes(neighbour.id)) asked.push((now - ANSWERED) / 1000);
      expect(neighbour.usable).toBe(true);
    }
    expect(asked).toEqual([30, 60, 90, 120]);
  });

  it('is left to grow old when nobody uses it', () => {
    const { all, neighbour } = known();
    for (let now = ANSWERED; now <= ANSWERED + 300_000; now += 1000) all.tick(now, kernel, none);
    expect(all.wanted).toEqual([]);
    expect(neighbour.usable).toBe(true);
  });
});
