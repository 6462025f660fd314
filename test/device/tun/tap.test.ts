/** TapDevice and TunDevice on real interfaces. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Batch } from '../../../src/device/batch.js';
import { PacketDevice } from '../../../src/device/packet/packet.js';
import { TapDevice, TunDevice } from '../../../src/device/tun/tap.js';
import { Umem } from '../../../src/device/umem.js';
import { interfaceHardware, interfaceMtu } from '../../../src/sys/interface.js';
import { collect, isPlain, plainFrame, send, wrongIn } from '../../support/frames.js';
import { isRoot, Namespaces } from '../../support/netns.js';

if (!isRoot) console.log('tap: skipped, needs root for namespaces');

describe.skipIf(!isRoot)('TapDevice and TunDevice', () => {
  let spaces: Namespaces;
  let a: string;
  const open: { close(): void }[] = [];

  beforeEach(() => {
    spaces = new Namespaces('tap');
    a = spaces.add('a');
  });
  afterEach(() => {
    for (const device of open.splice(0)) device.close();
    spaces.remove();
  });

  function make<T extends { close(): void }>(work: () => T): T {
    const made = spaces.inside(a, work);
    open.push(made);
    return made;
  }

  it('carries frames both ways, byte by byte', async () => {
    const umem = new Umem(256);
    const tap = make(() => new TapDevice(umem, 'ulvs0'));
    const other = make(() => new PacketDevice(umem, 'ulvs0'));
    const wanted = Array.from({ length: 200 }, (_, i) => plainFrame(60 + ((i * 37) % 1455), i));
    expect(send(tap, umem, wanted)).toBe(200);
    const in_ = (await collect(other, umem, (all) => all.filter(isPlain).length >= 200)).filter(isPlain);
    expect(in_.map(hex)).toEqual(wanted.map(hex));
    expect(send(other, umem, wanted)).toBe(200);
    const out = (await collect(tap, umem, (all) => all.filter(isPlain).length >= 200)).filter(isPlain);
    expect(out.map(hex)).toEqual(wanted.map(hex));
    const bytes = wanted.reduce((sum, frame) => sum + frame.length, 0);
    expect(tap.stats).toMatchObject({ txPackets: 200, txBytes: bytes, rxPackets: 200, rxBytes: bytes, rxOversize: 0 });
    expect(umem.freeFrames).toBe(256);
  });

  it('sets address and MTU, and is gone when closed', () => {
    const umem = new Umem(4);
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 7);
    const tap = spaces.inside(a, () => new TapDevice(umem, 'ulvs%d', { mac, mtu: 1400 }));
    expect(tap.name).toBe('ulvs0');
    spaces.inside(a, () => {
      expect(interfaceMtu('ulvs0')).toBe(1400);
      expect(interfaceHardware('ulvs0').mac).toEqual(mac);
    });
    tap.close();
    expect(tap.rx(new Batch())).toBe(0);
    expect(spaces.run(a, 'ip -o link')).not.toContain('ulvs0');
  });

  it('counts frames too long for the Umem and frames nobody takes, and leaks none', async () => {
    const small = new Umem(16, 1024);
    const jumbo = new Umem(16, 4096);
    const tap = make(() => new TapDevice(small, 'ulvs0'));
    const other = make(() => new PacketDevice(jumbo, 'ulvs0'));
    send(other, jumbo, [plainFrame(765, 1), plainFrame(766, 2), plainFrame(1400, 3)]);
    expect((await collect(tap, small, (all) => all.length >= 1, 300)).map((frame) => frame.length)).toEqual([765]);
    expect(tap.stats.rxOversize).toBe(2);
    spaces.run(a, 'ip link set ulvs0 down');
    expect(send(tap, small, [plainFrame(60, 1)])).toBe(0);
    expect(tap.stats).toMatchObject({ txDropped: 1, txPackets: 0 });
    expect([small.freeFrames, jumbo.freeFrames]).toEqual([16, 16]);
  });

  it('hands IP packets to the host and takes what the host sends, with finished checksums', async () => {
    const umem = new Umem(64);
    const tun = make(() => new TunDevice(umem, 'ulvs0'));
    spaces.run(a, 'ip addr add 10.7.0.1/24 dev ulvs0');
    spaces.node(
      a,
      `const s=require('dgram').createSocket('udp4');s.on('message',(m,r)=>s.send('pong',r.port,r.address)).bind(9);
      setInterval(()=>s.send('ping',5,'10.7.0.9'),50)`,
    );
    const isUdp = (frame: Uint8Array) => frame[12] === 8 && frame[23] === 17;
    const [ping] = (await collect(tun, umem, (all) => all.some(isUdp))).filter(isUdp);
    expect(wrongIn(ping!)).toBe('');
    expect(Buffer.from(ping!.subarray(0, 14)).toString('hex')).toBe('0000000000000000000000000800');
    expect(Buffer.from(ping!.subarray(42)).toString()).toBe('ping');
    const back = Uint8Array.from(ping!); // addresses and ports exchanged: no checksum changes
    back.set(ping!.subarray(26, 30), 30);
    back.set(ping!.subarray(30, 34), 26);
    back.set(ping!.subarray(34, 36), 36);
    back.set(ping!.subarray(36, 38), 34);
    send(tun, umem, [back]);
    const isPong = (frame: Uint8Array) => isUdp(frame) && Buffer.from(frame.subarray(42)).toString() === 'pong';
    expect((await collect(tun, umem, (all) => all.some(isPong))).some(isPong)).toBe(true);
    expect(umem.freeFrames).toBe(64);
  });

  it('says in one line what is wrong', () => {
    const umem = new Umem(4);
    make(() => new TapDevice(umem, 'ulvs0'));
    expect(() => make(() => new TapDevice(umem, 'ulvs0'))).toThrow(
      'ulvs0: already in use by another process (TUNSETIFF)',
    );
    expect(() => make(() => new TapDevice(umem, 'lo'))).toThrow(
      'lo: an interface of this name exists and is no TAP; choose another name, or another kind',
    );
  });
});

function hex(frame: Uint8Array): string {
  return Buffer.from(frame).toString('hex');
}
