/** Messages of synchronisation: decode(encode(x)) = x, both versions, and random bytes. */
import { describe, expect, it } from 'vitest';
import { BACKUP_MASK, CONN_MOST, connSize, Fault, SyncConn, SyncFlag, writeConn } from '../../src/wire/sync.js';
import { encodeMessage, readConns, readHeader } from '../../src/wire/sync-message.js';
import { writeConnV0 } from '../../src/wire/sync-v0.js';
import { Random } from '../support/seed.js';

const RUNS = Number(process.env.ULVS_RUNS ?? 3000);

function randomConn(random: Random, family = random.pick([4, 6])): SyncConn {
  const conn = new SyncConn();
  conn.family = family;
  conn.protocol = random.pick([6, 17, 132]);
  conn.flags = (random.i32() & BACKUP_MASK) | SyncFlag.sync;
  conn.state = conn.protocol === 17 ? 0 : random.below(11);
  for (const key of ['cport', 'vport', 'dport'] as const) conn[key] = random.u16();
  conn.fwmark = random.i32();
  conn.timeout = random.u32();
  for (const words of [conn.caddr, conn.vaddr, conn.daddr])
    for (let i = family === 6 ? 0 : 3; i < 4; i++) words[i] = random.i32();
  conn.hasSequences = random.bool();
  if (conn.hasSequences) conn.sequences.set(Array.from({ length: 6 }, () => random.i32()));
  if (random.bool()) {
    conn.peBytes = Uint8Array.from({ length: random.between(1, 255) }, () => random.u8());
    conn.peLength = conn.peBytes.length;
    conn.peName = 'sip';
  }
  return conn;
}

/** The parts that a message carries. */
function partsOf({ peBytes, peAt, peLength, sequences, hasSequences, ...rest }: SyncConn) {
  const pe = [...peBytes.subarray(peAt, peAt + peLength)];
  return { ...rest, pe, sequences: hasSequences ? [...sequences] : [] };
}

function decoded(bytes: Uint8Array): { parts: ReturnType<typeof partsOf>[]; sound: boolean } {
  const conn = new SyncConn();
  const parts: ReturnType<typeof partsOf>[] = [];
  const sound = readConns(bytes, conn, (fault) => fault === Fault.none && parts.push(structuredClone(partsOf(conn))));
  return { parts, sound };
}

describe('a message of version 1', () => {
  it('has the connections that were put into it', () => {
    const random = new Random();
    for (let i = 0; i < 300; i++) {
      const conns = Array.from({ length: random.below(6) }, () => randomConn(random));
      const bytes = encodeMessage(7, conns);
      expect(readHeader(bytes)).toEqual({ version: 1, syncid: 7, connections: conns.length });
      expect(decoded(bytes), `seed ${random.seed}, run ${i}`).toEqual({ sound: true, parts: conns.map(partsOf) });
    }
  });

  it('fits the longest connection into the room that is kept for one', () => {
    const conn = randomConn(new Random(), 6);
    conn.hasSequences = true;
    conn.peLength = 255;
    conn.peName = 'a'.repeat(16);
    conn.peBytes = new Uint8Array(255);
    expect(connSize(conn)).toBe(CONN_MOST);
    expect(writeConn(new DataView(new ArrayBuffer(CONN_MOST)), 0, conn)).toBe(CONN_MOST);
  });
});

it('a message of version 0 has addresses, ports, state and little-endian sequence numbers', () => {
  const random = new Random();
  const conn = randomConn(random, 4);
  conn.hasSequences = true;
  conn.flags |= SyncFlag.outSeq;
  const bytes = new Uint8Array(4 + 48);
  const view = new DataView(bytes.buffer);
  expect(writeConnV0(view, 4, conn)).toBe(48);
  bytes.set([1, 9, 0, 52]);
  expect(readHeader(bytes)).toEqual({ version: 0, syncid: 9, connections: 1 });
  expect(view.getInt32(28, true)).toBe(conn.sequences[0]);
  const wanted = { ...partsOf(conn), fwmark: 0, timeout: 0, pe: [], peName: '' };
  expect(decoded(bytes)).toEqual({ sound: true, parts: [wanted] });
});

/** ULVS_RUNS=1000000 for the long run. */
it('bytes that are damaged cause no exception', { timeout: 3_600_000 }, () => {
  const random = new Random();
  for (let i = 0; i < RUNS; i++) {
    const bytes = encodeMessage(1, [randomConn(random), randomConn(random)]);
    for (let n = random.below(8); n >= 0; n--) bytes[random.below(bytes.length)] = random.u8();
    const cut = bytes.subarray(0, random.below(4) === 0 ? random.below(bytes.length + 1) : bytes.length);
    readHeader(cut.length >= 4 ? cut : bytes);
    const { parts } = decoded(cut.length >= 4 ? cut : bytes);
    expect(parts.length).toBeLessThanOrEqual(255);
  }
});
