/** Raw sockets: RawSender, and TunnelEndpoint in a realserver. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PacketDevice } from '../../src/device/packet/packet.js';
import { RawSender } from '../../src/device/raw.js';
import { TunDevice } from '../../src/device/tun/tap.js';
import { TunnelEndpoint } from '../../src/device/tun/tunnel-endpoint.js';
import { Umem } from '../../src/device/umem.js';
import { collect, send, wrongIn } from '../support/frames.js';
import { isRoot, Namespaces } from '../support/netns.js';

if (!isRoot) console.log('raw: skipped, needs root for namespaces');

const ip = (protocol: number, from: string, to: string, body: number[]): number[] => {
  const len = 20 + body.length;
  const head = [0x45, 0, len >> 8, len & 255, 0x12, 0x34, 0, 0, 64, protocol, 0, 0];
  const bytes = [...head, ...from.split('.').map(Number), ...to.split('.').map(Number)];
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += (bytes[i]! << 8) + bytes[i + 1]!;
  sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
  bytes.splice(10, 2, sum >> 8, sum & 255);
  return [...bytes, ...body];
};
const udp = (sport: number, dport: number, text: string): number[] => {
  const len = 8 + text.length;
  return [sport >> 8, sport & 255, dport >> 8, dport & 255, len >> 8, len & 255, 0, 0, ...Buffer.from(text)];
};

/** ns a: a0 10.9.0.1/24 ─── veth ─── b0 10.9.0.2/24 :ns b, the realserver, VIP 10.5.0.1 on lo */
describe.skipIf(!isRoot)('raw sockets', () => {
  let spaces: Namespaces;
  let a: string;
  let b: string;
  const open: { close(): void }[] = [];

  beforeEach(() => {
    spaces = new Namespaces('raw');
    a = spaces.add('a');
    b = spaces.add('b');
    spaces.veth(a, 'a0', b, 'b0');
    spaces.run(a, 'ip addr add 10.9.0.1/24 dev a0');
    spaces.run(
      b,
      'ip addr add 10.9.0.2/24 dev b0; ip addr add 10.5.0.1/32 dev lo; sysctl -qw net.ipv4.conf.all.rp_filter=0',
    );
  });
  afterEach(() => {
    for (const thing of open.splice(0)) thing.close();
    spaces.remove();
  });
  function make<T extends { close(): void }>(space: string, work: () => T): T {
    const made = spaces.inside(space, work);
    open.push(made);
    return made;
  }

  it('sends whole packets by the routes of the host, IPv4 and IPv6', async () => {
    for (const [space, name, host] of [
      [a, 'a0', 1],
      [b, 'b0', 2],
    ] as const)
      spaces.run(
        space,
        `sysctl -qw net.ipv6.conf.${name}.disable_ipv6=0; ip addr add fd09::${host}/64 dev ${name} nodad`,
      );
    const umem = new Umem(64);
    const seen = make(b, () => new PacketDevice(umem, 'b0'));
    const sender = make(a, () => new RawSender());
    const packet = ip(17, '10.1.2.3', '10.9.0.2', udp(5, 6, 'hello'));
    const six = [0xfd, 9, ...Array<number>(13).fill(0)];
    const packet6 = [0x60, 0, 0, 0, 0, 8, 59, 64, ...six, 7, ...six, 2, 1, 2, 3, 4, 5, 6, 7, 8];
    spaces.inside(a, () => {
      sender.send(Uint8Array.from(packet));
      sender.send(Uint8Array.from(packet6));
      sender.send(Uint8Array.from(ip(17, '10.1.2.3', '172.16.0.1', udp(5, 6, 'no route'))));
      sender.send(Uint8Array.of(0x45, 0, 0));
    });
    const isOurs = (frame: Uint8Array) => frame[23] === 17 || frame[20] === 59;
    const got = (await collect(seen, umem, (all) => all.filter(isOurs).length >= 2)).filter(isOurs);
    const bodies = got.map((frame) => Buffer.from(frame.subarray(14)).toString('hex'));
    expect(bodies.toSorted()).toEqual([packet, packet6].map((bytes) => Buffer.from(bytes).toString('hex')));
    for (let i = 0; i < 50 && sender.stats.dropped < 2; i++) await new Promise((done) => setTimeout(done, 10));
    expect(sender.stats).toEqual({ sent: 2, dropped: 2 });
  });

  it('takes packets out of IPIP and lets the realserver answer the client', async () => {
    const umem = new Umem(64);
    const director = make(a, () => new PacketDevice(umem, 'a0'));
    const endpoint = make(b, () => new TunnelEndpoint(umem, new TunDevice(umem, 'tunl9')));
    await spaces.serve(
      b,
      `const s=require('dgram').createSocket('udp4');
      s.on('message',(m,r)=>s.send('from '+m,r.port,r.address)).bind(53,'10.5.0.1',()=>console.log('ready'))`,
    );
    const ethernet = [2, 0, 0, 0, 0, 0xb0, 2, 0, 0, 0, 0, 0xa0, 8, 0];
    const inner = ip(17, '10.9.0.1', '10.5.0.1', udp(4000, 53, 'client'));
    send(director, umem, [
      Uint8Array.from([...ethernet, ...ip(4, '10.9.0.1', '10.9.0.2', inner)]),
      Uint8Array.from([...ethernet, ...ip(4, '10.9.0.1', '10.9.0.2', inner.slice(0, 25))]),
      Uint8Array.from([...ethernet, ...ip(4, '10.9.0.1', '10.9.0.2', [])]),
    ]);
    const isReply = (frame: Uint8Array) => frame[12] === 8 && frame[23] === 17;
    const got = (await collect(director, umem, (all) => all.some(isReply) && endpoint.stats.malformed === 2)).filter(
      isReply,
    );
    expect(Buffer.from(got[0]!.subarray(26, 34))).toEqual(Buffer.from([10, 5, 0, 1, 10, 9, 0, 1]));
    expect(Buffer.from(got[0]!.subarray(42)).toString()).toBe('from client');
    expect(wrongIn(got[0]!)).toBe('');
    expect(endpoint.stats).toEqual({ packets: 1, bytes: inner.length, malformed: 2, dropped: 0 });
    expect(umem.freeFrames).toBe(64);
  });

  it('takes packets out of GRE and GUE', async () => {
    const umem = new Umem(64);
    const director = make(a, () => new PacketDevice(umem, 'a0'));
    const options = { types: ['gre', 'gue'], guePort: 6080 } as const;
    const endpoint = make(b, () => new TunnelEndpoint(umem, new TunDevice(umem, 'tunl9'), options));
    const ethernet = [2, 0, 0, 0, 0, 0xb0, 2, 0, 0, 0, 0, 0xa0, 8, 0];
    const inner = ip(17, '10.9.0.1', '10.5.0.1', udp(4000, 53, 'client'));
    const [gre, gue] = [
      [0, 0, 8, 0],
      [0, 4, 0, 0],
    ].map((header) => [...header, ...inner]);
    const datagram = udp(5000, 6080, Buffer.from(gue!).toString('latin1'));
    const arrives = () => {
      send(director, umem, [
        Uint8Array.from([...ethernet, ...ip(47, '10.9.0.1', '10.9.0.2', gre!)]),
        Uint8Array.from([...ethernet, ...ip(17, '10.9.0.1', '10.9.0.2', datagram)]),
      ]);
      return endpoint.stats.packets >= 2;
    };
    for (let i = 0; i < 100 && !arrives(); i++) await new Promise((done) => setTimeout(done, 20));
    expect(endpoint.stats.packets).toBeGreaterThanOrEqual(2);
    expect(endpoint.stats).toMatchObject({ malformed: 0, dropped: 0 });
  });
});
