/**
 * Services and destinations as an administrator configures them, as plain data. Addresses are text
 * in canonical form (10.0.0.1, 2001:db8::1); ports and marks are numbers.
 */
import { addressFamily, isIPv6 } from '../wire/address.js';

export { SCTP, TCP, UDP } from '../wire/ipv4.js';

/** Address family of a service. */
export type Family = 4 | 6;
/** Key of a service by address; port 0 stands for all ports. */
export interface AddressKey {
  readonly protocol: number;
  readonly address: string;
  readonly port: number;
}
/** Key of a service by fwmark, 1 to 2^32 − 1. */
export interface FwmarkKey {
  readonly fwmark: number;
  readonly family: Family;
}
export type ServiceKey = AddressKey | FwmarkKey;

/**
 * Service flags (IP_VS_SVC_F_*). The meaning of the three scheduler flags depends on the scheduler.
 */
export const SVC_PERSISTENT = 0x01;
export const SVC_ONEPACKET = 0x04;
export const SVC_SCHED1 = 0x08;
export const SVC_SCHED2 = 0x10;
export const SVC_SCHED3 = 0x20;

/** A virtual service. */
export interface ServiceConfig {
  readonly key: ServiceKey;
  /** Name of a scheduler. */
  readonly scheduler: string;
  /** SVC_* bits. */
  readonly flags: number;
  /** Persistence timeout in seconds; meaningful with SVC_PERSISTENT. */
  readonly timeout: number;
  /**
   * Persistence granularity. IPv4: the mask as a number (0xffffffff is /32). IPv6: the prefix
   * length, 1 to 128.
   */
  readonly netmask: number;
  /** Name of a persistence engine; '': none. */
  readonly pe: string;
}

/** Forwarding methods; fullnat is not in IPVS. */
export type ForwardingMethod = 'masq' | 'local' | 'ipip' | 'gatewaying' | 'bypass' | 'fullnat';
export type TunnelType = 'ipip' | 'gue' | 'gre';

/** Encapsulation of the method ipip. */
export interface Tunnel {
  readonly type: TunnelType;
  /** UDP destination port of GUE; 0 otherwise. */
  readonly port: number;
  /** Checksum of the outer header: none, csum, or remote checksum offload. */
  readonly checksum: '' | 'csum' | 'remcsum';
}

/** A destination of a service, its realserver. */
export interface DestinationConfig {
  readonly address: string;
  readonly port: number;
  readonly method: ForwardingMethod;
  /** 0: quiesced, gets no new connections. */
  readonly weight: number;
  /** Connections; 0: no limit. */
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  readonly tunnel: Tunnel;
}

/** A service with its destinations, newest first. */
export interface ServiceRules extends ServiceConfig {
  readonly destinations: readonly DestinationConfig[];
}

/** IP in IP. */
export const PLAIN_TUNNEL: Tunnel = { type: 'ipip', port: 0, checksum: '' };

/** The fields of a new service; ulvsadm replaces the empty scheduler by wlc. */
export const SERVICE_DEFAULTS: Omit<ServiceConfig, 'key'> = {
  scheduler: '',
  flags: 0,
  timeout: 0,
  netmask: 0xffffffff,
  pe: '',
};

/** The fields of a new destination. */
export const DESTINATION_DEFAULTS: Omit<DestinationConfig, 'address' | 'port'> = {
  method: 'gatewaying',
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
  tunnel: PLAIN_TUNNEL,
};

/** The service is one by fwmark. */
export function isFwmark(key: ServiceKey): key is FwmarkKey {
  return 'fwmark' in key;
}

/** Address family of a service. */
export function familyOf(key: ServiceKey): Family {
  if (isFwmark(key)) return key.family;
  return addressFamily(key.address);
}

/** The key that was asked for last: its destinations often follow, with the same object. */
let lastKey: ServiceKey | undefined;
let lastText = '';

/** A key as text, for maps: `6 10.0.0.1|80`, `f1/4`. */
export function keyText(key: ServiceKey): string {
  if (key === lastKey) return lastText;
  lastText = isFwmark(key) ? `f${key.fwmark}/${key.family}` : `${key.protocol} ${key.address}|${key.port}`;
  lastKey = key;
  return lastText;
}

/** Address and port as text: 10.0.0.1:80, [2001:db8::1]:80. */
export function endpoint(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
