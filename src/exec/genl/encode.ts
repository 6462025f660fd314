/**
 * Attributes of answers, written one after the other. All integers have the host's order, ports and
 * IPv4 masks the network's.
 *
 *   ┌──────────┬────────────┬───────────────────────────────┬─────┐
 *   │ u16 …    │ u32 …      │ nest: len, type │ u64 … │ …   │ →   │   one buffer, used for every message
 *   └──────────┴────────────┴───────────────────────────────┴─────┘
 *                            ▲ its length is written when it ends
 *
 * A listing of a thousand services has 150,000 attributes: none of them is an object.
 */
import { align, HOST_LITTLE } from '../../netlink/message.js';

const MASK32 = 0xffffffff;
const TWO32 = 2 ** 32;
const HEADER = 4;
const FIRST_SIZE = 1 << 12;

export class AttributeWriter {
  private bytes = new Uint8Array(FIRST_SIZE);
  private view = new DataView(this.bytes.buffer);
  private at = 0;

  u8(type: number, value: number): void {
    this.view.setUint8(this.begin(type, 1), value);
  }

  u16(type: number, value: number): void {
    this.view.setUint16(this.begin(type, 2), value, HOST_LITTLE);
  }

  be16(type: number, value: number): void {
    this.view.setUint16(this.begin(type, 2), value);
  }

  be32(type: number, value: number): void {
    this.view.setUint32(this.begin(type, 4), value);
  }

  /** Counters beyond 32 bits wrap around, as the kernel's do. */
  u32(type: number, value: number): void {
    this.view.setUint32(this.begin(type, 4), wrap32(value), HOST_LITTLE);
  }

  /** Integers of at least 0; they are exact below 2^53. */
  u64(type: number, value: number): void {
    const at = this.begin(type, 8);
    const whole = Math.trunc(value);
    this.view.setUint32(at + (HOST_LITTLE ? 0 : 4), whole % TWO32, HOST_LITTLE);
    this.view.setUint32(at + (HOST_LITTLE ? 4 : 0), Math.floor(whole / TWO32), HOST_LITTLE);
  }

  raw(type: number, value: Uint8Array): void {
    this.bytes.set(value, this.begin(type, value.length));
  }

  /** With the final NUL. */
  text(type: number, value: string): void {
    this.raw(type, new TextEncoder().encode(`${value}\0`));
  }

  /** An attribute of the attributes that `content` writes. */
  nest(type: number, content: () => void): void {
    const at = this.begin(type, 0) - HEADER;
    content();
    this.view.setUint16(at, this.at - at, HOST_LITTLE);
  }

  clear(): void {
    this.at = 0;
  }

  /** A copy of what has been written. */
  copy(): Uint8Array {
    return this.bytes.slice(0, this.at);
  }

  /** Makes room for an attribute, padded with zeros; returns where its value goes. */
  private begin(type: number, length: number): number {
    const value = this.at + HEADER;
    const end = value + align(length);
    if (end > this.bytes.length) this.grow(end);
    this.view.setUint16(this.at, HEADER + length, HOST_LITTLE);
    this.view.setUint16(this.at + 2, type, HOST_LITTLE);
    if (end > value + length) this.bytes.fill(0, value + length, end);
    this.at = end;
    return value;
  }

  private grow(size: number): void {
    const before = this.bytes;
    this.bytes = new Uint8Array(2 * size);
    this.bytes.set(before);
    this.view = new DataView(this.bytes.buffer);
  }
}

const writer = new AttributeWriter();

/** The attributes that `content` writes, each padded to 4 bytes. */
export function encoded(content: (to: AttributeWriter) => void): Uint8Array {
  writer.clear(); // of what a content left that threw
  content(writer);
  return writer.copy();
}

export function wrap32(value: number): number {
  return value <= MASK32 ? Math.trunc(value) >>> 0 : Math.trunc(value) % TWO32;
}
