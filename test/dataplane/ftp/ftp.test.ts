/**
 * Tests the FTP helper on packets, in cases that the recordings (test/conformance/recorded/ftp) do
 * not have.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { ftpIn, ftpOut } from '../../../src/dataplane/ftp/ftp.js';
import { parse } from '../../../src/dataplane/parse/parse.js';
import { FrameStat } from '../../../src/stats/counters.js';
import { Drop } from '../../../src/stats/drops.js';
import { offlineNames } from '../../../src/ulvsadm/names.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import { NETWORK } from '../../support/network.js';
import { checkFrame, packet } from '../../support/packet.js';
import type { TcpWords } from '../../support/packet-words.js';

const config = (more = '') => NETWORK + more;
const V4 = { client: '10.0.0.1', vip: '10.0.0.100', server: '192.168.1.11' };
const V6 = { client: '2001:db8::1', vip: '2001:db8::100', server: '2001:db8:1::11' };
type Words = Partial<TcpWords> & { data?: string; df?: boolean };

let sent: Uint8Array[];
let box: InProcessDirector;

async function admin(line: string): Promise<string> {
  const { out, err } = await ulvsadm(line.split(' '), () => '', box, { names: offlineNames() });
  return out + err;
}

async function begin(more = ''): Promise<void> {
  sent = [];
  box = new InProcessDirector(parseConfig(config(more), 'test.yaml'), (_, bytes) => sent.push(bytes));
  for (const [vip, server] of [
    ['10.0.0.100', '192.168.1.11'],
    ['[2001:db8::100]', '[2001:db8:1::11]'],
  ]) {
    await admin(`-A -t ${vip}:21 -s rr`);
    await admin(`-a -t ${vip}:21 -r ${server}:21 -m`);
  }
}
beforeEach(() => begin());

function frame(device: 0 | 1, src: string, dst: string, sport: number, dport: number, words: Words): Uint8Array {
  const { data = '', df = true, ...rest } = words;
  const macs = [`02:00:00:00:${device === 0 ? 'c0:01' : 'a0:11'}`, `02:00:00:00:0d:0${device}`] as const;
  const eth = packet().eth(...macs);
  const ip = src.includes(':') ? eth.ipv6({ src, dst }) : eth.ipv4({ src, dst, df });
  const segment = ip.tcp({ sport, dport, flags: 'A', seq: 1, ack: 1, ...rest });
  return (data === '' ? segment : segment.payload(new TextEncoder().encode(data))).bytes();
}
const fromClient = (words: Words, at = V4) => box.receive(0, frame(0, at.client, at.vip, 4000, 21, words));
const fromServer = (words: Words, at = V4) => box.receive(1, frame(1, at.server, at.client, 21, 4000, words));

function open(at = V4): void {
  fromClient({ flags: 'S', seq: 1000, ack: 0 }, at);
  fromServer({ flags: 'SA', seq: 5000, ack: 1001 }, at);
  fromClient({ seq: 1001, ack: 5001 }, at);
}
function pasv(): void {
  fromClient({ seq: 1001, ack: 5001, flags: 'PA', data: 'PASV\r\n' });
}
const LINE = '227 Entering Passive Mode (192,168,1,11,117,49).\r\n';
const SHORTER = '227 Entering Passive Mode (10,0,0,100,117,49).\r\n';

/** The text of the segment in a sent frame. */
function textOf(bytes: Uint8Array): string {
  const l4 = 14 + (bytes[14]! >>> 4 === 4 ? (bytes[14]! & 15) * 4 : 40);
  return Buffer.from(bytes.subarray(l4 + (bytes[l4 + 12]! >>> 4) * 4)).toString('latin1');
}
const seqOf = (bytes: Uint8Array, at: number) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
const last = () => sent.at(-1)!;

describe('the answer to PASV', () => {
  it('carries the VIP, and everything around it is right', () => {
    open();
    pasv();
    fromServer({ flags: 'PA', seq: 5001, ack: 1007, data: LINE });
    expect(textOf(last())).toBe(SHORTER);
    expect(last()).toHaveLength(14 + 40 + SHORTER.length);
    fromServer({ flags: 'PA', seq: 5001 + LINE.length, ack: 1007, data: '150 ok\r\n' });
    expect(seqOf(last(), 38)).toBe(5001 + SHORTER.length);
    for (const bytes of sent) expect(checkFrame(bytes)).toEqual([]);
  });

  it('drops nobody when it grows, but what then exceeds the MTU with DF set: the VIP says so', () => {
    open();
    pasv();
    const line = '227 ok (1,2,3,4,117,49)\r\n';
    const data = line + 'x'.repeat(1460 - line.length);
    fromServer({ flags: 'PA', seq: 5001, ack: 1007, data });
    expect(box.director.counters.drops(Drop.mtuExceeded)).toBe(1);
    const icmp = last();
    expect([...icmp.subarray(26, 34)]).toEqual([10, 0, 0, 100, 192, 168, 1, 11]);
    expect([...icmp.subarray(34, 36)]).toEqual([3, 4]);
    expect(seqOf(icmp, 38)).toBe(1500);
    expect(checkFrame(icmp)).toEqual([]);
  });

  it('is not made, and the segment dropped, when the table is full', async () => {
    await begin('connections: { max: 1 }');
    open();
    pasv();
    const before = sent.length;
    fromServer({ flags: 'PA', seq: 5001, ack: 1007, data: LINE });
    expect(sent).toHaveLength(before);
    expect(box.director.counters.drops(Drop.tableFull)).toBe(1);
  });

  it('shifts SACK blocks behind one NOP as well, where they straddle the checksum', () => {
    open();
    pasv();
    fromServer({ flags: 'PA', seq: 5001, ack: 1007, data: LINE });
    const edge = 5001 + SHORTER.length + 10;
    const data = Uint8Array.of(0, 0, edge >> 8, edge & 255, 0, 0, (edge + 5) >> 8, (edge + 5) & 255);
    const options = [
      { kind: 1, data: new Uint8Array() },
      { kind: 5, data },
    ];
    fromClient({ seq: 1007, ack: 5001 + SHORTER.length, options });
    expect(seqOf(last(), 14 + 40 + 3)).toBe(edge + LINE.length - SHORTER.length);
    expect(checkFrame(last())).toEqual([]);
  });
});

describe('IPv6', () => {
  it('EPSV with an address is answered without one', () => {
    open(V6);
    fromClient({ seq: 1001, ack: 5001, flags: 'PA', data: 'EPSV 2\r\n' }, V6);
    fromServer({ flags: 'PA', seq: 5001, ack: 1009, data: '229 ok (|2|2001:db8:1::11|30001|)\r\n' }, V6);
    expect(textOf(last())).toBe('229 ok (|||30001|)\r\n');
    for (const bytes of sent) expect(checkFrame(bytes)).toEqual([]);
  });
});

describe('the books', () => {
  it('every frame has one verdict and is given back, whatever the text', () => {
    const { director } = box;
    const free = director.umem.freeFrames;
    open();
    for (const data of [
      'PASV\r\n',
      'PORT 10,0,0,1,78,32\r\n',
      'EPSV\r\n',
      'EPRT |1|10.0.0.1|9|\r\n',
      '',
      'x'.repeat(1460),
    ]) {
      fromClient({ seq: 1001, ack: 5001, flags: 'PA', data });
      for (const answer of [LINE, '229 (|||30001|)\r\n', '', 'x'.repeat(1460), '227 (', '229 (|||'])
        fromServer({ flags: 'PA', seq: 5001, ack: 1007, data: answer });
    }
    fromClient({ checksum: 0x1234 });
    fromServer({ checksum: 0x1234 });
    const { values } = director.counters;
    const verdicts =
      values[FrameStat.forwarded]! +
      values[FrameStat.delivered]! +
      values[FrameStat.passed]! +
      director.counters.drops(Drop.badChecksum);
    expect(director.counters.drops(Drop.badChecksum)).toBe(2);
    expect(verdicts).toBe(values[FrameStat.in]);
    expect(director.umem.freeFrames).toBe(free);
    box.advance(2_000_000);
    expect(director.connections.table.live).toBe(0);
    expect(director.connections.seqAdj.size).toBe(0);
    expect(director.connections.withoutPort).toBe(0);
  });

  it('with the helper off, nothing is read', async () => {
    await begin('helpers: { ftp: [] }');
    open();
    pasv();
    fromServer({ flags: 'PA', seq: 5001, ack: 1007, data: LINE });
    expect(textOf(last())).toBe(LINE);
    expect(box.director.connections.table.live).toBe(1);
  });
});

describe('packets that are no text', () => {
  it('allocate nothing', () => {
    open();
    pasv();
    fromServer({ flags: 'PA', seq: 5001, ack: 1007, data: LINE });
    const { director } = box;
    const { umem, packet: p, connections } = director;
    const entry = connections.table.findIn4(6, 0x0a000001, 0x0a000064, (4000 << 16) | 21);
    const growth = (bytes: Uint8Array, helper: typeof ftpIn) => {
      const at = umem.put(bytes);
      parse(umem.view, at, bytes.length, p);
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < 200_000; i++) helper(director, entry);
      const grown = process.memoryUsage().heapUsed - before;
      umem.free(at);
      return Math.abs(grown);
    };
    const ack = frame(0, V4.client, V4.vip, 4000, 21, { seq: 1007, ack: 5060 });
    const out = frame(1, V4.server, V4.client, 21, 4000, { seq: 5060, ack: 1007 });
    // One boxed number for each packet would be 2.4 MB. The first runs are not counted: V8 compiles
    // in them.
    expect(Math.min(...[0, 1, 2, 3, 4].map(() => growth(ack, ftpIn)))).toBeLessThan(300_000);
    expect(Math.min(...[0, 1, 2, 3, 4].map(() => growth(out, ftpOut)))).toBeLessThan(300_000);
  });
});
