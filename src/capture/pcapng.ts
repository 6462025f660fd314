/**
 * Reads pcapng files (draft-ietf-opsawg-pcapng): section, interface, enhanced packet and simple
 * packet blocks. Other blocks are skipped. Each section has its own byte order, and numbers its
 * interfaces from 0.
 *
 *     | type 32 | total length 32 | body … padded to 4 | total length 32 |
 */

import { DeviceError } from '../device/error.js';
import { type Capture, cutFrames, mustBeEthernet, slice, type TimedFrame } from './frame.js';

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const ORDER_MAGIC = 0x1a2b3c4d;
const OPTION_NAME = 2;
const OPTION_RESOLUTION = 9;

interface Interface {
  name: string;
  /** Units of the time stamps in a millisecond. */
  perMs: number;
  snaplen: number;
}

/** True when the bytes begin with a section header. */
export function isPcapng(view: DataView): boolean {
  return view.byteLength >= 12 && view.getUint32(0) === SECTION;
}

/** Reads all frames. Throws a DeviceError that names file, byte and fault. */
export function parsePcapng(view: DataView, name: string): Capture {
  return new Reader(view, name).read();
}

class Reader {
  private little = true;
  private interfaces: Interface[] = [];
  private readonly frames: TimedFrame[] = [];
  private readonly warnings: string[] = [];
  private short = 0;

  constructor(
    private readonly view: DataView,
    private readonly name: string,
  ) {}

  read(): Capture {
    for (let at = 0; at < this.view.byteLength; ) {
      const len = this.blockLength(at);
      if (len === 0) {
        this.warnings.push(`${this.name}: ends in the middle of a block at byte ${at}; the blocks before it are used`);
        break;
      }
      this.block(at, len);
      at += len;
    }
    if (this.short > 0) this.warnings.push(cutFrames(this.name, this.short));
    return { frames: this.frames, warnings: this.warnings };
  }

  /**
   * Bytes of the block at `at`; 0 when the file ends within the block. Reads the byte order of a
   * section header first.
   */
  private blockLength(at: number): number {
    if (at + 12 > this.view.byteLength) return 0;
    if (this.view.getUint32(at) === SECTION) this.setOrder(at);
    const len = this.u32(at + 4);
    if (len < 12 || len % 4 !== 0) throw this.bad(at, `block length ${len}`);
    return at + len > this.view.byteLength ? 0 : len;
  }

  private setOrder(at: number): void {
    this.little = this.view.getUint32(at + 8, true) === ORDER_MAGIC;
    if (!this.little && this.view.getUint32(at + 8) !== ORDER_MAGIC) throw this.bad(at, 'no byte-order magic');
    this.interfaces = [];
  }

  private block(at: number, len: number): void {
    const type = this.u32(at);
    if (type === INTERFACE) this.addInterface(at, len);
    else if (type === ENHANCED_PACKET) this.enhanced(at, len);
    else if (type === SIMPLE_PACKET) this.simple(at, len);
  }

  private addInterface(at: number, len: number): void {
    if (len < 20) throw this.bad(at, 'interface block too short');
    mustBeEthernet(this.name, this.u16(at + 8));
    const found: Interface = { name: '', perMs: 1e3, snaplen: this.u32(at + 12) };
    for (let option = at + 16; option + 4 <= at + len - 4; ) {
      const size = this.u16(option + 2);
      if (option + 4 + size > at + len - 4) throw this.bad(option, `option length ${size}`);
      this.option(found, this.u16(option), slice(this.view, option + 4, size));
      option += 4 + ((size + 3) & ~3);
    }
    this.interfaces.push(found);
  }

  private option(found: Interface, code: number, value: Uint8Array): void {
    if (code === OPTION_NAME) found.name = new TextDecoder().decode(value);
    if (code !== OPTION_RESOLUTION || value.length === 0) return;
    const exponent = value[0]! & 0x7f;
    found.perMs = ((value[0]! & 0x80) !== 0 ? 2 ** exponent : 10 ** exponent) / 1e3;
  }

  private enhanced(at: number, len: number): void {
    if (len < 32) throw this.bad(at, 'packet block too short');
    const from = this.interface(at, this.u32(at + 8));
    const units = this.u32(at + 12) * 2 ** 32 + this.u32(at + 16);
    this.packet(at, at + 28, this.u32(at + 20), this.u32(at + 24), len - 32, units / from.perMs, from.name);
  }

  private simple(at: number, len: number): void {
    if (len < 16) throw this.bad(at, 'packet block too short');
    const from = this.interface(at, 0);
    const wire = this.u32(at + 8);
    const here = from.snaplen > 0 ? Math.min(wire, from.snaplen) : wire;
    this.packet(at, at + 12, here, wire, len - 16, 0, from.name);
  }

  private packet(at: number, data: number, len: number, wire: number, room: number, t: number, from: string): void {
    if (len > room) throw this.bad(at, `packet of ${len} bytes in a block with room for ${room}`);
    if (len < wire) this.short++;
    this.frames.push({ t, if: from, bytes: slice(this.view, data, len) });
  }

  private interface(at: number, index: number): Interface {
    const found = this.interfaces[index];
    if (found === undefined) throw this.bad(at, `packet of interface ${index}, which no block describes`);
    return found;
  }

  private bad(at: number, what: string): DeviceError {
    return new DeviceError(this.name, `bad pcapng at byte ${at}: ${what}`);
  }

  private u16(at: number): number {
    return this.view.getUint16(at, this.little);
  }

  private u32(at: number): number {
    return this.view.getUint32(at, this.little);
  }
}
