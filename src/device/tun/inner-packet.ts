/**
 * What is inside a tunnel packet of LVS-Tun. `bytes` begin behind the outer IP header, with GUE
 * behind the UDP header. undefined: it is malformed, or carries something else.
 *
 *   ipip   | packet |                                                          RFC 2003
 *   gre    | flags version type | checksum | key | sequence | packet |         RFC 2784, 2890
 *   gue    | version C hlen proto flags | fields: 4 × hlen bytes | packet |    draft-ietf-intarea-gue
 */
import { TYPE_IPV4, TYPE_IPV6 } from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';

export const TUNNEL_TYPES = ['ipip', 'gre', 'gue'] as const;
export type TunnelType = (typeof TUNNEL_TYPES)[number];

const IPV6_HEADER = 40;
const GRE_HEADER = 4;
/** Each of these fields is 4 bytes: checksum and offset, key, sequence number. */
const GRE_FIELDS = [0x8000, 0x2000, 0x1000];
const GRE_VERSION = 7;
const GUE_HEADER = 4;
const GUE_CONTROL = 0x20;
/** Flags of fields that change the packet inside, such as the remote checksum offload. */
const GUE_PRIVATE = 0x0001;
const GUE_PROTOCOLS = [ipv4.IPIP, 41];

/** The packet, cut to the length that its own header says. */
export function innerPacket(type: TunnelType, bytes: Uint8Array): Uint8Array | undefined {
  const inner = type === 'ipip' ? bytes : type === 'gre' ? insideGre(bytes) : insideGue(bytes);
  return inner && wholePacket(inner);
}

function insideGre(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < GRE_HEADER) return undefined;
  const [flags, type] = [word(bytes, 0), word(bytes, 2)];
  if ((flags & GRE_VERSION) !== 0 || (type !== TYPE_IPV4 && type !== TYPE_IPV6)) return undefined;
  return bytes.subarray(GRE_HEADER + 4 * GRE_FIELDS.filter((flag) => (flags & flag) !== 0).length);
}

/** Version 1 has no header of its own: the packet follows UDP. */
function insideGue(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < GUE_HEADER) return undefined;
  const [first, protocol] = [bytes[0]!, bytes[1]!];
  if (first >> 6 === 1) return bytes;
  if (first >> 6 !== 0 || (first & GUE_CONTROL) !== 0 || (word(bytes, 2) & GUE_PRIVATE) !== 0) return undefined;
  return GUE_PROTOCOLS.includes(protocol) ? bytes.subarray(GUE_HEADER + 4 * (first & 0x1f)) : undefined;
}

function wholePacket(bytes: Uint8Array): Uint8Array | undefined {
  const version = (bytes[0] ?? 0) >> 4;
  const header = version === 4 ? ipv4.HEADER : IPV6_HEADER;
  if ((version !== 4 && version !== 6) || bytes.length < header) return undefined;
  const total = version === 4 ? word(bytes, 2) : IPV6_HEADER + word(bytes, 4);
  return total >= header && total <= bytes.length ? bytes.subarray(0, total) : undefined;
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
