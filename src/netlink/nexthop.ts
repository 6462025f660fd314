/**
 * Next hops of a route: one in the attributes of the route, or a list of struct rtnexthop { u16
 * len; u8 flags, hops; s32 ifindex }.
 */
import { Attributes } from './attribute.js';
import { RTA, RTNH_F } from './constants.js';
import { MalformedMessage } from './error.js';
import { addressOf, addressText, type Family, familyOf } from './inet.js';
import { align, HOST_LITTLE, viewOf } from './message.js';

const FIXED = 8;

export interface NextHop {
  /** Absent when the destination is on the link. An IPv4 route may have an IPv6 gateway. */
  readonly gateway?: string;
  readonly oif?: number;
  /** 1 to 256. */
  readonly weight: number;
  /** The gateway is on the link, even if no route says so. */
  readonly onlink: boolean;
  /** The interface is down: the kernel skips the hop. */
  readonly dead: boolean;
  /**
   * The interface has no carrier: the kernel skips the hop only with ignore_routes_with_linkdown.
   */
  readonly linkdown: boolean;
}

/** The hop in the attributes of a route; none for a route such as blackhole. */
export function singleHop(attributes: Attributes, family: Family, flags: number): NextHop[] {
  const oif = attributes.u32(RTA.OIF);
  const gateway = gatewayOf(attributes, family);
  if (oif === undefined && gateway === undefined) return [];
  return [
    { ...(gateway !== undefined && { gateway }), ...(oif !== undefined && { oif }), ...hopFlags(flags), weight: 1 },
  ];
}

/** The hops of RTA_MULTIPATH. Throws a MalformedMessage. */
export function multipathHops(bytes: Uint8Array, family: Family): NextHop[] {
  const hops: NextHop[] = [];
  for (let at = 0; bytes.length - at >= FIXED; ) {
    const view = viewOf(bytes.subarray(at));
    const len = view.getUint16(0, HOST_LITTLE);
    if (len < FIXED || len > bytes.length - at) throw new MalformedMessage('rtnexthop', bytes.length - at, len);
    hops.push(multipathHop(bytes.subarray(at, at + len), family));
    at += align(len);
  }
  return hops;
}

function multipathHop(bytes: Uint8Array, family: Family): NextHop {
  const view = viewOf(bytes);
  const gateway = gatewayOf(new Attributes(bytes.subarray(FIXED)), family);
  return {
    ...(gateway !== undefined && { gateway }),
    oif: view.getInt32(4, HOST_LITTLE),
    weight: view.getUint8(3) + 1,
    ...hopFlags(view.getUint8(2)),
  };
}

function hopFlags(flags: number) {
  return {
    onlink: (flags & RTNH_F.ONLINK) !== 0,
    dead: (flags & RTNH_F.DEAD) !== 0,
    linkdown: (flags & RTNH_F.LINKDOWN) !== 0,
  };
}

/** The gateway. RTA_VIA has one of another family: struct rtvia { u16 family; u8 address[] }. */
function gatewayOf(attributes: Attributes, family: Family): string | undefined {
  const via = attributes.view(RTA.VIA, 2);
  if (via === undefined) return addressOf(attributes, RTA.GATEWAY, family);
  const viaFamily = familyOf(via.getUint16(0, HOST_LITTLE));
  return viaFamily && addressText((attributes.bytes(RTA.VIA) as Uint8Array).subarray(2), viaFamily);
}
