/**
 * IPv6 extension headers (RFC 8200, 4; the authentication header RFC 4302, 2).
 *
 *     | IPv6, next=0 | hop-by-hop, next=44 | fragment, next=6 | TCP ...
 *                                          ^ chain.fragment   ^ chain.offset, chain.protocol = 6
 *
 *     hop-by-hop, destination, routing:  | next | length/8 − 1 | ...
 *     authentication:                    | next | length/4 − 2 | ...
 *     fragment:                          | next | reserved | offset 13, 0, 0, M | identification |
 */
import { HEADER, nextHeader } from './ipv6.js';

export const HOP_BY_HOP = 0;
export const ROUTING = 43;
export const FRAGMENT = 44;
export const AUTHENTICATION = 51;
export const NONE = 59;
export const DESTINATION = 60;

/** Bytes of a fragment header. */
export const FRAGMENT_HEADER = 8;
/** Headers that are followed. Regular packets have fewer; long chains are an attack. */
const MAX_HEADERS = 8;
const IPV6_NEXT_HEADER = 6;

/** The result of `walk`. It holds numbers only and is reused. Offsets are those of the view. */
export class Chain {
  /** Number and offset of the first header that is no extension header; the number may be NONE. */
  protocol = 0;
  offset = 0;
  /** Offset of the byte that holds `protocol`. */
  named = 0;
  /**
   * Offset of the fragment header, −1 without one, and offset of the byte that holds its number.
   */
  fragment = -1;
  fragmentNamed = 0;
  /** Bytes. When it is above 0, no transport header follows. */
  fragmentOffset = 0;
  moreFragments = false;
}

function isExtension(header: number): boolean {
  return (
    header === HOP_BY_HOP ||
    header === ROUTING ||
    header === FRAGMENT ||
    header === AUTHENTICATION ||
    header === DESTINATION
  );
}

/**
 * Follows the headers from the IPv6 header at `ip` to the transport header and fills `chain`.
 * Returns false when a header ends beyond `end`, the offset of the end of the packet, or when there
 * are more than eight headers. Stops behind the fragment header of a later fragment: payload
 * follows there.
 */
export function walk(view: DataView, ip: number, end: number, chain: Chain): boolean {
  start(view, ip, chain);
  for (let headers = 0; isExtension(chain.protocol); headers++) {
    const at = chain.offset;
    if (headers === MAX_HEADERS || at + 8 > end) return false;
    const len = lengthOf(view, at, chain.protocol);
    if (at + len > end) return false;
    if (chain.protocol === FRAGMENT) noteFragment(view, at, chain);
    chain.protocol = view.getUint8(at);
    chain.named = at;
    chain.offset = at + len;
    if (chain.fragmentOffset > 0) return true;
  }
  return true;
}

function start(view: DataView, ip: number, chain: Chain): void {
  chain.protocol = nextHeader(view, ip);
  chain.offset = ip + HEADER;
  chain.named = ip + IPV6_NEXT_HEADER;
  chain.fragment = -1;
  chain.fragmentOffset = 0;
  chain.moreFragments = false;
}

function lengthOf(view: DataView, at: number, header: number): number {
  if (header === FRAGMENT) return FRAGMENT_HEADER;
  const units = view.getUint8(at + 1);
  return header === AUTHENTICATION ? (units + 2) << 2 : (units + 1) << 3;
}

function noteFragment(view: DataView, at: number, chain: Chain): void {
  chain.fragment = at;
  chain.fragmentNamed = chain.named;
  chain.fragmentOffset = fragmentOffset(view, at);
  chain.moreFragments = moreFragments(view, at);
}

/** The fields of the fragment header at `at`: offset in bytes, identification signed. */
export function fragmentOffset(view: DataView, at: number): number {
  return view.getUint16(at + 2) & 0xfff8;
}
export function moreFragments(view: DataView, at: number): boolean {
  return (view.getUint16(at + 2) & 1) !== 0;
}
export function fragmentId(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}

/** Writes a fragment header at `at`. `next`: next header; `offset`: bytes, a multiple of 8. */
export function writeFragment(
  view: DataView,
  at: number,
  next: number,
  offset: number,
  more: boolean,
  id: number,
): void {
  view.setUint16(at, next << 8);
  view.setUint16(at + 2, offset | (more ? 1 : 0));
  view.setInt32(at + 4, id);
}

/** The bytes of a fragment header and `payload`. `offset`: bytes, a multiple of 8. */
export function encodeFragment(
  next: number,
  offset: number,
  more: boolean,
  id: number,
  payload: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(FRAGMENT_HEADER + payload.length);
  const view = new DataView(bytes.buffer);
  writeFragment(view, 0, next, offset, more, id);
  bytes.set(payload, FRAGMENT_HEADER);
  return bytes;
}

/**
 * The bytes of a hop-by-hop, destination or routing header and `payload`. `data`: the contents
 * behind the length, which Pad1 options (zeros) pad to a multiple of 8 bytes.
 */
export function encodeOptions(next: number, data: Uint8Array, payload: Uint8Array): Uint8Array {
  const length = (data.length + 2 + 7) & ~7;
  const bytes = new Uint8Array(length + payload.length);
  bytes.set([next, length / 8 - 1]);
  bytes.set(data, 2);
  bytes.set(payload, length);
  return bytes;
}
