/**
 * Codec of RTM_*ROUTE: struct rtmsg { u8 family, dst_len, src_len, tos, table, protocol, scope,
 * type; u32 flags } and RTA_* attributes.
 *
 * The kernel does not announce IPv4 routes that it removes because their interface went down. So
 * dump after a change of a link.
 */
import { Attributes } from './attribute.js';
import { RTA, RTAX_MTU, RTM_F } from './constants.js';
import { addressOf, afOf, type Family, familyOf, prefixText } from './inet.js';
import { fixedPart, HOST_LITTLE } from './message.js';
import { protocolText, type RouteType, routeType, scopeText } from './name.js';
import { multipathHops, type NextHop, singleHop } from './nexthop.js';

const FIXED = 12;

/** A route of any table. */
export interface Route {
  readonly family: Family;
  /** `10.0.0.0/24`, always with a length, or `default`. */
  readonly dst: string;
  /** IPv6: the route is for these sources only; absent for all. */
  readonly src?: string;
  readonly type: RouteType;
  readonly table: number;
  /** The metric. Of routes with equal prefixes the one with the smallest metric is used. */
  readonly priority: number;
  readonly scope: string;
  readonly protocol: string;
  readonly tos: number;
  /** Preferred source address of packets from this host. */
  readonly prefsrc?: string;
  /** Bytes. */
  readonly mtu?: number;
  /**
   * All next hops; none for blackhole, unreachable, prohibit and throw (with IPv6 they are on lo).
   */
  readonly nexthops: readonly NextHop[];
  /** Of the first next hop. */
  readonly gateway?: string;
  readonly oif?: number;
  readonly nexthopId?: number;
  /** The result of a look-up, or an exception (a redirect, a path MTU), not a route. */
  readonly cached: boolean;
}

/** Undefined for a family other than IPv4 and IPv6. Throws a MalformedMessage. */
export function decodeRoute(body: Uint8Array): Route | undefined {
  const fixed = fixedPart(body, FIXED, 'rtmsg');
  const family = familyOf(fixed.getUint8(0));
  if (family === undefined) return undefined;
  const attributes = new Attributes(body.subarray(FIXED));
  return {
    family,
    dst: prefixText(attributes, RTA.DST, fixed.getUint8(1), family),
    type: routeType(fixed.getUint8(7)),
    // The 8-bit field is RT_TABLE_COMPAT (252) for a larger number.
    table: attributes.u32(RTA.TABLE) ?? fixed.getUint8(4),
    priority: attributes.u32(RTA.PRIORITY) ?? 0,
    scope: scopeText(fixed.getUint8(6)),
    protocol: protocolText(fixed.getUint8(5)),
    tos: fixed.getUint8(3),
    ...sourceOf(attributes, family, fixed.getUint8(2)),
    ...hopsOf(attributes, family, fixed.getUint32(8, HOST_LITTLE)),
    ...metricsOf(attributes),
    cached: (fixed.getUint32(8, HOST_LITTLE) & RTM_F.CLONED) !== 0,
  };
}

function sourceOf(attributes: Attributes, family: Family, len: number) {
  const prefsrc = addressOf(attributes, RTA.PREFSRC, family);
  return {
    ...(len > 0 && { src: prefixText(attributes, RTA.SRC, len, family) }),
    ...(prefsrc !== undefined && { prefsrc }),
  };
}

function hopsOf(attributes: Attributes, family: Family, flags: number) {
  const multipath = attributes.bytes(RTA.MULTIPATH);
  const nexthops = multipath ? multipathHops(multipath, family) : singleHop(attributes, family, flags);
  const nexthopId = attributes.u32(RTA.NH_ID);
  const [first] = nexthops;
  return {
    nexthops,
    ...(first?.gateway !== undefined && { gateway: first.gateway }),
    ...(first?.oif !== undefined && { oif: first.oif }),
    ...(nexthopId !== undefined && { nexthopId }),
  };
}

function metricsOf(attributes: Attributes) {
  const mtu = attributes.nested(RTA.METRICS)?.u32(RTAX_MTU);
  return mtu === undefined ? {} : { mtu };
}

/** The body of a dump request. */
export function encodeRouteDump(family: Family): Uint8Array {
  const fixed = new Uint8Array(FIXED);
  fixed[0] = afOf(family);
  return fixed;
}
