/**
 * Values of linux/ip_vs.h beside those of the control protocol: address families, forwarding
 * methods, tunnels, flags, masks. Both interfaces of IPVS (netlink, socket options) use them.
 */
import { type ForwardingMethod, familyOf, isFwmark, type ServiceKey, type Tunnel } from '../service/config.js';
import { bytes4, bytes6, format4, format6, isIPv6, parse4, parse6, words6 } from '../wire/address.js';
import { Refusal } from './refusal.js';

export const AF_INET = 2;
export const AF_INET6 = 10;
const PROTOCOLS: readonly number[] = [6, 17, 132];

/** IP_VS_CONN_F_*: the values of the masks FWD_MASK, TUNNEL_TYPE and TUNNEL_FLAG are indices. */
const METHODS: readonly ForwardingMethod[] = ['masq', 'local', 'ipip', 'gatewaying', 'bypass'];
const FWD_MASK = 7;
const TUNNELS: readonly Tunnel['type'][] = ['ipip', 'gue', 'gre'];
const CHECKSUMS: readonly Tunnel['checksum'][] = ['', 'csum', 'remcsum'];

/**
 * Each service of the kernel has this flag in listings. kube-proxy refuses a service without it.
 */
export const SVC_HASHED = 0x02;
/** Flags of the control protocol, without HASHED. */
const SVC_FLAGS = 0x3d;
/**
 * The size of the connection table in banners: the kernel's default. A director's table grows as
 * it needs, and its listings say the same.
 */
export const CONN_TAB_SIZE = 4096;
export const INT_MAX = 0x7fffffff;

/** A service's key as both interfaces have it; `fwmark` 0: by address. */
export interface WireKey {
  readonly family: 4 | 6;
  readonly protocol: number;
  readonly address: string;
  readonly port: number;
  readonly fwmark: number;
}

/** Throws a Refusal with EAFNOSUPPORT. */
export function familyOfNumber(af: number): 4 | 6 {
  if (af === AF_INET) return 4;
  if (af === AF_INET6) return 6;
  throw new Refusal('EAFNOSUPPORT');
}

export function numberOfFamily(family: 4 | 6): number {
  return family === 6 ? AF_INET6 : AF_INET;
}

/** undefined: a protocol that no service can have. */
export function keyOf({ family, protocol, address, port, fwmark }: WireKey): ServiceKey | undefined {
  if (fwmark !== 0) return { fwmark, family };
  return PROTOCOLS.includes(protocol) ? { protocol, address, port } : undefined;
}

/** As a listing has it: the kernel gives fwmark services protocol and address 0. */
export function wireKey(key: ServiceKey): WireKey {
  const family = familyOf(key);
  if (isFwmark(key)) return { family, protocol: 0, address: '0.0.0.0', port: 0, fwmark: key.fwmark };
  return { family, protocol: key.protocol, address: key.address, port: key.port, fwmark: 0 };
}

/** The address in the first 4 or 16 bytes; what is missing is 0, as of nla_memcpy. */
export function addressText(bytes: Uint8Array, family: 4 | 6): string {
  const whole = new DataView(new ArrayBuffer(16));
  new Uint8Array(whole.buffer).set(bytes.subarray(0, 16));
  return family === 6 ? format6(words6(whole, 0)) : format4(whole.getInt32(0));
}

/** union nf_inet_addr: 16 bytes, of which IPv4 uses the first four. */
export function addressBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(isIPv6(text) ? bytes6(parse6(text)!) : bytes4(parse4(text)!));
  return bytes;
}

export function serviceFlags(flags: number): number {
  return flags & SVC_FLAGS;
}

export function shownFlags(flags: number): number {
  return flags | SVC_HASHED;
}

/** Throws a Refusal with EINVAL for the values 5 to 7, which mean nothing. */
export function methodOf(flags: number): ForwardingMethod {
  const method = METHODS[flags & FWD_MASK];
  if (method === undefined) throw new Refusal('EINVAL', `forwarding method ${flags & FWD_MASK}: there is none`);
  return method;
}

/** Full NAT is shown as masquerading: the kernel has no number for it. */
export function methodNumber(method: ForwardingMethod): number {
  return Math.max(0, METHODS.indexOf(method));
}

export function tunnelOf(type: number, port: number, flags: number): Tunnel {
  const [name, checksum] = [TUNNELS[type], CHECKSUMS[flags]];
  if (name === undefined) throw new Refusal('EINVAL', `tunnel type ${type}: there is none`);
  if (checksum === undefined) throw new Refusal('EINVAL', `tunnel flags ${flags}: there are none such`);
  return { type: name, port, checksum };
}

export function tunnelNumbers({ type, port, checksum }: Tunnel): { type: number; port: number; flags: number } {
  return { type: TUNNELS.indexOf(type), port, flags: CHECKSUMS.indexOf(checksum) };
}

/** Throws a Refusal with EINVAL when the control protocol cannot carry the number. */
export function upToIntMax(value: number, what: string): number {
  if (value <= INT_MAX) return value;
  throw new Refusal('EINVAL', `${what} ${value}: at most ${INT_MAX}`);
}
