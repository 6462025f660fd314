/**
 * Codec of RTM_*NEIGH: struct ndmsg { u8 family, pad; u16 pad; s32 ifindex; u16 state; u8 flags,
 * type } and NDA_*.
 */
import { Attributes, encodeAttribute } from './attribute.js';
import { NDA, NTF, NUD } from './constants.js';
import { addressOf, afOf, type Family, familyOf, macBytes, macText, parseInet } from './inet.js';
import { fixedPart, HOST_LITTLE, joinAligned, viewOf } from './message.js';

const FIXED = 12;
/** States in which the MAC address can be used (NUD_VALID). */
const VALID = NUD.PERMANENT | NUD.NOARP | NUD.REACHABLE | NUD.PROBE | NUD.STALE | NUD.DELAY;

export type NeighbourState = keyof typeof NUD;

/**
 * An entry of the ARP or ND table. The states (NUD_*):
 *
 *   NONE ─use─► INCOMPLETE ─answer─► REACHABLE ─30 s─► STALE ─use─► DELAY ─5 s─► PROBE ─answer─► REACHABLE
 *                    └─no answer─► FAILED                                          └─no answer─► FAILED
 */
export interface Neighbour {
  readonly family: Family;
  readonly ifindex: number;
  readonly ip: string;
  /** '' while it is unknown. */
  readonly mac: string;
  readonly state: NeighbourState;
  /** The MAC address can be used. */
  readonly valid: boolean;
  readonly proxy: boolean;
  readonly router: boolean;
}

/** Undefined for a family other than IPv4 and IPv6. Throws a MalformedMessage. */
export function decodeNeighbour(body: Uint8Array): Neighbour | undefined {
  const fixed = fixedPart(body, FIXED, 'ndmsg');
  const family = familyOf(fixed.getUint8(0));
  if (family === undefined) return undefined;
  const attributes = new Attributes(body.subarray(FIXED));
  const state = fixed.getUint16(8, HOST_LITTLE);
  const flags = fixed.getUint8(10);
  return {
    family,
    ifindex: fixed.getInt32(4, HOST_LITTLE),
    ip: addressOf(attributes, NDA.DST, family) ?? '',
    mac: macText(attributes.bytes(NDA.LLADDR) ?? new Uint8Array()),
    state: stateOf(state),
    valid: (state & VALID) !== 0,
    proxy: (flags & NTF.PROXY) !== 0,
    router: (flags & NTF.ROUTER) !== 0,
  };
}

function stateOf(state: number): NeighbourState {
  const found = Object.entries(NUD).find(([, bit]) => bit === state);
  return (found?.[0] ?? 'NONE') as NeighbourState;
}

/** The body of a dump request. */
export function encodeNeighbourDump(family: Family): Uint8Array {
  const fixed = new Uint8Array(FIXED);
  fixed[0] = afOf(family);
  return fixed;
}

/**
 * NTF_USE, as `ip neigh … use`: the kernel acts as if it had a packet for the neighbour. Throws a
 * TypeError.
 */
export function encodeNeighbourUse(ifindex: number, ip: string): Uint8Array {
  return encodeNeighbour(ifindex, ip, NUD.NONE, NTF.USE);
}

/**
 * Adds or replaces an entry. Throws a TypeError for a text that is no IP address or no MAC address.
 */
export function encodeNeighbourSet(ifindex: number, ip: string, mac: string, state: NeighbourState): Uint8Array {
  return encodeNeighbour(ifindex, ip, NUD[state], 0, encodeAttribute(NDA.LLADDR, macBytes(mac)));
}

/** Removes an entry. Throws a TypeError for a text that is no IP address. */
export function encodeNeighbourDelete(ifindex: number, ip: string): Uint8Array {
  return encodeNeighbour(ifindex, ip, NUD.NONE, 0);
}

function encodeNeighbour(ifindex: number, ip: string, state: number, flags: number, ...more: Uint8Array[]): Uint8Array {
  const { family, bytes } = parseInet(ip);
  const fixed = new Uint8Array(FIXED);
  const view = viewOf(fixed);
  view.setUint8(0, afOf(family));
  view.setInt32(4, ifindex, HOST_LITTLE);
  view.setUint16(8, state, HOST_LITTLE);
  view.setUint8(10, flags);
  return joinAligned([fixed, encodeAttribute(NDA.DST, bytes), ...more]);
}
