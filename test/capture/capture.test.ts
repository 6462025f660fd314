/**
 * Captures (pcap, pcapng) and frames.jsonl: what is read, what is written, and the words about a
 * broken file.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frameRow, parseScript, readScript } from '../../src/capture/jsonl.js';
import { PcapWriter, parseCapture, readCapture } from '../../src/capture/pcap.js';
import { plainFrame } from '../support/frames.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ulvs-capture-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const frames = [60, 61, 1514, 100].map((len, i) => plainFrame(len, i));

/** A pcap in any byte order and resolution, made without PcapWriter. */
function pcap(little: boolean, nano: boolean, link = 1): Uint8Array {
  const parts = [Buffer.alloc(24)];
  const put = (buffer: Buffer, at: number, value: number) =>
    little ? buffer.writeUInt32LE(value, at) : buffer.writeUInt32BE(value, at);
  put(parts[0]!, 0, nano ? 0xa1b23c4d : 0xa1b2c3d4);
  put(parts[0]!, 20, link);
  for (const [i, frame] of frames.entries()) {
    const head = Buffer.alloc(16);
    [1000 + i, nano ? 500_000_000 : 500_000, frame.length, frame.length].forEach((value, k) => {
      put(head, k * 4, value);
    });
    parts.push(head, Buffer.from(frame));
  }
  return Buffer.concat(parts);
}

/**
 * A pcapng with two interfaces (the second in milliseconds), an unknown block and a simple packet.
 */
function pcapng(little: boolean): Uint8Array {
  const u32 = (...values: number[]) => {
    const buffer = Buffer.alloc(values.length * 4);
    for (const [i, value] of values.entries())
      if (little) buffer.writeUInt32LE(value, i * 4);
      else buffer.writeUInt32BE(value, i * 4);
    return buffer;
  };
  const u16 = (a: number, b: number) => (little ? u32(a | (b << 16)) : u32((a << 16) | b));
  const block = (type: number, ...body: Buffer[]) => {
    const bytes = Buffer.concat(body);
    const padded = Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
    return Buffer.concat([u32(type, padded.length + 12), padded, u32(padded.length + 12)]);
  };
  const packet = (id: number, t: number, frame: Uint8Array) =>
    block(6, u32(id, 0, t, frame.length, frame.length), Buffer.from(frame));
  return Buffer.concat([
    block(0x0a0d0d0a, u32(0x1a2b3c4d), u16(1, 0), u32(0xffffffff, 0xffffffff)),
    block(1, u16(1, 0), u32(0), u16(2, 4), Buffer.from('eth0'), u32(0)),
    block(1, u16(1, 0), u32(0), u16(2, 5), Buffer.from('eth10\0\0\0'), u16(9, 1), Buffer.from([3, 0, 0, 0]), u32(0)),
    block(0x0bad, u32(1, 2, 3)),
    packet(0, 2500, frames[0]!),
    packet(1, 7, frames[1]!),
    block(3, u32(frames[2]!.length), Buffer.from(frames[2]!)),
  ]);
}

describe('captures', () => {
  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('pcap, little-endian %s, nanoseconds %s', (little, nano) => {
    const read = parseCapture(pcap(little, nano), 'x.pcap');
    expect(read.warnings).toEqual([]);
    expect(read.frames.map((frame) => frame.t)).toEqual([1000500, 1001500, 1002500, 1003500]);
    expect(read.frames.map((frame) => Buffer.from(frame.bytes))).toEqual(frames.map((frame) => Buffer.from(frame)));
  });

  it.each([true, false])('pcapng, little-endian %s', (little) => {
    const read = parseCapture(pcapng(little), 'x.pcapng');
    expect(read.warnings).toEqual([]);
    expect(read.frames.map(({ t, if: name }) => [t, name])).toEqual([
      [2.5, 'eth0'],
      [7, 'eth10'],
      [0, 'eth0'],
    ]);
    expect(read.frames.map((frame) => Buffer.from(frame.bytes))).toEqual(
      frames.slice(0, 3).map((frame) => Buffer.from(frame)),
    );
  });

  it('writes what it reads, and tcpdump reads it too', () => {
    const path = join(dir, 'out.pcap');
    const writer = new PcapWriter(path);
    for (let i = 0; i < 300; i++) writer.write(1_700_000_000_000 + i + 0.25, frames[i % 4]!);
    writer.write(1_700_000_001_000, new Uint8Array(100_000));
    writer.close();
    const read = readCapture(path);
    expect(read.frames.length).toBe(301);
    expect(read.frames[299]).toMatchObject({ t: 1_700_000_000_299.25, bytes: frames[3] });
    expect(read.frames[300]!.bytes.length).toBe(100_000);
    const lines = execFileSync('tcpdump', ['-nr', path, '-tt', '-c', '2'], { encoding: 'utf8', stdio: 'pipe' }).split(
      '\n',
    );
    expect(lines.some((line) => line.startsWith('1700000000.001250'))).toBe(true);
  });

  it('never throws anything but a one-line error, wherever a file is cut', () => {
    for (const whole of [pcap(true, false), pcapng(true), pcapng(false)])
      for (let len = 0; len < whole.length; len++) {
        try {
          expect(parseCapture(whole.subarray(0, len), 'x').frames.length).toBeLessThan(5);
        } catch (error) {
          expect(String(error)).toMatch(/^DeviceError: x: [^\n]+$/);
        }
      }
  });

  it('never throws anything else for changed bytes either', () => {
    let seed = 7;
    const random = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed >>> 8;
    };
    for (let i = 0; i < 3000; i++) {
      const bytes = Uint8Array.from(i % 2 === 0 ? pcap(true, false) : pcapng(i % 4 === 1));
      for (let k = 0; k < 3; k++) bytes[random() % 200] = random();
      try {
        parseCapture(bytes, 'x');
      } catch (error) {
        expect(String(error)).toMatch(/^DeviceError: x: [^\n]+$/);
      }
    }
  });

  it('says which file and what is wrong, or warns', () => {
    const whole = pcap(true, false);
    expect(parseCapture(whole.subarray(0, whole.length - 1), 'x.pcap').warnings).toEqual([
      'x.pcap: ends in the middle of record 4; the records before it are used',
    ]);
    expect(() => parseCapture(pcap(true, false, 113), 'x.pcap')).toThrow(
      "x.pcap: link type 113 is not Ethernet; capture on one interface, not on 'any'",
    );
    expect(() => parseCapture(Buffer.alloc(100, 'hello'), 'x.txt')).toThrow(
      'x.txt: neither pcap nor pcapng; it begins with 68656c6c',
    );
    expect(() => readCapture(join(dir, 'none'))).toThrow(`${join(dir, 'none')}: cannot be read (ENOENT)`);
    expect(() => new PcapWriter(join(dir, 'no/dir'))).toThrow('cannot be written (ENOENT)');
  });
});

describe('frames.jsonl', () => {
  it('reads frames, commands and the end, and writes the same row', () => {
    const line = '{"t":2.5,"if":"eth1","hex":"0200ff","is":"[Ethernet header needs 14 bytes, has 3]"}';
    const lines = parseScript(`${line}\n\n{"t":5,"cmd":"ipvsadm -Ln"}\n{"t":9,"end":1}\n`, 'f');
    expect(lines).toEqual([
      { kind: 'frame', index: 0, t: 2.5, if: 'eth1', bytes: Uint8Array.of(2, 0, 255) },
      { kind: 'command', index: 1, t: 5, cmd: 'ipvsadm -Ln' },
      { kind: 'end', index: 2, t: 9 },
    ]);
    if (lines[0]?.kind === 'frame') expect(JSON.stringify(frameRow(lines[0]))).toBe(line);
  });

  it.each([
    ['{"t":0,"if":"e","hex":"123"}', 'f:1: "hex" has an odd number of digits (3)'],
    ['{"t":0,"if":"e","hex":"1g"}', `f:1: "hex" has 'g' at digit 2`],
    ['{"t":-1,"if":"e","hex":""}', 'f:1: "t" must be a number'],
    ['{"t":0,"hex":"00"}', 'f:1: "if" must name an interface'],
    ['{"t":0,"if":"e"}', 'f:1: has no "hex", "cmd" or "end"'],
    ['[]', 'f:1: not a JSON object'],
    ['\n{"t":', 'f:2: not JSON'],
  ])('refuses %s', (text, message) => expect(() => parseScript(text, 'f')).toThrow(message));

  it('does not look at what a frame is said to be', () => {
    const row = { t: 0, if: 'e', hex: '0200ff' };
    const said = ['a SYN', '', 7, null].map((is) => parseScript(JSON.stringify({ ...row, is }), 'f'));
    for (const lines of said) expect(lines).toEqual(parseScript(JSON.stringify(row), 'f'));
  });

  it('reads a file', () => {
    writeFileSync(join(dir, 'f.jsonl'), '{"t":0,"if":"eth0","hex":"00"}');
    expect(readScript(join(dir, 'f.jsonl')).length).toBe(1);
    expect(() => readScript(join(dir, 'g.jsonl'))).toThrow('cannot be read (ENOENT)');
  });
});
