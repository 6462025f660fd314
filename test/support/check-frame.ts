/**
 * Checks lengths and checksums of a frame. It uses nothing of src/wire, so an error there cannot
 * hide here. Every error is one line; a correct frame gives an empty list. The packets inside
 * tunnels are checked, too. Of a packet that an ICMP error quotes only the IP header is checked:
 * the quote may be truncated, and the kernel does not update its transport checksum when it
 * rewrites it. Fragments have no transport checksum to check.
 */
const NAMES = new Map([
  [1, icmp],
  [4, (p: Part): string[] => tunnelled(p, 4)],
  [6, tcp],
  [17, udp],
  [41, (p: Part): string[] => tunnelled(p, 6)],
  [58, icmp6],
  [132, sctp],
]);
/**
 * Longest frame with padding. The minimum Ethernet frame without CRC is 60 bytes, with a VLAN tag
 * 64. Bytes after the packet are padding.
 */
const PADDED = 64;

/** The payload of an IP header. `addresses` are those of the pseudo header. */
interface Part {
  where: string;
  bytes: Uint8Array;
  addresses: Uint8Array;
  v6: boolean;
}

export function checkFrame(frame: Uint8Array): string[] {
  if (frame.length < 14) return [`frame has ${frame.length} bytes, less than an Ethernet header`];
  let at = 12;
  while ((be16(frame, at) === 0x8100 || be16(frame, at) === 0x88a8) && at + 6 <= frame.length) at += 4;
  const type = be16(frame, at);
  const rest = frame.subarray(at + 2);
  if (type === 0x0806) return rest.length < 28 ? [`arp has ${rest.length} bytes`] : [];
  if (type !== 0x0800 && type !== 0x86dd) return [];
  if (type === 0x0800 ? rest[0]! >> 4 !== 4 : rest[0]! >> 4 !== 6)
    return [`version ${rest[0]! >> 4} in a frame of type ${hex(type)}`];
  return ip(frame.length <= PADDED ? unpadded(rest) : rest, '');
}

/** An IP packet without Ethernet. */
export function checkPacket(bytes: Uint8Array): string[] {
  return ip(bytes, '');
}

function unpadded(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes[0]! >> 4 === 4 ? be16(bytes, 2) : 40 + be16(bytes, 4));
}

function ip(bytes: Uint8Array, where: string): string[] {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4) return ip4(bytes, `${where}ipv4`);
  if (version === 6) return ip6(bytes, `${where}ipv6`);
  return [`${where || 'packet'}: IP version ${version}`];
}

/** The outer header gives the IP version of the inner packet. */
function tunnelled({ where, bytes }: Part, version: 4 | 6): string[] {
  const is = (bytes[0] ?? 0) >> 4;
  return is === version ? ip(bytes, `${where}/`) : [`${where} announces IPv${version}, inside is IPv${is}`];
}

function ip4(bytes: Uint8Array, where: string): string[] {
  const bad = header4(bytes, where);
  const headerLen = (bytes[0]! & 15) * 4;
  const total = bytes.length >= 20 ? be16(bytes, 2) : 0;
  if (bytes.length < 20 || headerLen < 20 || headerLen > bytes.length) return bad;
  if (total !== bytes.length) bad.push(`${where} total length is ${total}, the packet has ${bytes.length}`);
  if (be16(bytes, 6) & 0x3fff) return bad;
  const part = { where, bytes: bytes.subarray(headerLen), addresses: bytes.subarray(12, 20), v6: false };
  return [...bad, ...transport(bytes[9]!, part)];
}

function header4(bytes: Uint8Array, where: string): string[] {
  if (bytes.length < 20) return [`${where} header has ${bytes.length} bytes`];
  const headerLen = (bytes[0]! & 15) * 4;
  if (headerLen < 20 || headerLen > bytes.length) return [`${where} header length is ${headerLen} of ${bytes.length}`];
  return checksum(`${where} header`, bytes.subarray(0, headerLen), 10);
}

function ip6(bytes: Uint8Array, where: string): string[] {
  if (bytes.length < 40) return [`${where} header has ${bytes.length} bytes`];
  const bad: string[] = [];
  const total = 40 + be16(bytes, 4);
  if (total !== bytes.length) bad.push(`${where} payload length is ${total - 40}, the packet has ${bytes.length - 40}`);
  let [next, at] = [bytes[6]!, 40];
  while ([0, 43, 44, 51, 60].includes(next)) {
    if (at + 8 > bytes.length) return [...bad, `${where} extension header ${next} is cut short`];
    if (next === 44 && be16(bytes, at + 2) & 0xfff9) return bad;
    const len = next === 44 ? 8 : next === 51 ? (bytes[at + 1]! + 2) * 4 : (bytes[at + 1]! + 1) * 8;
    [next, at] = [bytes[at]!, at + len];
  }
  if (at > bytes.length) return [...bad, `${where} extension header reaches beyond the packet`];
  const part = { where, bytes: bytes.subarray(at), addresses: bytes.subarray(8, 40), v6: true };
  return [...bad, ...transport(next, part)];
}

function transport(protocol: number, part: Part): string[] {
  return NAMES.get(protocol)?.(part) ?? [];
}

function tcp({ where, bytes, addresses }: Part): string[] {
  if (bytes.length < 20) return [`${where}/tcp has ${bytes.length} bytes`];
  const headerLen = (bytes[12]! >> 4) * 4;
  const bad =
    headerLen < 20 || headerLen > bytes.length ? [`${where}/tcp header length is ${headerLen} of ${bytes.length}`] : [];
  return [...bad, ...checksum(`${where}/tcp`, bytes, 16, pseudo(addresses, 6, bytes.length))];
}

function udp({ where, bytes, addresses, v6 }: Part): string[] {
  if (bytes.length < 8) return [`${where}/udp has ${bytes.length} bytes`];
  const len = be16(bytes, 4);
  const bad = len === bytes.length ? [] : [`${where}/udp length is ${len}, the datagram has ${bytes.length}`];
  if (be16(bytes, 6) === 0) return v6 ? [...bad, `${where}/udp checksum is 0, which IPv6 forbids`] : bad;
  return [...bad, ...checksum(`${where}/udp`, bytes, 6, pseudo(addresses, 17, bytes.length))];
}

function icmp({ where, bytes }: Part): string[] {
  if (bytes.length < 8) return [`${where}/icmp has ${bytes.length} bytes`];
  const bad = checksum(`${where}/icmp`, bytes, 2);
  return [3, 4, 5, 11, 12].includes(bytes[0]!)
    ? [...bad, ...header4(bytes.subarray(8), `${where}/icmp/quoted ipv4`)]
    : bad;
}

function icmp6({ where, bytes, addresses }: Part): string[] {
  if (bytes.length < 8) return [`${where}/icmp6 has ${bytes.length} bytes`];
  return checksum(`${where}/icmp6`, bytes, 2, pseudo(addresses, 58, bytes.length));
}

function sctp({ where, bytes }: Part): string[] {
  if (bytes.length < 12) return [`${where}/sctp has ${bytes.length} bytes`];
  const copy = Uint8Array.from(bytes);
  copy.fill(0, 8, 12);
  const right = crc32c(copy);
  const is = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  return is === right ? [] : [`${where}/sctp checksum is ${hex(is)}, should be ${hex(right)}`];
}

function pseudo(addresses: Uint8Array, protocol: number, len: number): Uint8Array {
  return Uint8Array.of(...addresses, 0, protocol, len >> 24, len >> 16, len >> 8, len);
}

/** Computes the right value of the 16 bits at `field`. A receiver treats 0xffff and 0 as equal. */
function checksum(what: string, bytes: Uint8Array, field: number, before: Uint8Array = new Uint8Array(0)): string[] {
  const is = be16(bytes, field);
  let total = -is;
  for (const part of [before, bytes]) for (let i = 0; i < part.length; i++) total += part[i]! * (i % 2 ? 1 : 256);
  const right = 0xffff - (total % 0xffff);
  return is % 0xffff === right % 0xffff ? [] : [`${what} checksum is ${hex(is)}, should be ${hex(right)}`];
}

function crc32c(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

function be16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
function hex(n: number): string {
  return `0x${n.toString(16).padStart(4, '0')}`;
}
