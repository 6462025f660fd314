/**
 * ARP for IPv4 over Ethernet (RFC 826). ARP for other protocols is not supported.
 *
 *     0       2       4   5   6    8            14          18           24          28
 *     | htype | ptype | 6 | 4 | op | sender MAC | sender IP | target MAC | target IP |
 */
import { bytesMac, type Mac, macAt, ZERO_MAC } from './address.js';
import { type Decoded, viewOf } from './decoded.js';

const KIND = 0;
const LENGTHS = 4;
const OPERATION = 6;
const SENDER_MAC = 8;
const SENDER_IP = 14;
const TARGET_MAC = 18;
const TARGET_IP = 24;
export const LENGTH = 28;

const ETHERNET_IPV4 = 0x0001_0800;
const SIX_FOUR = 0x0604;
export const REQUEST = 1;
export const REPLY = 2;

/** True for IPv4 over Ethernet. The other accessors are valid only then. */
export function isEthernetIpv4(view: DataView, arp: number): boolean {
  return view.getInt32(arp + KIND) === ETHERNET_IPV4 && view.getUint16(arp + LENGTHS) === SIX_FOUR;
}
export function operation(view: DataView, arp: number): number {
  return view.getUint16(arp + OPERATION);
}
export function senderHi(view: DataView, arp: number): number {
  return view.getUint16(arp + SENDER_MAC);
}
export function senderLo(view: DataView, arp: number): number {
  return view.getInt32(arp + SENDER_MAC + 2);
}
export function senderIp(view: DataView, arp: number): number {
  return view.getInt32(arp + SENDER_IP);
}
export function targetIp(view: DataView, arp: number): number {
  return view.getInt32(arp + TARGET_IP);
}

/** Turns a request into its reply in place: the target IP is at the MAC address hi:lo. */
export function makeReply(view: DataView, arp: number, hi: number, lo: number): void {
  const asked = targetIp(view, arp);
  view.setUint16(arp + OPERATION, REPLY);
  view.setUint16(arp + TARGET_MAC, senderHi(view, arp));
  view.setInt32(arp + TARGET_MAC + 2, senderLo(view, arp));
  view.setInt32(arp + TARGET_IP, senderIp(view, arp));
  view.setUint16(arp + SENDER_MAC, hi);
  view.setInt32(arp + SENDER_MAC + 2, lo);
  view.setInt32(arp + SENDER_IP, asked);
}

export interface Arp {
  operation: number;
  senderMac: Mac;
  senderIp: number;
  targetMac: Mac;
  targetIp: number;
}

export function encode(fields: Partial<Arp>): Uint8Array {
  const { operation = REQUEST, senderMac = ZERO_MAC, senderIp = 0, targetMac = ZERO_MAC, targetIp = 0 } = fields;
  const bytes = new Uint8Array(LENGTH);
  const view = viewOf(bytes);
  view.setInt32(KIND, ETHERNET_IPV4);
  view.setUint16(LENGTHS, SIX_FOUR);
  view.setUint16(OPERATION, operation);
  bytes.set(bytesMac(senderMac), SENDER_MAC);
  view.setInt32(SENDER_IP, senderIp);
  bytes.set(bytesMac(targetMac), TARGET_MAC);
  view.setInt32(TARGET_IP, targetIp);
  return bytes;
}

export function decode(bytes: Uint8Array): Decoded<Arp> {
  if (bytes.length < LENGTH) return `ARP needs 28 bytes, has ${bytes.length}`;
  const view = viewOf(bytes);
  if (!isEthernetIpv4(view, 0)) return 'ARP is not for IPv4 over Ethernet';
  return {
    operation: operation(view, 0),
    senderMac: macAt(view, SENDER_MAC),
    senderIp: senderIp(view, 0),
    targetMac: macAt(view, TARGET_MAC),
    targetIp: targetIp(view, 0),
  };
}
