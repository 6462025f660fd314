/**
 * Every way a frame can end without leaving the director: one line each, name and text. Its index is the number that the
 * packet path returns; 0 is "not dropped". Adding a reason is adding a line.
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
  ['badTransport', 'the transport header is cut short or contradicts itself'],
  ['badChecksum', 'the ICMP checksum is wrong, or the TCP checksum of a segment that a helper reads'],
  ['badSource', 'the source address is a broadcast, multicast or loopback address'],
  ['badArp', 'the ARP packet is malformed'],
  ['fragmentLimit', 'too much memory is in use for unfinished fragments'],
  ['fragmentTimeout', 'the other fragments of the packet did not come in time'],
  ['fragmentOverlap', 'the fragment overlaps another one'],
  ['fragmentDuplicate', 'the fragment came twice'],
  ['ttlExceeded', 'the TTL ran out at the director (ICMP time exceeded sent)'],
  ['noDestination', 'the service has no available destination (ICMP port unreachable sent)'],
  ['destinationRemoved', 'the connection belongs to a removed destination'],
  ['strayReply', 'a masq destination sent it and no connection wants it (ICMP port unreachable sent: nat_icmp_send)'],
  ['portClosed', 'no service and no connection at this address of ours (answered with RST or ICMP)'],
  ['noRoute', 'no route to the next hop (ICMP host unreachable sent)'],
  ['noForward', 'not ours, and this director does not forward'],
  ['mtuExceeded', 'longer than the MTU with DF set (ICMP fragmentation needed sent)'],
  ['tunnelMtu', 'the tunnel leaves less than the smallest MTU'],
  ['neighbourFailed', 'the next hop did not answer ARP or neighbour discovery'],
  ['neighbourQueue', 'too many frames already wait for the next hop to be resolved'],
  ['noSourcePort', 'full NAT or snat: every address and port there is, is in use towards this destination'],
  ['privateSource', 'snat: a packet that would leave with a private address and cannot be translated'],
  ['noDialogue', 'the persistence engine finds nothing in the packet to go by (sip: a Call-ID over UDP)'],
  ['tableFull', 'the connection table is full'],
  ['defence', 'dropped by a defence strategy (drop_packet)'],
  ['icmpUnhandled', 'an ICMP error that cannot be delivered'],
  ['noFrame', 'no free frame for the packet that had to be made'],
  ['workerBusy', 'the worker whose client it is takes no more'],
  ['txFull', 'the outgoing device took no more'],
] as const satisfies readonly (readonly [string, string])[];

export type DropReason = (typeof REASONS)[number][0];

export const DROP_NAMES: readonly DropReason[] = REASONS.map(([name]) => name);
export const DROP_TEXTS: readonly string[] = REASONS.map(([, text]) => text);

type Drops = { readonly [name in DropReason]: number };
/** `Drop.noRoute` is the number of that reason. */
export const Drop = Object.fromEntries(DROP_NAMES.map((name, i) => [name, i])) as Drops;
