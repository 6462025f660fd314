/**
 * Codec of RTM_*LINK: struct ifinfomsg { u8 family; u8 pad; u16 type; s32 index; u32 flags; u32
 * change } and IFLA_* attributes.
 */
import { Attributes, encodeU32 } from './attribute.js';
import { AF_UNSPEC, IFF, IFLA, IFLA_INFO_KIND, RTEXT_FILTER_SKIP_STATS } from './constants.js';
import { macText } from './inet.js';
import { fixedPart, HOST_LITTLE, joinAligned } from './message.js';

const FIXED = 16;
const OPERSTATES = ['UNKNOWN', 'NOTPRESENT', 'DOWN', 'LOWERLAYERDOWN', 'TESTING', 'DORMANT', 'UP'];

/** A network interface. */
export interface Link {
  readonly ifindex: number;
  readonly name: string;
  /**
   * '' when the interface has none (TUN). Of a tunnel its local endpoint, 4 or 16 bytes, as ip(8)
   * shows it.
   */
  readonly mac: string;
  /** Bytes. */
  readonly mtu: number;
  /** Administratively up. */
  readonly up: boolean;
  /** The interface has a carrier. */
  readonly carrier: boolean;
  readonly loopback: boolean;
  readonly pointToPoint: boolean;
  readonly noArp: boolean;
  /** All IFF_* bits. */
  readonly flags: number;
  /** ARPHRD_*: 1 Ethernet, 772 loopback, 65534 none. */
  readonly type: number;
  readonly operstate: string;
  /** veth, bridge, vlan, tun …; '' for hardware. */
  readonly kind: string;
  readonly group: number;
  /** Index of the bridge, bond or VRF that the interface belongs to. */
  readonly master?: number;
  /** Index of the peer or the lower interface; in namespace `linkNetns`, if that is given. */
  readonly link?: number;
  readonly linkNetns?: number;
  readonly txQueues: number;
  readonly rxQueues: number;
}

/**
 * Undefined for a family other than AF_UNSPEC: a bridge also announces its ports as links of
 * AF_BRIDGE. Throws a MalformedMessage.
 */
export function decodeLink(body: Uint8Array): Link | undefined {
  const fixed = fixedPart(body, FIXED, 'ifinfomsg');
  if (fixed.getUint8(0) !== AF_UNSPEC) return undefined;
  const attributes = new Attributes(body.subarray(FIXED));
  return {
    ifindex: fixed.getInt32(4, HOST_LITTLE),
    type: fixed.getUint16(2, HOST_LITTLE),
    ...flagsOf(fixed.getUint32(8, HOST_LITTLE)),
    ...namesOf(attributes),
    ...relationsOf(attributes),
    mtu: attributes.u32(IFLA.MTU) ?? 0,
    group: attributes.u32(IFLA.GROUP) ?? 0,
    txQueues: attributes.u32(IFLA.NUM_TX_QUEUES) ?? 1,
    rxQueues: attributes.u32(IFLA.NUM_RX_QUEUES) ?? 1,
  };
}

function flagsOf(flags: number) {
  return {
    flags,
    up: (flags & IFF.UP) !== 0,
    carrier: (flags & IFF.LOWER_UP) !== 0,
    loopback: (flags & IFF.LOOPBACK) !== 0,
    pointToPoint: (flags & IFF.POINTOPOINT) !== 0,
    noArp: (flags & IFF.NOARP) !== 0,
  };
}

function namesOf(attributes: Attributes) {
  return {
    name: attributes.text(IFLA.IFNAME) ?? '',
    mac: macText(attributes.bytes(IFLA.ADDRESS) ?? new Uint8Array()),
    operstate: OPERSTATES[attributes.u8(IFLA.OPERSTATE) ?? 0] ?? 'UNKNOWN',
    kind: attributes.nested(IFLA.LINKINFO)?.text(IFLA_INFO_KIND) ?? '',
  };
}

function relationsOf(attributes: Attributes) {
  const master = attributes.u32(IFLA.MASTER);
  const link = attributes.u32(IFLA.LINK);
  const linkNetns = attributes.s32(IFLA.LINK_NETNSID);
  return {
    ...(master !== undefined && { master }),
    ...(link !== undefined && { link }),
    ...(linkNetns !== undefined && { linkNetns }),
  };
}

/** The body of a dump request. */
export function encodeLinkDump(): Uint8Array {
  return joinAligned([new Uint8Array(FIXED), encodeU32(IFLA.EXT_MASK, RTEXT_FILTER_SKIP_STATS)]);
}
