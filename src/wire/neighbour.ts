/**
 * Neighbour discovery (RFC 4861): solicitation (135) and advertisement (136) of ICMPv6, and the
 * multicast addresses for them.
 *
 *     0     1   2          4                    8           24
 *     | type| 0 | checksum | R S O and 29 zeros | target    | options: type, length/8, value
 *                                     1 source, 2 target link-layer address: 6 bytes of MAC
 */
import { bytes6, bytesMac, type Mac, macAt, words6 } from './address.js';
import { concat, type Decoded, viewOf } from './decoded.js';
import * as icmp6 from './icmp6.js';

const FLAGS = 4;
const TARGET = 8;
const OPTIONS = 24;
const ROUTER = 0x80;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;

export const SOURCE_MAC = 1;
export const TARGET_MAC = 2;
/**
 * Hop limit of these messages. A message with another one has crossed a router and is invalid (RFC
 * 4861, 7.1).
 */
export const HOP_LIMIT = 255;
/** Bytes of the shortest valid message. */
export const MIN_LEN = 24;

/** Word `i` (0–3) of the target address. */
export function targetWord(view: DataView, l4: number, i: number): number {
  return view.getInt32(l4 + TARGET + 4 * i);
}
/**
 * Offset of the MAC address in the option of this kind; −1 without the option, or when the options
 * are malformed. `end`: offset of the end of the message.
 */
export function findMac(view: DataView, l4: number, end: number, kind: number): number {
  for (let at = l4 + OPTIONS; at + 8 <= end; ) {
    const len = view.getUint8(at + 1) << 3;
    if (len === 0 || at + len > end) return -1;
    if (view.getUint8(at) === kind) return at + 2;
    at += len;
  }
  return -1;
}

/**
 * The solicited-node multicast address (RFC 4291, 2.7.1): ff02::1:ff00:0/104 and the last 24 bits
 * of the address.
 */
export function solicitedNode(address: Int32Array): Int32Array {
  return Int32Array.of(0xff020000 | 0, 0, 1, 0xff000000 | (address[3]! & 0xffffff));
}
/** The MAC address of an IPv6 multicast group (RFC 2464, 7). */
export function multicastMac(group: Int32Array): Mac {
  return [0x3333, group[3]!];
}

export interface Neighbour {
  /** False for a solicitation, which has no flags. */
  advertisement: boolean;
  router: boolean;
  solicited: boolean;
  override: boolean;
  target: Int32Array;
  /** MAC address of the source in a solicitation, of the target in an advertisement. */
  mac: Mac | undefined;
}

/** An ICMPv6 message. `addresses`: sum of both IPv6 addresses (sum128). */
export function encode(fields: Neighbour, addresses: number): Uint8Array {
  const kind = fields.advertisement ? TARGET_MAC : SOURCE_MAC;
  const option = fields.mac ? concat(Uint8Array.of(kind, 1), bytesMac(fields.mac)) : new Uint8Array(0);
  const type = fields.advertisement ? icmp6.NEIGHBOUR_ADVERTISEMENT : icmp6.NEIGHBOUR_SOLICITATION;
  return icmp6.encode({ type, rest: flagsOf(fields) << 24, payload: concat(bytes6(fields.target), option) }, addresses);
}

function flagsOf(f: Neighbour): number {
  if (!f.advertisement) return 0;
  return (f.router ? ROUTER : 0) | (f.solicited ? SOLICITED : 0) | (f.override ? OVERRIDE : 0);
}

export function decode(bytes: Uint8Array): Decoded<Neighbour> {
  if (bytes.length < MIN_LEN) return `neighbour discovery needs 24 bytes, has ${bytes.length}`;
  const view = viewOf(bytes);
  const type = icmp6.type(view, 0);
  const advertisement = type === icmp6.NEIGHBOUR_ADVERTISEMENT;
  if (!advertisement && type !== icmp6.NEIGHBOUR_SOLICITATION) return `ICMPv6 type ${type} is no neighbour message`;
  const flags = advertisement ? bytes[FLAGS]! : 0;
  const mac = findMac(view, 0, bytes.length, advertisement ? TARGET_MAC : SOURCE_MAC);
  return {
    advertisement,
    router: (flags & ROUTER) !== 0,
    solicited: (flags & SOLICITED) !== 0,
    override: (flags & OVERRIDE) !== 0,
    target: words6(view, TARGET),
    mac: mac < 0 ? undefined : macAt(view, mac),
  };
}
