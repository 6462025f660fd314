/** CapDevice on a veth pair. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CapDevice } from '../../src/device/cap.js';
import { PacketDevice } from '../../src/device/packet/packet.js';
import { Umem } from '../../src/device/umem.js';
import { collect, isPlain, plainFrame, send, wrongIn } from '../support/frames.js';
import { isRoot, Namespaces } from '../support/netns.js';
import { packet } from '../support/packet.js';

if (!isRoot) console.log('cap: skipped, needs root for namespaces');

const MAC = '02:00:00:00:00:01';

/** ns a: a0 10.9.0.1/24 ─── veth ─── b0 10.9.0.2/24 :ns b */
describe.skipIf(!isRoot)('CapDevice', () => {
  let spaces: Namespaces;
  let a: string;
  let b: string;
  const open: { close(): void }[] = [];

  beforeEach(() => {
    spaces = new Namespaces('cap');
    a = spaces.add('a');
    b = spaces.add('b');
    spaces.veth(a, 'a0', b, 'b0');
    spaces.run(a, 'ip addr add 10.9.0.1/24 dev a0');
    spaces.run(b, 'ip addr add 10.9.0.2/24 dev b0');
  });
  afterEach(() => {
    for (const device of open.splice(0)) device.close();
    spaces.remove();
  });

  function make<T extends { close(): void }>(space: string, work: () => T): T {
    const made = spaces.inside(space, work);
    open.push(made);
    return made;
  }

  it('carries frames both ways byte by byte, and does not see its own', async () => {
    const umem = new Umem(1024);
    const cap = make(b, () => new CapDevice(umem, 'b0'));
    const other = make(a, () => new PacketDevice(umem, 'a0'));
    const wanted = Array.from({ length: 200 }, (_, i) => plainFrame(60 + ((i * 37) % 1455), i));
    const bytes = wanted.reduce((sum, frame) => sum + frame.length, 0);
    expect(send(cap, umem, wanted)).toBe(200);
    const out = (await collect(other, umem, (all) => all.filter(isPlain).length >= 200)).filter(isPlain);
    expect(out.map(hex)).toEqual(wanted.map(hex));
    send(other, umem, wanted);
    const back = (await collect(cap, umem, (all) => all.filter(isPlain).length >= 200)).filter(isPlain);
    expect(back.map(hex)).toEqual(wanted.map(hex));
    expect(cap.stats).toMatchObject({ txPackets: 200, txBytes: bytes, rxPackets: 200, rxBytes: bytes, rxDropped: 0 });
    expect(umem.freeFrames).toBe(1024);
  });

  it('completes partial checksums and segments GSO packets, which libpcap does not announce', async () => {
    const umem = new Umem(4096);
    const cap = make(b, () => new CapDevice(umem, 'b0', { filter: 'tcp', queue: 4096 }));
    const listen = "listen(7000,'10.9.0.2',()=>console.log('ready'))";
    await spaces.serve(b, `require('net').createServer((c)=>c.resume()).${listen}`);
    spaces.node(a, `require('net').connect(7000,'10.9.0.2').end(Buffer.alloc(300000,7))`);
    const got = await collect(cap, umem, (all) => all.some((frame) => (frame[47]! & 1) !== 0));
    expect(got.map(wrongIn).filter((wrong) => wrong !== '')).toEqual([]);
    expect(Math.max(...got.map((frame) => frame.length))).toBe(1514);
    const payload = got.reduce((sum, f) => sum + (f[16]! << 8) + f[17]! - 20 - (f[46]! >> 4) * 4, 0);
    expect(payload).toBeGreaterThanOrEqual(300000);
    expect(umem.freeFrames).toBe(4096);
  });

  it('segments GSO packets of a sender that was told of a smaller MTU for that MTU', async () => {
    const umem = new Umem(4096);
    const cap = make(b, () => new CapDevice(umem, 'b0', { filter: 'tcp', queue: 4096 }));
    const quoted = packet()
      .eth(MAC, MAC)
      .ipv4({ src: '10.9.0.1', dst: '10.9.0.2' })
      .tcp({ sport: 1, dport: 7000 })
      .bytes();
    const ip = packet().eth(MAC, MAC).ipv4({ src: '10.9.0.2', dst: '10.9.0.1' });
    const tooBig = ip.icmp({ type: 3, code: 4 }).payload(quoted.subarray(14)).bytes();
    tooBig.set([1400 >> 8, 1400 & 255], 14 + 20 + 6);
    send(cap, umem, [tooBig]);
    const listen = "listen(7000,'10.9.0.2',()=>console.log('ready'))";
    await spaces.serve(b, `require('net').createServer((c)=>c.resume()).${listen}`);
    spaces.node(a, `require('net').connect(7000,'10.9.0.2').end(Buffer.alloc(300000,7))`);
    const got = await collect(cap, umem, (all) => all.some((frame) => (frame[47]! & 1) !== 0));
    expect(Math.max(...got.map(({ length }) => length))).toBe(14 + 1400);
    expect(got.map(wrongIn).filter((wrong) => wrong !== '')).toEqual([]);
  });

  it('takes only what the filter says; a full queue drops and counts; close gives frames back', async () => {
    const umem = new Umem(64);
    const cap = make(b, () => new CapDevice(umem, 'b0', { filter: 'ether proto 0x88b5', queue: 10 }));
    const other = make(a, () => new PacketDevice(umem, 'a0'));
    const alien = plainFrame(60, 1);
    alien[13] = 0xb6;
    send(other, umem, [alien, ...Array.from({ length: 15 }, (_, i) => plainFrame(60, i))]);
    for (let i = 0; i < 100 && cap.stats.rxDropped < 5; i++) await new Promise((done) => setTimeout(done, 5));
    expect(cap.stats.rxDropped).toBe(5);
    expect(umem.freeFrames).toBe(54);
    cap.close();
    expect(umem.freeFrames).toBe(64);
  });

  it('says in one line what is wrong', () => {
    const umem = new Umem(4);
    expect(() => make(b, () => new CapDevice(umem, 'nope0'))).toThrow('nope0: no such network interface');
    expect(() => make(b, () => new CapDevice(umem, 'b0', { filter: 'no such thing' }))).toThrow(
      /^b0: libpcap refuses it \(.*\); the filter was/,
    );
  });
});

function hex(frame: Uint8Array): string {
  return Buffer.from(frame).toString('hex');
}
