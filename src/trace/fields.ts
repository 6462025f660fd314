/**
 * A frame as named fields, and the fields that a director changed: the lines "field: before ->
 * after".
 */
import { format4, format6, formatMac } from '../wire/address.js';
import { isBad, viewOf } from '../wire/decoded.js';
import * as ethernet from '../wire/ethernet.js';
import * as extensions from '../wire/extensions.js';
import * as ipv4 from '../wire/ipv4.js';
import * as ipv6 from '../wire/ipv6.js';
import { flagsAsTcpdump } from '../wire/print.js';
import * as tcp from '../wire/tcp.js';

export type Fields = ReadonlyMap<string, string>;

/** All fields that a director may rewrite. A frame that is not IP has its MAC addresses only. */
export function fieldsOf(frame: Uint8Array): Fields {
  const fields = new Map<string, string>();
  const eth = ethernet.decode(frame);
  if (isBad(eth)) return fields;
  fields.set('MAC source', formatMac(...eth.src));
  fields.set('MAC destination', formatMac(...eth.dst));
  const packet = unwrapped(frame.subarray(ethernet.HEADER), fields);
  if (packet.length > 0) addIp(packet, fields);
  return fields;
}

/** One line for each field that differs. A new field (an outer header) has no value before. */
export function differences(before: Fields, after: Fields): string[] {
  return [...after].flatMap(([name, value]) => {
    const old = before.get(name);
    if (old === value) return [];
    return [old === undefined ? `${name}: ${value} (new)` : `${name}: ${old} -> ${value}`];
  });
}

/** The packet inside an outer header. The header itself becomes one field. */
function unwrapped(packet: Uint8Array, fields: Map<string, string>): Uint8Array {
  const version = (packet[0] ?? 0) >>> 4;
  if (version === 4 && packet.length >= 40 && packet[9] === ipv4.IPIP) return outer(packet, 20, 'IPIP', fields);
  if (version === 4 && packet.length >= 60 && packet[9] === ipv4.IPV6) return outer(packet, 20, 'IPv6 in IPv4', fields);
  if (version === 4 && packet.length >= 44 && packet[9] === ipv4.GRE)
    return outer(packet, (packet[20]! & 0x80) !== 0 ? 28 : 24, 'GRE', fields);
  if (version === 6 && packet.length >= 60 && (packet[6] === ipv4.IPIP || packet[6] === ipv4.IPV6))
    return outer(packet, 40, 'in IPv6', fields);
  return packet;
}

function outer(packet: Uint8Array, len: number, name: string, fields: Map<string, string>): Uint8Array {
  const view = viewOf(packet);
  const ends =
    packet[0]! >>> 4 === 4
      ? `${format4(ipv4.src(view, 0))} > ${format4(ipv4.dst(view, 0))}`
      : `${address6(view, ipv6.SRC)} > ${address6(view, ipv6.DST)}`;
  fields.set('outer header', `${name} ${ends}, ${len} bytes`);
  return packet.subarray(len);
}

function addIp(packet: Uint8Array, fields: Map<string, string>): void {
  const view = viewOf(packet);
  if (packet[0]! >>> 4 === 6 && packet.length >= ipv6.HEADER) {
    fields.set('IP source', address6(view, ipv6.SRC));
    fields.set('IP destination', address6(view, ipv6.DST));
    fields.set('hop limit', String(ipv6.hopLimit(view, 0)));
    const chain = new extensions.Chain();
    if (extensions.walk(view, 0, packet.length, chain)) addPorts(view, chain.protocol, chain.offset, fields);
  } else if (packet[0]! >>> 4 === 4 && packet.length >= ipv4.HEADER) {
    fields.set('IP source', format4(ipv4.src(view, 0)));
    fields.set('IP destination', format4(ipv4.dst(view, 0)));
    fields.set('TTL', String(ipv4.ttl(view, 0)));
    fields.set('IP checksum', hex(ipv4.checksum(view, 0)));
    if (!ipv4.isFragment(view, 0)) addPorts(view, ipv4.protocol(view, 0), ipv4.headerLen(view, 0), fields);
  }
}

function addPorts(view: DataView, protocol: number, at: number, fields: Map<string, string>): void {
  const checksum = { [ipv4.TCP]: ['TCP checksum', 16], [ipv4.UDP]: ['UDP checksum', 6] }[protocol] as
    | [string, number]
    | undefined;
  if (checksum === undefined || at + 8 > view.byteLength) return;
  fields.set('source port', String(view.getUint16(at)));
  fields.set('destination port', String(view.getUint16(at + 2)));
  if (at + checksum[1] + 2 > view.byteLength) return;
  if (protocol === ipv4.TCP) addNumbers(view, at, fields);
  fields.set(checksum[0], hex(view.getUint16(at + checksum[1])));
}

/** What the FTP helper and the SYN proxy shift, or what the proxy makes anew. */
function addNumbers(view: DataView, at: number, fields: Map<string, string>): void {
  fields.set('sequence number', String(tcp.seq(view, at) >>> 0));
  fields.set('acknowledgement number', String(tcp.ack(view, at) >>> 0));
  fields.set('TCP flags', `[${flagsAsTcpdump(tcp.flags(view, at))}]`);
  fields.set('window', String(tcp.window(view, at)));
}

function address6(view: DataView, at: number): string {
  return format6([0, 4, 8, 12].map((i) => view.getInt32(at + i)));
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}
