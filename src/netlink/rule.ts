/**
 * Codec of RTM_*RULE: struct fib_rule_hdr { u8 family, dst_len, src_len, tos, table, res1, res2,
 * action; u32 flags } and FRA_* attributes.
 */
import { Attributes } from './attribute.js';
import { FIB_RULE_INVERT, FRA } from './constants.js';
import { afOf, type Family, familyOf, prefixText } from './inet.js';
import { fixedPart, HOST_LITTLE } from './message.js';
import { protocolText } from './name.js';

const FIXED = 12;
/** The value of suppress_prefixlength and suppress_ifgroup when they are not set. */
const UNSET = 0xffffffff;
const ACTIONS = [
  'unspec',
  'lookup',
  'goto',
  'nop',
  'unspec',
  'unspec',
  'blackhole',
  'unreachable',
  'prohibit',
] as const;
export type RuleAction = (typeof ACTIONS)[number];

/** From–to, both included. */
export type Range = readonly [from: number, to: number];

/** A rule of the routing policy (ip-rule(8)). */
export interface Rule {
  readonly family: Family;
  /** The rule with the smallest number is tried first. */
  readonly priority: number;
  readonly action: RuleAction;
  /** With action `lookup`. */
  readonly table: number;
  /** With action `goto`: the priority of the next rule. */
  readonly goto?: number;
  /** The rule matches packets that its conditions do not match. */
  readonly invert: boolean;
  /** Absent: all. */
  readonly src?: string;
  readonly dst?: string;
  /** Names of interfaces, which need not exist. iif `lo`: packets from this host. */
  readonly iif?: string;
  readonly oif?: string;
  /** The rule matches when (mark & fwmask) equals fwmark. Mask 0 matches all. */
  readonly fwmark: number;
  readonly fwmask: number;
  readonly tos: number;
  readonly ipProto?: number;
  readonly sport?: Range;
  readonly dport?: Range;
  readonly uid?: Range;
  /**
   * A route of the table is ignored when its prefix is this long or shorter, or its interface is in
   * this group.
   */
  readonly suppressPrefixLength?: number;
  readonly suppressGroup?: number;
  /** The table is that of the VRF of the packet. */
  readonly l3mdev: boolean;
  /** The rule has a condition that is not decoded: tunnel id or flow label. */
  readonly special: boolean;
  readonly protocol: string;
}

/** Undefined for a family other than IPv4 and IPv6. Throws a MalformedMessage. */
export function decodeRule(body: Uint8Array): Rule | undefined {
  const fixed = fixedPart(body, FIXED, 'fib_rule_hdr');
  const family = familyOf(fixed.getUint8(0));
  if (family === undefined) return undefined;
  const attributes = new Attributes(body.subarray(FIXED));
  return {
    family,
    priority: attributes.u32(FRA.PRIORITY) ?? 0,
    ...actionOf(attributes, fixed),
    invert: (fixed.getUint32(8, HOST_LITTLE) & FIB_RULE_INVERT) !== 0,
    ...prefixesOf(attributes, fixed, family),
    ...devicesOf(attributes),
    fwmark: attributes.u32(FRA.FWMARK) ?? 0,
    fwmask: attributes.u32(FRA.FWMASK) ?? 0,
    ...flowOf(attributes, fixed),
    ...suppressOf(attributes),
    l3mdev: (attributes.u8(FRA.L3MDEV) ?? 0) !== 0,
    special: attributes.has(FRA.TUN_ID) || attributes.has(FRA.FLOWLABEL),
    protocol: protocolText(attributes.u8(FRA.PROTOCOL) ?? 0),
  };
}

function actionOf(attributes: Attributes, fixed: DataView) {
  const target = attributes.u32(FRA.GOTO);
  return {
    action: ACTIONS[fixed.getUint8(7)] ?? 'unspec',
    table: attributes.u32(FRA.TABLE) ?? fixed.getUint8(4),
    ...(target !== undefined && { goto: target }),
  };
}

function prefixesOf(attributes: Attributes, fixed: DataView, family: Family) {
  const dstLen = fixed.getUint8(1);
  const srcLen = fixed.getUint8(2);
  return {
    ...(srcLen > 0 && { src: prefixText(attributes, FRA.SRC, srcLen, family) }),
    ...(dstLen > 0 && { dst: prefixText(attributes, FRA.DST, dstLen, family) }),
  };
}

function devicesOf(attributes: Attributes) {
  const iif = attributes.text(FRA.IIFNAME);
  const oif = attributes.text(FRA.OIFNAME);
  return { ...(iif !== undefined && { iif }), ...(oif !== undefined && { oif }) };
}

/** FRA_DSCP (Linux 6.13) replaces the field of the header. A TOS is a DSCP followed by two bits. */
function flowOf(attributes: Attributes, fixed: DataView) {
  const dscp = attributes.u8(FRA.DSCP);
  const ipProto = attributes.u8(FRA.IP_PROTO);
  const sport = ports(attributes, FRA.SPORT_RANGE);
  const dport = ports(attributes, FRA.DPORT_RANGE);
  const uid = attributes.view(FRA.UID_RANGE, 8);
  return {
    tos: dscp === undefined ? fixed.getUint8(3) : dscp << 2,
    ...(ipProto !== undefined && { ipProto }),
    ...(sport && { sport }),
    ...(dport && { dport }),
    ...(uid && { uid: [uid.getUint32(0, HOST_LITTLE), uid.getUint32(4, HOST_LITTLE)] as const }),
  };
}

/** Reads struct fib_rule_port_range { u16 start, end }. It is in host order, unlike other ports. */
function ports(attributes: Attributes, type: number): Range | undefined {
  const view = attributes.view(type, 4);
  return view && [view.getUint16(0, HOST_LITTLE), view.getUint16(2, HOST_LITTLE)];
}

function suppressOf(attributes: Attributes) {
  const len = attributes.u32(FRA.SUPPRESS_PREFIXLEN) ?? UNSET;
  const group = attributes.u32(FRA.SUPPRESS_IFGROUP) ?? UNSET;
  return { ...(len !== UNSET && { suppressPrefixLength: len }), ...(group !== UNSET && { suppressGroup: group }) };
}

/** The body of a dump request. */
export function encodeRuleDump(family: Family): Uint8Array {
  const fixed = new Uint8Array(FIXED);
  fixed[0] = afOf(family);
  return fixed;
}
