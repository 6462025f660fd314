/**
 * Services in messages of family IPVS: IPVS_CMD_ATTR_SERVICE (ip_vs_genl_parse_service,
 * ip_vs_genl_fill_service).
 */
import type { ServiceEntry } from '../../control/api/api.js';
import type { Attributes } from '../../netlink/attribute.js';
import { HOST_LITTLE, viewOf } from '../../netlink/message.js';
import type { ServiceConfig, ServiceKey } from '../../service/config.js';
import { Refusal } from '../refusal.js';
import * as value from '../values.js';
import { CMD_ATTR, SVC_ATTR } from './constants.js';
import { type AttributeWriter, encoded } from './encode.js';
import { SERVICE_POLICY, validatedNest } from './policy.js';
import { writeStats } from './stats.js';

const ALL_FLAGS = 0xffffffff;
/** Characters of a scheduler's name. */
const NAME_MAX = 15;

/** What a request says about a service. */
export interface ServiceRequest {
  /** undefined: no service has such a key. */
  readonly key: ServiceKey | undefined;
  readonly family: 4 | 6;
  readonly attributes: Attributes;
}

/** The identifying fields. Throws a Refusal: EINVAL, EAFNOSUPPORT. */
export function parseService(nested: Uint8Array | undefined): ServiceRequest {
  const attributes = validatedNest(nested, SERVICE_POLICY, 'service');
  const af = attributes.u16(SVC_ATTR.AF);
  const fwmark = attributes.u32(SVC_ATTR.FWMARK);
  const address = attributes.bytes(SVC_ATTR.ADDR);
  const protocol = attributes.u16(SVC_ATTR.PROTOCOL);
  const port = portOf(attributes, SVC_ATTR.PORT);
  const byAddress = address !== undefined && protocol !== undefined && port !== undefined;
  if (af === undefined || (fwmark === undefined && !byAddress))
    throw new Refusal('EINVAL', 'a service needs family, and fwmark or protocol, address and port');
  const family = value.familyOfNumber(af);
  if (fwmark !== undefined) return { key: fwmark === 0 ? undefined : { fwmark, family }, family, attributes };
  const key = { family, protocol: protocol!, address: value.addressText(address!, family), port: port!, fwmark: 0 };
  return { key: value.keyOf(key), family, attributes };
}

/** Ports are in network order. */
export function portOf(attributes: Attributes, type: number): number | undefined {
  return attributes.view(type, 2)?.getUint16(0);
}

/**
 * A new service or an edited one. `present`: flags of the service as it is, for those that the
 * request's mask leaves alone. Throws a Refusal.
 */
export function fullService({ key, family, attributes }: ServiceRequest, present: number): ServiceConfig {
  const scheduler = attributes.text(SVC_ATTR.SCHED_NAME);
  const timeout = attributes.u32(SVC_ATTR.TIMEOUT);
  const netmask = attributes.view(SVC_ATTR.NETMASK, 4);
  const flags = flagsOf(attributes);
  if (scheduler === undefined || timeout === undefined || netmask === undefined || flags === undefined)
    throw new Refusal('EINVAL', 'a service needs scheduler, flags, timeout and netmask');
  if (key === undefined) throw new Refusal('EINVAL', 'the protocol is none of TCP, UDP and SCTP');
  if (scheduler.length > NAME_MAX) throw new Refusal('ENOENT');
  return {
    key,
    scheduler,
    flags: value.serviceFlags((present & ~flags.mask) | (flags.set & flags.mask)),
    timeout: value.upToIntMax(timeout, 'timeout'),
    netmask: family === 6 ? netmask.getUint32(0, HOST_LITTLE) : netmask.getUint32(0),
    pe: attributes.text(SVC_ATTR.PE_NAME) ?? '',
  };
}

/** The request keeps some flags of the service as they are. */
export function keepsFlags({ attributes }: ServiceRequest): boolean {
  const flags = flagsOf(attributes);
  return flags !== undefined && flags.mask >>> 0 !== ALL_FLAGS;
}

/** struct ip_vs_flags; a short one ends with zeros. */
function flagsOf(attributes: Attributes): { set: number; mask: number } | undefined {
  const bytes = attributes.bytes(SVC_ATTR.FLAGS);
  if (bytes === undefined) return undefined;
  const whole = new Uint8Array(8);
  whole.set(bytes);
  return { set: viewOf(whole).getUint32(0, HOST_LITTLE), mask: viewOf(whole).getUint32(4, HOST_LITTLE) };
}

/** A service of a listing as IPVS_CMD_ATTR_SERVICE. */
export function encodeService({ key, scheduler, flags, timeout, netmask, pe, stats }: ServiceEntry): Uint8Array {
  const wireKey = value.wireKey(key);
  return encoded((to) =>
    to.nest(CMD_ATTR.SERVICE, () => {
      writeKey(to, wireKey);
      to.text(SVC_ATTR.SCHED_NAME, scheduler);
      if (pe !== '') to.text(SVC_ATTR.PE_NAME, pe);
      to.raw(SVC_ATTR.FLAGS, flagBytes(value.shownFlags(flags)));
      to.u32(SVC_ATTR.TIMEOUT, timeout);
      if (wireKey.family === 6) to.u32(SVC_ATTR.NETMASK, netmask);
      else to.be32(SVC_ATTR.NETMASK, netmask);
      writeStats(to, SVC_ATTR.STATS, SVC_ATTR.STATS64, stats);
    }),
  );
}

function writeKey(to: AttributeWriter, { family, protocol, address, port, fwmark }: value.WireKey): void {
  to.u16(SVC_ATTR.AF, value.numberOfFamily(family));
  if (fwmark !== 0) return to.u32(SVC_ATTR.FWMARK, fwmark);
  to.u16(SVC_ATTR.PROTOCOL, protocol);
  to.raw(SVC_ATTR.ADDR, value.addressBytes(address));
  to.be16(SVC_ATTR.PORT, port);
}

function flagBytes(flags: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setUint32(0, flags, HOST_LITTLE);
  viewOf(bytes).setUint32(4, ALL_FLAGS, HOST_LITTLE);
  return bytes;
}
