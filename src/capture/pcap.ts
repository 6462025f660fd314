/**
 * Reads and writes pcap files (draft-ietf-opsawg-pcap): microseconds and nanoseconds, both byte
 * orders.
 *
 *     | magic 32 | version 16+16 | 0 | 0 | snaplen 32 | link type 32 |     24 bytes
 *     | seconds 32 | fraction 32 | bytes here 32 | bytes on the wire 32 | frame … |   for each frame
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { DeviceError } from '../device/error.js';
import { type Capture, cutFrames, LINK_ETHERNET, mustBeEthernet, slice, type TimedFrame } from './frame.js';
import { isPcapng, parsePcapng } from './pcapng.js';

const MICRO = 0xa1b2c3d4;
const NANO = 0xa1b23c4d;
const HEADER = 24;
const RECORD = 16;
/** Bytes of the longest frame; a longer length means a damaged file. */
const LONGEST = 0x40000;

/** Reads a pcap or pcapng file. Throws a DeviceError that names the file and the fault. */
export function readCapture(path: string): Capture {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new DeviceError(path, `cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`);
  }
  return parseCapture(bytes, path);
}

/** The same for bytes. `name` is the file's name in the errors. */
export function parseCapture(bytes: Uint8Array, name: string): Capture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isPcapng(view)) return parsePcapng(view, name);
  if (view.byteLength < HEADER)
    throw new DeviceError(name, `not a capture: ${view.byteLength} bytes are less than a pcap header`);
  const order = byteOrder(view);
  if (order === undefined)
    throw new DeviceError(name, 'neither pcap nor pcapng', `it begins with ${hex(view.getUint32(0))}`);
  mustBeEthernet(name, view.getUint32(20, order.little) & 0xffff);
  return records(view, name, order.little, order.perMs);
}

function byteOrder(view: DataView): { little: boolean; perMs: number } | undefined {
  for (const little of [true, false]) {
    const magic = view.getUint32(0, little);
    if (magic === MICRO) return { little, perMs: 1e3 };
    if (magic === NANO) return { little, perMs: 1e6 };
  }
  return undefined;
}

function records(view: DataView, name: string, little: boolean, perMs: number): Capture {
  const frames: TimedFrame[] = [];
  const warnings: string[] = [];
  let short = 0;
  for (let at = HEADER; at < view.byteLength; ) {
    const len = at + RECORD <= view.byteLength ? view.getUint32(at + 8, little) : 0;
    if (len > LONGEST) throw new DeviceError(name, `record ${frames.length + 1} at byte ${at} claims ${len} bytes`);
    if (at + RECORD + len > view.byteLength) {
      warnings.push(`${name}: ends in the middle of record ${frames.length + 1}; the records before it are used`);
      break;
    }
    const t = view.getUint32(at, little) * 1000 + view.getUint32(at + 4, little) / perMs;
    frames.push({ t, if: '', bytes: slice(view, at + RECORD, len) });
    if (len < view.getUint32(at + 12, little)) short++;
    at += RECORD + len;
  }
  if (short > 0) warnings.push(cutFrames(name, short));
  return { frames, warnings };
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/**
 * Writes a pcap file of Ethernet frames: nanoseconds, little endian. `flush` and `close` write
 * buffered records.
 */
export class PcapWriter {
  private readonly fd: number;
  private readonly buffer = new Uint8Array(1 << 16);
  private readonly view = new DataView(this.buffer.buffer);
  private used = 0;

  /** Creates the file. Throws a DeviceError when that fails. */
  constructor(readonly path: string) {
    try {
      this.fd = openSync(path, 'w');
    } catch (error) {
      throw new DeviceError(path, `cannot be written (${(error as NodeJS.ErrnoException).code ?? error})`);
    }
    for (const [i, word] of [NANO, 2 | (4 << 16), 0, 0, LONGEST, LINK_ETHERNET].entries())
      this.view.setUint32(i * 4, word, true);
    this.used = HEADER;
  }

  /**
   * Writes a record. `t`: milliseconds since the epoch; the frame is `len` bytes of `from` at
   * `offset`.
   */
  write(t: number, from: Uint8Array, offset = 0, len = from.length - offset): void {
    if (this.used + RECORD + len > this.buffer.length) this.flush();
    const seconds = Math.floor(t / 1000);
    this.view.setUint32(this.used, seconds, true);
    this.view.setUint32(this.used + 4, Math.min(999_999_999, Math.round((t - seconds * 1000) * 1e6)), true);
    this.view.setUint32(this.used + 8, len, true);
    this.view.setUint32(this.used + 12, len, true);
    this.used += RECORD;
    if (len > this.buffer.length - this.used) {
      this.flush();
      writeSync(this.fd, from, offset, len);
      return;
    }
    for (let i = 0; i < len; i++) this.buffer[this.used + i] = from[offset + i]!;
    this.used += len;
  }

  flush(): void {
    for (let at = 0; at < this.used; ) at += writeSync(this.fd, this.buffer, at, this.used - at);
    this.used = 0;
  }

  close(): void {
    this.flush();
    closeSync(this.fd);
  }
}
