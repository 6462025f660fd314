/** Tests connections that realservers open, and stray replies: no private address may leave. */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { FrameStat } from '../../../src/stats/counters.js';
import { Drop } from '../../../src/stats/drops.js';
import { offlineNames } from '../../../src/ulvsadm/names.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import { DEVICES, NEIGHBOURS } from '../../support/network.js';
import { checkFrame, type Packet, packet } from '../../support/packet.js';

const config = (more: string) => `${DEVICES}  - { name: eth2, mac: 02:00:00:00:0d:02, addresses: [172.16.0.254/24] }
routes: [ { to: 0.0.0.0/0, via: 10.0.0.1, dev: eth0 } ]
${NEIGHBOURS}  - { ip: 172.16.0.1, dev: eth2, mac: 02:00:00:00:b0:01 }
${more}`;
const SNAT = `snat:
  - { from: 192.168.1.0/24, to: 10.0.0.100, dev: eth0 }
  - { from: "2001:db8:1::/64", to: "2001:db8::100" }`;

let sent: { device: number; bytes: Uint8Array }[];
let box: InProcessDirector;

async function admin(line: string): Promise<string> {
  const { out, err } = await ulvsadm(line.split(' '), () => '', box, { names: offlineNames() });
  return out + err;
}
async function begin(more: string): Promise<void> {
  sent = [];
  box = new InProcessDirector(parseConfig(config(more), 'test.yaml'), (device, bytes) => sent.push({ device, bytes }));
  await admin('-A -t 10.0.0.100:80 -s rr');
  await admin('-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m');
  await admin('-A -u 10.0.0.100:53 -s rr');
  await admin('-a -u 10.0.0.100:53 -r 192.168.1.11:53 -m');
}
beforeEach(() => begin(SNAT));

const FAR = '198.51.100.7';
/** Receives a frame by the device of the realservers or of the router. */
function arrive(device: 0 | 1, what: (eth: Packet) => Packet): void {
  const mac = device === 0 ? '02:00:00:00:c0:01' : '02:00:00:00:a0:11';
  box.receive(device, what(packet().eth(mac, `02:00:00:00:0d:0${device}`)).bytes());
}
function ip(eth: Packet, src: string, dst: string): Packet {
  return src.includes(':') ? eth.ipv6({ src, dst }) : eth.ipv4({ src, dst });
}
function tcp(device: 0 | 1, src: string, dst: string, sport: number, dport: number, flags: string): void {
  arrive(device, (eth) => ip(eth, src, dst).tcp({ sport, dport, flags, seq: 1, ack: flags === 'S' ? 0 : 2 }));
}
function udp(device: 0 | 1, src: string, dst: string, sport: number, dport: number): void {
  arrive(device, (eth) => ip(eth, src, dst).udp({ sport, dport }).payload(20));
}

/** Device, source and destination of the last sent frame. */
function last(): string {
  const { device, bytes } = sent.at(-1)!;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const four = bytes[14]! >>> 4 === 4;
  const address = (at: number) =>
    four
      ? [...bytes.subarray(at, at + 4)].join('.')
      : Buffer.from(bytes.subarray(at, at + 16))
          .toString('hex')
          .replace(/(....)(?!$)/g, '$1:');
  const l4 = four ? 34 : 54;
  const [src, dst] = four ? [26, 30] : [22, 38];
  return `eth${device} ${address(src)} ${view.getUint16(l4)} > ${address(dst)} ${view.getUint16(l4 + 2)}`;
}

describe('a connection that a realserver opens', () => {
  it('leaves as the VIP with its own port, and its answers come back', async () => {
    tcp(1, '192.168.1.12', FAR, 40000, 443, 'S');
    expect(last()).toBe(`eth0 10.0.0.100 40000 > ${FAR} 443`);
    tcp(0, FAR, '10.0.0.100', 443, 40000, 'SA');
    expect(last()).toBe(`eth1 ${FAR} 443 > 192.168.1.12 40000`);
    tcp(1, '192.168.1.12', FAR, 40000, 443, 'A');
    expect(last()).toBe(`eth0 10.0.0.100 40000 > ${FAR} 443`);
    expect(await admin('-Lnc')).toContain(
      'TCP 15:00  ESTABLISHED 198.51.100.7:443   10.0.0.100:40000   192.168.1.12:40000\n',
    );
    for (const { bytes } of sent) expect(checkFrame(bytes)).toEqual([]);
    expect(sent).toHaveLength(3);
  });

  it('gets another port where its own is in use towards the same end, or belongs to servers', () => {
    tcp(1, '192.168.1.11', FAR, 40000, 443, 'S');
    tcp(1, '192.168.1.12', FAR, 40000, 443, 'S');
    expect(last()).toMatch(/^eth0 10\.0\.0\.100 (?!40000 )\d{4,5} > 198\.51\.100\.7 443$/);
    tcp(1, '192.168.1.12', FAR, 40000, 444, 'S');
    expect(last()).toBe(`eth0 10.0.0.100 40000 > ${FAR} 444`);
    udp(1, '192.168.1.12', FAR, 123, 123);
    expect(last()).toMatch(/^eth0 10\.0\.0\.100 \d{4,5} > 198\.51\.100\.7 123$/);
  });

  it('is UDP or IPv6 as well', () => {
    udp(1, '192.168.1.12', FAR, 40000, 53);
    expect(last()).toBe(`eth0 10.0.0.100 40000 > ${FAR} 53`);
    udp(0, FAR, '10.0.0.100', 53, 40000);
    expect(last()).toBe(`eth1 ${FAR} 53 > 192.168.1.12 40000`);
    tcp(1, '2001:db8:1::11', '2001:db8::1', 40000, 80, 'S');
    const [vip, client] = ['2001:0db8:0000:0000:0000:0000:0000:0100', '2001:0db8:0000:0000:0000:0000:0000:0001'];
    expect(last()).toBe(`eth0 ${vip} 40000 > ${client} 80`);
    tcp(0, '2001:db8::1', '2001:db8::100', 80, 40000, 'SA');
    expect(last()).toBe(`eth1 ${client} 80 > 2001:0db8:0001:0000:0000:0000:0000:0011 40000`);
    for (const { bytes } of sent) expect(checkFrame(bytes)).toEqual([]);
  });

  it('is told of errors on its way', () => {
    tcp(1, '192.168.1.12', FAR, 40000, 443, 'S');
    arrive(0, (eth) =>
      eth
        .ipv4({ src: FAR, dst: '10.0.0.100' })
        .icmp({ type: 3, code: 1 })
        .ipv4({ src: '10.0.0.100', dst: FAR })
        .tcp({ sport: 40000, dport: 443, flags: 'S', seq: 1 }),
    );
    const { device, bytes } = sent.at(-1)!;
    expect(device).toBe(1);
    expect([...bytes.subarray(30, 34)]).toEqual([192, 168, 1, 12]);
    expect([...bytes.subarray(54, 58)]).toEqual([192, 168, 1, 12]);
    expect(checkFrame(bytes)).toEqual([]);
  });
});

describe('a stray reply of a destination', () => {
  it('leaves as the virtual address and port that it was', () => {
    tcp(1, '192.168.1.11', FAR, 8080, 5000, 'A');
    expect(last()).toBe(`eth0 10.0.0.100 80 > ${FAR} 5000`);
    tcp(1, '192.168.1.11', FAR, 8080, 5000, 'R');
    expect(last()).toBe(`eth0 10.0.0.100 80 > ${FAR} 5000`);
    udp(1, '192.168.1.11', FAR, 53, 5000);
    expect(last()).toBe(`eth0 10.0.0.100 53 > ${FAR} 5000`);
    expect(box.director.connections.table.live).toBe(0);
    for (const { bytes } of sent) expect(checkFrame(bytes)).toEqual([]);
  });
});

describe('what cannot be translated', () => {
  it('does not leave', () => {
    tcp(1, '192.168.1.12', FAR, 40000, 443, 'R');
    arrive(1, (eth) => eth.ipv4({ src: '192.168.1.12', dst: FAR }).icmp({ type: 8, id: 1, seq: 1 }));
    arrive(1, (eth) => eth.ipv4({ src: '192.168.1.12', dst: FAR, protocol: 47 }).payload(8));
    expect(sent).toEqual([]);
    expect(box.director.counters.drops(Drop.privateSource)).toBe(3);
    expect(box.director.counters.values[FrameStat.in]).toBe(3);
  });
});

describe('what snat is not about', () => {
  it('is forwarded as it is: other devices, other sources', () => {
    tcp(1, '192.168.1.12', '172.16.0.1', 40000, 443, 'S');
    expect(last()).toBe('eth2 192.168.1.12 40000 > 172.16.0.1 443');
    tcp(1, '192.168.7.7', FAR, 40000, 443, 'S');
    expect(last()).toBe(`eth0 192.168.7.7 40000 > ${FAR} 443`);
  });

  it('an ordinary reply stays a reply', () => {
    tcp(0, FAR, '10.0.0.100', 5000, 80, 'S');
    tcp(1, '192.168.1.11', FAR, 8080, 5000, 'SA');
    expect(last()).toBe(`eth0 10.0.0.100 80 > ${FAR} 5000`);
    expect(box.director.connections.table.live).toBe(1);
  });

  it('without the option the private address leaves, as with the kernel', async () => {
    await begin('');
    tcp(1, '192.168.1.12', FAR, 40000, 443, 'S');
    expect(last()).toBe(`eth0 192.168.1.12 40000 > ${FAR} 443`);
  });
});

describe('every port in use', () => {
  it('is a reason of its own', () => {
    const { snatRules } = box.director;
    snatRules.nextPort = () => 40000;
    tcp(1, '192.168.1.11', FAR, 40000, 443, 'S');
    tcp(1, '192.168.1.12', FAR, 40000, 443, 'S');
    expect(box.director.counters.drops(Drop.noSourcePort)).toBe(1);
  });
});
