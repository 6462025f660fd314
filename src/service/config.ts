/**
 * Services and destinations as an administrator sees them: plain data, what ipvsadm's words mean.
 * Addresses are text in canonical form (10.0.0.1, 2001:db8::1), ports and marks numbers.
 */
import { addressFamily, isIPv6 } from '../wire/address.js';

export { SCTP, TCP, UDP } from '../wire/ipv4.js';

export type Family = 4 | 6;

export interface AddressKey {
  readonly protocol: number;
  readonly address: string;
  readonly port: number;
}
export interface FwmarkKey {
  readonly fwmark: number;
  readonly family: Family;
}
export type ServiceKey = AddressKey | FwmarkKey;

/** Service flags as in IPVS (IP_VS_SVC_F_*): what the three scheduler flags mean depends on the scheduler. */
export const SVC_PERSISTENT = 0x01;
export const SVC_ONEPACKET = 0x04;
export const SVC_SCHED1 = 0x08;
export const SVC_SCHED2 = 0x10;
export const SVC_SCHED3 = 0x20;

export interface ServiceConfig {
  readonly key: ServiceKey;
  readonly scheduler: string;
  /** SVC_* bits. */
  readonly flags: number;
  /** Persistence timeout in seconds; meaningful with SVC_PERSISTENT. */
  readonly timeout: number;
  /** IPv4: the mask as a number (0xffffffff = /32); IPv6: the prefix length. */
  readonly netmask: number;
  /** Persistence engine, '' for none. */
  readonly pe: string;
}

export type ForwardingMethod = 'masq' | 'local' | 'ipip' | 'gatewaying' | 'bypass' | 'fullnat';
export type TunnelType = 'ipip' | 'gue' | 'gre';

export interface Tunnel {
  readonly type: TunnelType;
  readonly port: number;
  /** '' none, 'csum', 'remcsum'. */
  readonly checksum: '' | 'csum' | 'remcsum';
}

export interface DestinationConfig {
  readonly address: string;
  readonly port: number;
  readonly method: ForwardingMethod;
  readonly weight: number;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  readonly tunnel: Tunnel;
}

export const PLAIN_TUNNEL: Tunnel = { type: 'ipip', port: 0, checksum: '' };

export function isFwmark(key: ServiceKey): key is FwmarkKey {
  return 'fwmark' in key;
}

export function familyOf(key: ServiceKey): Family {
  if (isFwmark(key)) return key.family;
  return addressFamily(key.address);
}

/** One string per identity, for maps: `6 10.0.0.1:80`, `f1/4`. */
export function keyText(key: ServiceKey): string {
  return isFwmark(key) ? `f${key.fwmark}/${key.family}` : `${key.protocol} ${key.address}|${key.port}`;
}

/** An address and port as text: 10.0.0.1:80, [2001:db8::1]:80. */
export function endpoint(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
