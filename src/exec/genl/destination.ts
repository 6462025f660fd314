/**
 * Destinations in messages of family IPVS: IPVS_CMD_ATTR_DEST (ip_vs_genl_parse_dest,
 * ip_vs_genl_dump_dest).
 */
import type { DestinationEntry } from '../../control/api/api.js';
import type { Attributes } from '../../netlink/attribute.js';
import type { DestinationConfig } from '../../service/config.js';
import { addressFamily } from '../../wire/address.js';
import { Refusal } from '../refusal.js';
import * as value from '../values.js';
import { CMD_ATTR, DEST_ATTR } from './constants.js';
import { encoded } from './encode.js';
import { DEST_POLICY, validatedNest } from './policy.js';
import { portOf } from './service.js';
import { writeStats } from './stats.js';

/** What a request says about a destination. */
export interface DestinationRequest {
  readonly address: string;
  readonly port: number;
  readonly attributes: Attributes;
}

/**
 * The identifying fields. `family`: that of the service, for programs that do not name one. Throws
 * a Refusal: EINVAL, EAFNOSUPPORT.
 */
export function parseDestination(nested: Uint8Array | undefined, family: 4 | 6): DestinationRequest {
  const attributes = validatedNest(nested, DEST_POLICY, 'destination');
  const address = attributes.bytes(DEST_ATTR.ADDR);
  const port = portOf(attributes, DEST_ATTR.PORT);
  if (address === undefined || port === undefined) throw new Refusal('EINVAL', 'a destination needs address and port');
  const own = attributes.u16(DEST_ATTR.ADDR_FAMILY) || value.numberOfFamily(family);
  return { address: value.addressText(address, value.familyOfNumber(own)), port, attributes };
}

/** A new destination or an edited one. Throws a Refusal. */
export function fullDestination({ address, port, attributes }: DestinationRequest): DestinationConfig {
  const [method, weight] = [attributes.u32(DEST_ATTR.FWD_METHOD), attributes.s32(DEST_ATTR.WEIGHT)];
  const [upper, lower] = [attributes.u32(DEST_ATTR.U_THRESH), attributes.u32(DEST_ATTR.L_THRESH)];
  if (method === undefined || weight === undefined || upper === undefined || lower === undefined)
    throw new Refusal('EINVAL', 'a destination needs forwarding method, weight and both thresholds');
  return {
    address,
    port,
    method: value.methodOf(method),
    weight,
    upperThreshold: value.upToIntMax(upper, 'upper threshold'),
    lowerThreshold: value.upToIntMax(lower, 'lower threshold'),
    tunnel: value.tunnelOf(
      attributes.u8(DEST_ATTR.TUN_TYPE) ?? 0,
      portOf(attributes, DEST_ATTR.TUN_PORT) ?? 0,
      attributes.u16(DEST_ATTR.TUN_FLAGS) ?? 0,
    ),
  };
}

/** A destination of a listing as IPVS_CMD_ATTR_DEST. */
export function encodeDestination(entry: DestinationEntry): Uint8Array {
  const tunnel = value.tunnelNumbers(entry.tunnel);
  return encoded((to) =>
    to.nest(CMD_ATTR.DEST, () => {
      to.raw(DEST_ATTR.ADDR, value.addressBytes(entry.address));
      to.be16(DEST_ATTR.PORT, entry.port);
      to.u32(DEST_ATTR.FWD_METHOD, value.methodNumber(entry.method));
      to.u32(DEST_ATTR.WEIGHT, entry.weight);
      to.u32(DEST_ATTR.U_THRESH, entry.upperThreshold);
      to.u32(DEST_ATTR.L_THRESH, entry.lowerThreshold);
      to.u32(DEST_ATTR.ACTIVE_CONNS, entry.activeConns);
      to.u32(DEST_ATTR.INACT_CONNS, entry.inactConns);
      to.u32(DEST_ATTR.PERSIST_CONNS, entry.persistConns);
      to.u16(DEST_ATTR.ADDR_FAMILY, value.numberOfFamily(addressFamily(entry.address)));
      to.u8(DEST_ATTR.TUN_TYPE, tunnel.type);
      to.be16(DEST_ATTR.TUN_PORT, tunnel.port);
      to.u16(DEST_ATTR.TUN_FLAGS, tunnel.flags);
      writeStats(to, DEST_ATTR.STATS, DEST_ATTR.STATS64, entry.stats);
    }),
  );
}
