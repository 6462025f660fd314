/**
 * Every reason for which a frame ends in the director: one line each, name and text. The index of a
 * line is the number that the packet path returns; 0 is "not dropped". A new reason is a new line.
 */
const REASONS = [
  ['none', 'not dropped'],
  ['truncated', 'the frame ends before its headers do'],
  ['otherHost', 'the frame is addressed to another MAC'],
  ['badVersion', 'the IP version is not the one the EtherType says'],
  ['badHeaderLength', 'the IP header length is below 20 or beyond the packet'],
  ['badTotalLength', 'the IP total length is below the header or beyond the frame'],
  ['badHeaderChecksum', 'the IPv4 header checksum is wrong'],
  ['badFragment', 'the fragment is empty, unaligned or reaches beyond 65,535 bytes'],
  ['badExtension', 'an IPv6 extension header is broken or there are too many'],
  ['badTransport', 'the transport header is truncated or inconsistent'],
  ['badChecksum', 'the ICMP checksum is wrong, or the TCP checksum of a segment that a helper reads'],
  ['badSource', 'the source address is a broadcast, multicast or loopback address'],
  ['badArp', 'the ARP packet is malformed'],
  ['fragmentLimit', 'too much memory is in use for unfinished fragments'],
  ['fragmentTimeout', 'the other fragments of the packet did not come in time'],
  ['fragmentOverlap', 'the fragment overlaps another one'],
  ['fragmentDuplicate', 'the fragment was received twice'],
  ['ttlExceeded', 'the TTL expired at the director (ICMP time exceeded sent)'],
  ['noDestination', 'the service has no available destination (ICMP port unreachable sent)'],
  ['destinationRemoved', 'the connection belongs to a removed destination'],
  [
    'strayReply',
    'a masq destination sent it outside any connection (ICMP port unreachable sent: sysctl nat_icmp_send)',
  ],
  ['portClosed', 'an address of the director without a service or connection for the port (RST or ICMP sent)'],
  ['noRoute', 'no route to the next hop (ICMP host unreachable sent)'],
  ['mtuExceeded', 'longer than the MTU with DF set (ICMP fragmentation needed sent)'],
  ['tunnelMtu', 'the tunnel leaves less than the smallest MTU of IP'],
  ['neighbourFailed', 'the next hop did not answer ARP or neighbour discovery'],
  ['neighbourQueue', 'too many frames already wait for the MAC address of a next hop'],
  ['noSourcePort', 'full NAT or snat: every source address and port is in use towards this destination'],
  ['privateSource', 'snat: the packet would leave with a private source address and cannot be translated'],
  ['noDialogue', 'the persistence engine found no key in the packet (sip: no Call-ID over UDP)'],
  ['tableFull', 'the connection table is full'],
  ['defence', 'dropped by a defence strategy (drop_packet)'],
  ['noFrame', 'no free frame for a packet that the director had to make'],
  ['workerBusy', 'the hand-off ring to the worker that owns the client is full'],
  ['txFull', 'the transmit queue of the device is full'],
] as const satisfies readonly (readonly [string, string])[];

export type DropReason = (typeof REASONS)[number][0];

export const DROP_NAMES: readonly DropReason[] = REASONS.map(([name]) => name);
export const DROP_TEXTS: readonly string[] = REASONS.map(([, text]) => text);

type Drops = { readonly [name in DropReason]: number };
/** Numbers by name: `Drop.noRoute`. */
export const Drop = Object.fromEntries(DROP_NAMES.map((name, i) => [name, i])) as Drops;
