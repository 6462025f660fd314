/**
 * Netlink attributes (struct nlattr): length, type, value, in host order. Addresses in values are
 * in network order.
 *
 *   0      2      4
 *   ┌──────┬──────┬───────────┬─────┐
 *   │ len  │ type │ value ... │ pad │  next attribute, 4-byte aligned; len counts the header, not the padding
 *   └──────┴──────┴───────────┴─────┘
 */
import { MalformedMessage } from './error.js';
import { align, HOST_LITTLE, viewOf } from './message.js';

const HEADER = 4;
/** The two highest bits are flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER), not a part of the type. */
const TYPE_MASK = 0x3fff;

/**
 * Attributes by type. When a type is given twice, the last value counts, as in the kernel's
 * nla_parse. The getters return undefined when there is no attribute of the type, and throw a
 * MalformedMessage when its value is too short.
 */
export class Attributes {
  readonly #values = new Map<number, Uint8Array>();

  /** Throws a MalformedMessage when a length points outside `bytes`. */
  constructor(bytes: Uint8Array) {
    for (let at = 0; bytes.length - at >= HEADER; ) {
      const view = viewOf(bytes.subarray(at, at + HEADER));
      const len = view.getUint16(0, HOST_LITTLE);
      if (len < HEADER || len > bytes.length - at) throw new MalformedMessage('attribute', bytes.length - at, len);
      this.#values.set(view.getUint16(2, HOST_LITTLE) & TYPE_MASK, bytes.subarray(at + HEADER, at + len));
      at += align(len);
    }
  }

  has(type: number): boolean {
    return this.#values.has(type);
  }
  bytes(type: number): Uint8Array | undefined {
    return this.#values.get(type);
  }
  u8(type: number): number | undefined {
    return this.#sized(type, 1)?.getUint8(0);
  }
  u16(type: number): number | undefined {
    return this.#sized(type, 2)?.getUint16(0, HOST_LITTLE);
  }
  u32(type: number): number | undefined {
    return this.#sized(type, 4)?.getUint32(0, HOST_LITTLE);
  }
  s32(type: number): number | undefined {
    return this.#sized(type, 4)?.getInt32(0, HOST_LITTLE);
  }
  /** A string up to its NUL, or up to the end of the value when there is no NUL. */
  text(type: number): string | undefined {
    const bytes = this.bytes(type);
    if (bytes === undefined) return undefined;
    const end = bytes.indexOf(0);
    return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
  }
  nested(type: number): Attributes | undefined {
    const bytes = this.bytes(type);
    return bytes && new Attributes(bytes);
  }
  /** A value of at least `len` bytes, as a view. */
  view(type: number, len: number): DataView | undefined {
    return this.#sized(type, len);
  }

  #sized(type: number, len: number): DataView | undefined {
    const bytes = this.bytes(type);
    if (bytes === undefined) return undefined;
    if (bytes.length < len) throw new MalformedMessage(`attribute ${type}`, bytes.length, len);
    return viewOf(bytes);
  }
}

/** One attribute without padding; `joinAligned` pads. */
export function encodeAttribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + value.length);
  const view = viewOf(bytes);
  view.setUint16(0, bytes.length, HOST_LITTLE);
  view.setUint16(2, type, HOST_LITTLE);
  bytes.set(value, HEADER);
  return bytes;
}

export function encodeU32(type: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, HOST_LITTLE);
  return encodeAttribute(type, bytes);
}
