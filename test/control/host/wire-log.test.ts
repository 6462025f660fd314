/** What the log says about the wire: one line when a trouble begins, one when it ends. */
import { beforeEach, expect, it } from 'vitest';
import { WireLog } from '../../../src/control/host/wire-log.js';

let lines: string[];
let now: number;
let wire: WireLog;

beforeEach(() => {
  lines = [];
  now = 1000;
  const log = {
    info: (text: string) => lines.push(`info ${text}`),
    warn: (text: string) => lines.push(`warn ${text}`),
  };
  wire = new WireLog(log as never, () => now);
});

const eth1 = { name: 'eth1', down: '', mac: '02:00:00:00:00:01', mtu: 1500 };

it('link down and up, once each, with the time between', () => {
  wire.links([eth1]);
  for (let i = 0; i < 3; i++) wire.links([{ ...eth1, down: 'link down (no carrier)' }]);
  now += 12_400;
  for (let i = 0; i < 3; i++) wire.links([eth1]);
  expect(lines).toEqual(['warn eth1: link down (no carrier)', 'info eth1: link up after 12 s']);
});

it('a new MAC address and a new MTU of a link that is up', () => {
  wire.links([eth1]);
  wire.links([{ ...eth1, mac: '02:00:00:00:00:02', mtu: 1400 }]);
  expect(lines).toEqual([
    'info eth1: its MAC address is 02:00:00:00:00:02 now; the VIPs are announced again',
    'info eth1: its MTU is 1400 now',
  ]);
});

it('a next hop that does not answer, and answers again', () => {
  wire.nextHop('eth1', '10.0.0.7', true);
  wire.nextHop('eth1', '10.0.0.7', false);
  wire.nextHop('eth1', '10.0.0.7', false);
  now += 40_000;
  wire.nextHop('eth1', '10.0.0.7', true);
  wire.nextHop('eth1', '2001:db8::7', false);
  expect(lines).toEqual([
    'warn 10.0.0.7 (eth1) does not answer ARP: frames for it are dropped',
    'info 10.0.0.7 (eth1) answers ARP again after 40 s',
    'warn 2001:db8::7 (eth1) does not answer neighbour discovery: frames for it are dropped',
  ]);
});

it('frames that are dropped: from ten on, until none for two ticks, with their number', () => {
  const tick = (packets: number) => {
    now += 5000;
    wire.drops([
      { name: 'neighbourFailed', text: 'the next hop did not answer', packets },
      { name: 'otherHost', text: 'normal on any bridge', packets: packets * 1000 },
    ]);
  };
  for (const packets of [0, 9, 40, 60, 60, 61, 61, 61, 65]) tick(packets);
  expect(lines).toEqual([
    'warn frames are dropped: neighbourFailed, 31 by now (the next hop did not answer)',
    'info no more frames are dropped: neighbourFailed, 52 in 25 s',
  ]);
});

it('says at most forty lines a minute', () => {
  wire.links([eth1]);
  for (let i = 0; i < 100; i++) wire.links([{ ...eth1, down: i % 2 === 0 ? 'link down (no carrier)' : '' }]);
  expect(lines).toHaveLength(41);
  expect(lines.at(-1)).toMatch(/^warn the network changes so often that the log leaves out lines/);
  now += 61_000;
  wire.links([{ ...eth1, mtu: 1400 }]);
  expect(lines.at(-1)).toBe('info eth1: its MTU is 1400 now');
});

it('a SYN flood: once when the first worker answers by cookies, once when the last one ends', () => {
  const turn = (worker: number, on: boolean) => wire.synProxy('-t 10.0.0.100:80', worker, on);
  turn(0, true);
  turn(1, true);
  now += 73_000;
  turn(0, false);
  turn(1, false);
  turn(1, false);
  expect(lines).toEqual([
    'warn -t 10.0.0.100:80: SYN flood: the SYN proxy answers SYNs by cookies',
    'info -t 10.0.0.100:80: the SYN flood is over after 73 s: the SYN proxy is off again',
  ]);
});
