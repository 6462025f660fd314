/**
 * Tests full NAT: the address pool, the TCP option TOA, listings, ARP for the pool, and refusals.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { Drop } from '../../../src/stats/drops.js';
import { offlineNames } from '../../../src/ulvsadm/names.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import { format4, parse4 } from '../../../src/wire/address.js';
import * as ipv4 from '../../../src/wire/ipv4.js';
import * as tcp from '../../../src/wire/tcp.js';
import { checkFrame, packet } from '../../support/packet.js';

const CONFIG = `
devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24] }
  - { name: eth1, mac: 02:00:00:00:0d:01, addresses: [192.168.1.254/24] }
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:c0:01 }
  - { ip: 192.168.1.11, dev: eth1, mac: 02:00:00:00:a0:11 }
accept: { sources: [192.168.1.240] }
connections: { max: 200000 }
`;
const CLIENT = '02:00:00:00:c0:01';
const SERVER = '02:00:00:00:a0:11';
const TO_DIRECTOR = ['02:00:00:00:0d:00', '02:00:00:00:0d:01'] as const;

let sent: Uint8Array[];
let director: InProcessDirector;

async function admin(line: string): Promise<string> {
  const { out, err } = await ulvsadm(line.split(' '), () => '', director, { names: offlineNames() });
  return out + err;
}

beforeEach(async () => {
  sent = [];
  director = new InProcessDirector(parseConfig(CONFIG, 'test.yaml'), (_, bytes) => sent.push(bytes));
  await admin('-A -t 10.0.0.100:80 -s rr');
  await admin('-a -t 10.0.0.100:80 -r 192.168.1.11:8080 --full-nat');
});

function fromClient(flags: string, sport = 40001): void {
  const options = flags === 'S' ? { mss: 1460 } : {};
  director.receive(
    0,
    packet()
      .eth(CLIENT, TO_DIRECTOR[0])
      .ipv4({ src: '10.0.0.1', dst: '10.0.0.100' })
      .tcp({ sport, dport: 80, flags, seq: 7, ...options })
      .bytes(),
  );
}

function ends(frame: Uint8Array) {
  const view = new DataView(frame.buffer, frame.byteOffset);
  const at = 14 + ipv4.headerLen(view, 14);
  return {
    src: `${format4(ipv4.src(view, 14))}:${tcp.sport(view, at)}`,
    dst: `${format4(ipv4.dst(view, 14))}:${tcp.dport(view, at)}`,
    sport: tcp.sport(view, at),
    options: frame.subarray(at + 20, at + tcp.headerLen(view, at)),
  };
}

describe('full NAT', () => {
  it('speaks with its own address, tells the client by TOA in the first two segments, and undoes both on replies', () => {
    fromClient('S');
    const out = ends(sent[0]!);
    expect(out.src).toMatch(/^192\.168\.1\.240:/);
    expect(out.dst).toBe('192.168.1.11:8080');
    expect([...out.options.slice(-8)]).toEqual([254, 8, 40001 >> 8, 40001 & 255, 10, 0, 0, 1]);
    const reply = packet()
      .eth(SERVER, TO_DIRECTOR[1])
      .ipv4({ src: '192.168.1.11', dst: '192.168.1.240' })
      .tcp({ sport: 8080, dport: out.sport, flags: 'SA', seq: 9, ack: 8 })
      .bytes();
    director.receive(1, reply);
    expect(ends(sent[1]!)).toMatchObject({ src: '10.0.0.100:80', dst: '10.0.0.1:40001' });
    fromClient('A');
    fromClient('PA');
    expect(ends(sent[2]!)).toMatchObject({ src: out.src, dst: out.dst });
    expect(ends(sent[2]!).options).toHaveLength(8);
    expect(ends(sent[3]!).options).toHaveLength(0);
    for (const frame of sent) expect(checkFrame(frame)).toEqual([]);
  });

  it('is listed by the client and the destination; both lines go with the connection', async () => {
    const free = director.director.umem.freeFrames;
    fromClient('S');
    expect(await admin('-Ln')).toContain('  -> 192.168.1.11:8080            FullNat 1      1          0         \n');
    expect(await admin('-Sn')).toContain('-a -t 10.0.0.100:80 -r 192.168.1.11:8080 --full-nat -w 1\n');
    expect(await admin('-Lnc')).toContain('10.0.0.1:40001     10.0.0.100:80      192.168.1.11:8080\n');
    expect(director.connections()).toHaveLength(1);
    const { table } = director.director.connections;
    expect(table.live).toBe(2);
    director.advance(61_000);
    expect(table.live).toBe(0);
    expect(director.director.umem.freeFrames).toBe(free);
  });

  it('answers ARP for the pool, which no interface has', () => {
    const who = packet()
      .eth(SERVER, 'ff:ff:ff:ff:ff:ff')
      .arp({ op: 'request', senderMac: SERVER, senderIp: '192.168.1.11', targetIp: '192.168.1.240' })
      .bytes();
    director.receive(1, who);
    expect(new DataView(sent[0]!.buffer).getInt32(14 + 14)).toBe(parse4('192.168.1.240'));
  });

  it('says so when every port of the pool is in use towards a destination', () => {
    for (let i = 0; i < 64_600; i++) {
      director.receive(
        0,
        packet()
          .eth(CLIENT, TO_DIRECTOR[0])
          .ipv4({ src: `10.1.${(i >> 8) & 255}.${i & 255}`, dst: '10.0.0.100' })
          .tcp({ sport: 2000, dport: 80, flags: 'S' })
          .bytes(),
      );
      sent.length = 0;
    }
    expect(director.director.counters.drops(Drop.noSourcePort)).toBe(64_600 - 64_512);
  });

  it('is refused for IPv6 services', async () => {
    await admin('-A -t [2001:db8::1]:80 -s rr');
    expect(await admin('-a -t [2001:db8::1]:80 -r [2001:db8::2]:80 --full-nat')).toBe(
      '--full-nat is for IPv4 services\n',
    );
  });
});
