/**
 * VLAN tags (IEEE 802.1Q, 802.1ad), before the EtherType.
 *
 *     0         6         12     14                       16
 *     | dst MAC | src MAC | TPID | PCP 3, DEI 1, VID 12   | type (or the next TPID) ...
 *                         ^ tag
 */
import { type Decoded, EMPTY, viewOf } from './decoded.js';
import { TYPE_QINQ, TYPE_VLAN } from './ethernet.js';

/** Bytes of a tag. */
export const TAG = 4;
/** Tags of a frame at most: a service tag and a customer tag. */
const MAX_TAGS = 2;
const TYPE = 12;
const TCI = 2;

export function isTag(etherType: number): boolean {
  return etherType === TYPE_VLAN || etherType === TYPE_QINQ;
}
/** `tag`: offset of the TPID; eth + 12 for the outer tag. */
export function vid(view: DataView, tag: number): number {
  return view.getUint16(tag + TCI) & 0xfff;
}
export function priority(view: DataView, tag: number): number {
  return view.getUint8(tag + TCI) >>> 5;
}

/**
 * Offset of the EtherType behind all tags; −1 when the frame ends before it, or has more than two
 * tags. The payload follows the EtherType.
 */
export function typeOffset(view: DataView, eth: number, end: number): number {
  let at = eth + TYPE;
  for (let tags = 0; tags <= MAX_TAGS; tags++, at += TAG) {
    if (at + 2 > end) return -1;
    if (!isTag(view.getUint16(at))) return at;
  }
  return -1;
}

/**
 * Inserts an outer tag: moves the MAC addresses 4 bytes into the headroom. Returns the new offset
 * of the frame.
 */
export function push(view: DataView, eth: number, tci: number, tpid = TYPE_VLAN): number {
  for (let i = 0; i < TYPE; i += 4) view.setInt32(eth - TAG + i, view.getInt32(eth + i));
  view.setUint16(eth - TAG + TYPE, tpid);
  view.setUint16(eth + TYPE - TCI, tci);
  return eth - TAG;
}

/** Removes the outer tag. Returns the new offset of the frame. */
export function pop(view: DataView, eth: number): number {
  for (let i = TYPE - 4; i >= 0; i -= 4) view.setInt32(eth + TAG + i, view.getInt32(eth + i));
  return eth + TAG;
}

/** What follows the TPID of a tagged frame. */
export interface Vlan {
  vid: number;
  priority: number;
  dropEligible: boolean;
  type: number;
  payload: Uint8Array;
}

export function encode(fields: Partial<Vlan>): Uint8Array {
  const { vid = 0, priority = 0, dropEligible = false, type = 0, payload = EMPTY } = fields;
  const bytes = new Uint8Array(TAG + payload.length);
  const view = viewOf(bytes);
  view.setUint16(0, (priority << 13) | (dropEligible ? 0x1000 : 0) | vid);
  view.setUint16(2, type);
  bytes.set(payload, TAG);
  return bytes;
}

export function decode(bytes: Uint8Array): Decoded<Vlan> {
  if (bytes.length < TAG) return `VLAN tag needs 4 bytes, has ${bytes.length}`;
  const view = viewOf(bytes);
  const tci = view.getUint16(0);
  const dropEligible = (tci & 0x1000) !== 0;
  return {
    vid: tci & 0xfff,
    priority: tci >>> 13,
    dropEligible,
    type: view.getUint16(2),
    payload: bytes.subarray(TAG),
  };
}
