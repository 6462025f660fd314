/**
 * Tests a director that is also the router of DR realservers and has the VIP, and its ARP
 * announcements.
 */
import { beforeEach, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { Announcements } from '../../../src/control/engine/announcing.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { announce } from '../../../src/dataplane/neigh/announce.js';
import { wordsOf } from '../../../src/dataplane/table/route-data.js';
import { Drop } from '../../../src/stats/drops.js';
import { offlineNames } from '../../../src/ulvsadm/names.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import * as arp from '../../../src/wire/arp.js';
import { packet } from '../../support/packet.js';

const CONFIG = `
devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24, 10.0.0.100/32] }
  - { name: eth1, mac: 02:00:00:00:0d:01, addresses: [192.168.1.254/24] }
neighbours: [ { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:0c:01 } ]
accept: { arp: true, forwardShared: [eth1] }
`;
let sent: { device: number; bytes: Uint8Array }[];
let box: InProcessDirector;

beforeEach(async () => {
  sent = [];
  box = new InProcessDirector(parseConfig(CONFIG, 'test.yaml'), (device, bytes) => sent.push({ device, bytes }));
  for (const line of ['-A -t 10.0.0.100:80 -s rr', '-a -t 10.0.0.100:80 -r 192.168.1.11 -g'])
    await ulvsadm(line.split(' '), () => '', box, { names: offlineNames() });
});

function reply(device: 0 | 1): void {
  const frame = packet()
    .eth('02:00:00:00:0b:01', `02:00:00:00:0d:0${device}`)
    .ipv4({ src: '10.0.0.100', dst: '10.0.0.1', ttl: 64 })
    .tcp({ sport: 80, dport: 40000, flags: 'SA', seq: 1, ack: 2 });
  box.receive(device, frame.bytes());
}

it('a reply from the VIP is forwarded by the device that is trusted', () => {
  reply(1);
  expect(sent.map(({ device, bytes }) => [device, bytes[22], bytes[5]])).toEqual([[0, 63, 0x01]]);
});

it('and a martian from any other', () => {
  reply(0);
  expect(sent).toEqual([]);
  expect(box.director.counters.drops(Drop.badSource)).toBe(1);
});

it('an unknown device is named with its key', () => {
  expect(() => parseConfig(CONFIG.replace('[eth1] }', '[eth7] }'), 'test.yaml')).toThrow(
    /test\.yaml:6: accept\.forwardShared\[0\]: no device is called "eth7"; there are eth0, eth1/,
  );
});

/** [sender, target] of each ARP packet that the device is to send. */
function announced(device: number): number[][] {
  const { output } = box.director.links[device]!;
  const { view } = box.director.umem;
  return Array.from({ length: output.n }, (_, i) => {
    const at = output.offsets[i]! + 14;
    return [arp.senderIp(view, at), arp.targetIp(view, at)].map((ip) => ip >>> 0);
  });
}

it('an address is announced on its own wire only, and never one that an interface has', () => {
  announce(box.director, 4, wordsOf('192.168.1.77')!);
  announce(box.director, 4, wordsOf('10.0.0.100')!);
  announce(box.director, 4, wordsOf('172.16.0.1')!);
  expect(announced(0)).toEqual([]);
  expect(announced(1)).toEqual([[0xc0a8014d, 0xc0a8014d]]);
});

it('a small range is announced whole, a large one not at all', () => {
  const announcements = new Announcements(box.director);
  announcements.ranges = ['192.168.1.96/30', '192.168.0.0/16'];
  announcements.announceRanges();
  expect(announced(1).map(([sender]) => sender! & 0xff)).toEqual([96, 97, 98, 99]);
});
