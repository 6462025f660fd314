/**
 * Codec of RTM_*ADDR: struct ifaddrmsg { u8 family, prefixlen, flags, scope; u32 index } and IFA_*
 * attributes.
 */
import { Attributes } from './attribute.js';
import { IFA, IFA_F } from './constants.js';
import { addressOf, afOf, type Family, familyOf } from './inet.js';
import { fixedPart, HOST_LITTLE } from './message.js';
import { scopeText } from './name.js';

const FIXED = 8;
const FOREVER = 0xffffffff;

/** An address of a network interface. */
export interface Address {
  readonly family: Family;
  readonly ifindex: number;
  /** The address of this host. */
  readonly address: string;
  readonly prefixLength: number;
  /** The address of the other end, on a point-to-point interface that has one. */
  readonly peer?: string;
  readonly broadcast?: string;
  readonly label?: string;
  /** global, site, link, host, nowhere, or a number. */
  readonly scope: string;
  readonly secondary: boolean;
  /**
   * Duplicate address detection is not over (or has failed: `dadFailed`); the address cannot be
   * used.
   */
  readonly tentative: boolean;
  readonly dadFailed: boolean;
  readonly deprecated: boolean;
  readonly permanent: boolean;
  /** Seconds; Infinity without a limit. */
  readonly validLifetime: number;
  readonly preferredLifetime: number;
}

/** Undefined for a family other than IPv4 and IPv6. Throws a MalformedMessage. */
export function decodeAddress(body: Uint8Array): Address | undefined {
  const fixed = fixedPart(body, FIXED, 'ifaddrmsg');
  const family = familyOf(fixed.getUint8(0));
  if (family === undefined) return undefined;
  const attributes = new Attributes(body.subarray(FIXED));
  return {
    family,
    ifindex: fixed.getUint32(4, HOST_LITTLE),
    prefixLength: fixed.getUint8(1),
    scope: scopeText(fixed.getUint8(3)),
    ...endsOf(attributes, family),
    // The 8-bit field has the first eight flags only.
    ...flagsOf(attributes.u32(IFA.FLAGS) ?? fixed.getUint8(2)),
    ...lifetimesOf(attributes),
  };
}

/**
 * IFA_ADDRESS is the address of the prefix: the host's own, or the peer's when IFA_LOCAL is another
 * address.
 */
function endsOf(attributes: Attributes, family: Family) {
  const prefix = addressOf(attributes, IFA.ADDRESS, family);
  const address = addressOf(attributes, IFA.LOCAL, family) ?? prefix ?? '';
  const broadcast = addressOf(attributes, IFA.BROADCAST, family);
  const label = attributes.text(IFA.LABEL);
  return {
    address,
    ...(prefix !== undefined && prefix !== address && { peer: prefix }),
    ...(broadcast !== undefined && { broadcast }),
    ...(label !== undefined && { label }),
  };
}

function flagsOf(flags: number) {
  return {
    secondary: (flags & IFA_F.SECONDARY) !== 0,
    tentative: (flags & IFA_F.TENTATIVE) !== 0,
    dadFailed: (flags & IFA_F.DADFAILED) !== 0,
    deprecated: (flags & IFA_F.DEPRECATED) !== 0,
    permanent: (flags & IFA_F.PERMANENT) !== 0,
  };
}

/** Reads struct ifa_cacheinfo { u32 preferred, valid, created, updated }. */
function lifetimesOf(attributes: Attributes) {
  const info = attributes.view(IFA.CACHEINFO, 16);
  const seconds = (at: number) => {
    const value = info?.getUint32(at, HOST_LITTLE) ?? FOREVER;
    return value === FOREVER ? Infinity : value;
  };
  return { preferredLifetime: seconds(0), validLifetime: seconds(4) };
}

/** The body of a dump request. */
export function encodeAddressDump(family: Family): Uint8Array {
  const fixed = new Uint8Array(FIXED);
  fixed[0] = afOf(family);
  return fixed;
}
