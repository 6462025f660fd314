/**
 * Writes traces as pcapng files (draft-ietf-opsawg-pcapng). Each packet has its explanation as a
 * comment, which Wireshark shows.
 *
 *     | section header | interface 0 | interface 1 … | enhanced packet + opt_comment | …
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { DeviceError } from '../device/error.js';
import { LINK_ETHERNET } from './frame.js';

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const PACKET = 6;
const MAGIC = 0x1a2b3c4d;
const OPT_COMMENT = 1;
const IF_NAME = 2;

export class PcapngWriter {
  private readonly fd: number;
  private readonly interfaces: string[] = [];

  /** Creates the file. Throws a DeviceError when that fails. */
  constructor(path: string) {
    try {
      this.fd = openSync(path, 'w');
    } catch (error) {
      throw new DeviceError(path, `cannot be written (${(error as NodeJS.ErrnoException).code})`);
    }
    const body = Buffer.alloc(16);
    body.writeUInt32LE(MAGIC, 0);
    body.writeUInt16LE(1, 4);
    body.fill(0xff, 8);
    this.block(SECTION, body);
  }

  /**
   * Writes a packet that interface `device` received or sent. `us`: microseconds since the epoch.
   */
  write(device: string, us: number, frame: Uint8Array, comment: string): void {
    const body = Buffer.alloc(20);
    body.writeUInt32LE(this.interfaceOf(device), 0);
    body.writeUInt32LE(Math.floor(us / 2 ** 32), 4);
    body.writeUInt32LE(us % 2 ** 32, 8);
    body.writeUInt32LE(frame.length, 12);
    body.writeUInt32LE(frame.length, 16);
    this.block(PACKET, Buffer.concat([body, padded(frame), option(OPT_COMMENT, comment), END]));
  }

  close(): void {
    closeSync(this.fd);
  }

  private interfaceOf(name: string): number {
    const known = this.interfaces.indexOf(name);
    if (known >= 0) return known;
    const body = Buffer.alloc(8);
    body.writeUInt16LE(LINK_ETHERNET, 0);
    this.block(INTERFACE, Buffer.concat([body, option(IF_NAME, name), END]));
    return this.interfaces.push(name) - 1;
  }

  private block(type: number, body: Buffer): void {
    const len = body.length + 12;
    const head = Buffer.alloc(8);
    head.writeUInt32LE(type, 0);
    head.writeUInt32LE(len, 4);
    const tail = Buffer.alloc(4);
    tail.writeUInt32LE(len, 0);
    writeSync(this.fd, Buffer.concat([head, body, tail]));
  }
}

const END = Buffer.alloc(4);

function option(code: number, text: string): Buffer {
  const value = Buffer.from(text);
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(value.length, 2);
  return Buffer.concat([head, padded(value)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
