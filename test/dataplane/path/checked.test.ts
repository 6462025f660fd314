/** Health checks through the dataplane: from the TUN to the real server by its method, and the answer back. */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { CheckPorts } from '../../../src/dataplane/table/check-ports.js';
import { Link } from '../../../src/dataplane/table/link.js';
import { offlineNames } from '../../../src/ulvsadm/names.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import { format6, ZERO_MAC } from '../../../src/wire/address.js';
import * as ethernet from '../../../src/wire/ethernet.js';
import * as ipv4 from '../../../src/wire/ipv4.js';
import * as ipv6 from '../../../src/wire/ipv6.js';
import * as tcp from '../../../src/wire/tcp.js';
import { checkFrame, packet } from '../../support/packet.js';

const CONFIG = `
devices: [{ name: eth1, mac: 02:00:00:00:0d:01, addresses: [192.168.1.254/24, 2001:db8:2::254/64] }]
neighbours:
  - { ip: 192.168.1.11, dev: eth1, mac: 02:00:00:00:a0:11 }
  - { ip: 192.168.1.12, dev: eth1, mac: 02:00:00:00:a0:12 }
  - { ip: 2001:db8:2::11, dev: eth1, mac: 02:00:00:00:a0:11 }
  - { ip: 2001:db8:2::12, dev: eth1, mac: 02:00:00:00:a0:12 }
`;
/** Slots 0 and 1; of IPv6 2 and 3. */
const RULES = [
  '-A -t 10.0.0.100:80 -s rr',
  '-a -t 10.0.0.100:80 -r 192.168.1.11 -g',
  '-a -t 10.0.0.100:80 -r 192.168.1.12 -i',
  '-A -t [2001:db8:1::100]:80 -s rr',
  '-a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:80 -g',
  '-a -t [2001:db8:1::100]:80 -r [2001:db8:2::12]:80 -i',
];
const TUN = 1;
const S = '192.168.1.254';

let sent: { device: number; bytes: Uint8Array }[];
let one: InProcessDirector;

beforeEach(async () => {
  sent = [];
  one = new InProcessDirector(parseConfig(CONFIG, 'test.yaml'), (device, bytes) => sent.push({ device, bytes }));
  const { director } = one;
  director.links.push(new Link(TUN, 'ulvs0', ZERO_MAC, 1500, false, false));
  director.hostLink = director.links[TUN];
  director.neighbours.pointToPoint.add(TUN);
  for (const rule of RULES)
    expect((await ulvsadm(rule.split(' '), () => '', one, { names: offlineNames() })).err).toBe('');
  director.checks = new CheckPorts(CheckPorts.memory(), [ipv4.TCP]);
});

/** Addresses and ports of the TCP segment at offset `ip`. */
function segment(bytes: Uint8Array, ip = ethernet.HEADER) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const l4 = ip + ipv4.headerLen(view, ip);
  const address = (n: number) => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join('.');
  const ends = { src: address(ipv4.src(view, ip)), dst: address(ipv4.dst(view, ip)) };
  return { ...ends, sport: tcp.sport(view, l4), dport: tcp.dport(view, l4) };
}
const zero = '00:00:00:00:00:00';
const ask = (slot: number) =>
  one.receive(
    TUN,
    packet()
      .eth(zero, zero)
      .ipv4({ src: '192.0.0.8', dst: `198.18.0.${slot}` })
      .tcp({ sport: 40_001, dport: 80, flags: 'S' })
      .bytes(),
  );
const answer = (dport: number, src = '10.0.0.100') =>
  one.receive(
    0,
    packet()
      .eth('02:00:00:00:a0:11', '02:00:00:00:0d:01')
      .ipv4({ src, dst: S })
      .tcp({ sport: 80, dport, flags: 'SA' })
      .bytes(),
  );

describe('a health check through the dataplane', () => {
  it('goes to the VIP at the MAC of a gatewaying destination, and its answer to the TUN', () => {
    ask(0);
    const { device, bytes } = sent.pop()!;
    expect(device).toBe(0);
    expect(Buffer.from(bytes.subarray(0, 6)).toString('hex')).toBe('02000000a011');
    checkFrame(bytes);
    const { sport, ...rest } = segment(bytes);
    expect(rest).toEqual({ src: S, dst: '10.0.0.100', dport: 80 });
    answer(sport);
    const back = sent.pop()!;
    expect(back.device).toBe(TUN);
    expect(segment(back.bytes)).toEqual({ src: '198.18.0.0', dst: '192.0.0.8', sport: 80, dport: 40_001 });
  });

  it('goes through the tunnel of an ipip destination', () => {
    ask(1);
    const { bytes } = sent.pop()!;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    expect(ipv4.protocol(view, ethernet.HEADER)).toBe(ipv4.IPIP);
    expect(segment(bytes, ethernet.HEADER + ipv4.HEADER)).toMatchObject({ src: S, dst: '10.0.0.100', dport: 80 });
  });

  it('opens no connection and moves no counter of the service', async () => {
    const free = one.director.umem.freeFrames;
    for (let i = 0; i < 100; i++) ask(i % 2);
    expect(one.connections()).toEqual([]);
    const reply = await one.request({ op: 'list' });
    expect(reply.ok && reply.services![0]!.stats.inpkts).toBe(0);
    expect(one.director.umem.freeFrames).toBe(free);
  });

  it('takes no answer from another address, nor a packet for a port that no check uses', () => {
    ask(0);
    const { sport } = segment(sent.pop()!.bytes);
    answer(sport, '10.0.0.101');
    answer(sport === 65_535 ? 65_534 : sport + 1);
    expect(sent.filter(({ device }) => device === TUN)).toEqual([]);
  });

  it('drops a check of a destination that does not exist', () => {
    ask(9);
    expect(sent).toEqual([]);
  });
});

const VIP6 = '2001:db8:1::100';
const S6 = '2001:db8:2::254';
const ask6 = (slot: number, src = '2001:2::1') =>
  one.receive(
    TUN,
    packet()
      .eth(zero, zero)
      .ipv6({ src, dst: `2001:2::1:${slot.toString(16)}` })
      .tcp({ sport: 40_001, dport: 80, flags: 'S' })
      .bytes(),
  );
const answer6 = (dport: number, src = VIP6) =>
  one.receive(
    0,
    packet()
      .eth('02:00:00:00:a0:11', '02:00:00:00:0d:01')
      .ipv6({ src, dst: S6 })
      .tcp({ sport: 80, dport, flags: 'SA' })
      .bytes(),
  );
function segment6(bytes: Uint8Array, ip = ethernet.HEADER) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const l4 = ip + ipv6.HEADER;
  const [src, dst] = [new Int32Array(4), new Int32Array(4)];
  ipv6.readSrc(view, ip, src);
  ipv6.readDst(view, ip, dst);
  return { src: format6(src), dst: format6(dst), sport: tcp.sport(view, l4), dport: tcp.dport(view, l4) };
}

describe('a health check through the dataplane by IPv6', () => {
  it('goes to the VIP at the MAC of a gatewaying destination, and its answer to the TUN', () => {
    ask6(2);
    const { device, bytes } = sent.pop()!;
    expect(device).toBe(0);
    expect(Buffer.from(bytes.subarray(0, 6)).toString('hex')).toBe('02000000a011');
    checkFrame(bytes);
    const { sport, ...rest } = segment6(bytes);
    expect(rest).toEqual({ src: S6, dst: VIP6, dport: 80 });
    answer6(sport);
    const back = sent.pop()!;
    expect(back.device).toBe(TUN);
    checkFrame(back.bytes);
    expect(segment6(back.bytes)).toEqual({ src: '2001:2::1:2', dst: '2001:2::1', sport: 80, dport: 40_001 });
    expect(one.connections()).toEqual([]);
  });

  it('goes through the tunnel of an ipip destination', () => {
    ask6(3);
    const { bytes } = sent.pop()!;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    expect(ipv6.nextHeader(view, ethernet.HEADER)).toBe(ipv4.IPV6);
    expect(segment6(bytes, ethernet.HEADER + ipv6.HEADER)).toMatchObject({ src: S6, dst: VIP6, dport: 80 });
  });

  it('takes no answer from another address, of another port, or of the other family', () => {
    ask6(2);
    const { sport } = segment6(sent.pop()!.bytes);
    answer6(sport, '2001:db8:1::101');
    answer6(sport === 65_535 ? 65_534 : sport + 1);
    answer(sport);
    expect(sent.filter(({ device }) => device === TUN)).toEqual([]);
  });

  it('drops a check of a destination that does not exist, or of the other family', () => {
    ask6(9);
    ask6(0);
    ask(2);
    expect(sent).toEqual([]);
  });
});
