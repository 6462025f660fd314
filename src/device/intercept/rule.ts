/**
 * InterceptRule: which packets the director intercepts, as plain data. The dataplane decides by
 * these rules. NftIntercept writes the same rules for nft, so that the stack of the host drops
 * exactly the frames that the director handles. InterceptMaps fills the maps of an XDP program with
 * them.
 */
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';

/** Ports from–to, both included, 0–65535. */
export type PortRange = readonly [from: number, to: number];

/** Every field that is present must match. A missing field matches anything. */
export interface PacketMatch {
  family: 4 | 6;
  /** IP protocol number: 6 TCP, 17 UDP, 132 SCTP, 1 ICMP, 4 IPIP … */
  protocol?: number;
  /** An address, a prefix '10.0.0.0/8', or a range '10.0.0.1-10.0.0.9'. */
  saddr?: string;
  daddr?: string;
  /**
   * One of these must match. They need a protocol with ports. An empty list is the same as none.
   */
  sport?: readonly PortRange[];
  dport?: readonly PortRange[];
}

/**
 * - a service:            { kind: 'packet', family: 4, daddr: VIP, protocol: 6, dport: [[80, 80]] }
 * - a VIP-less range:     { kind: 'packet', family: 4, daddr: '10.9.0.0/16' }
 * - a mark rule:          { kind: 'packet', family: 4, iif, saddr, daddr, protocol, dport }
 * - replies (masq):       { kind: 'packet', family: 4, saddr: RIP, protocol: 6, sport: [[8080, 8080]] }
 * - ICMP errors (masq):   { kind: 'icmpError', about: { family: 4, saddr: VIP or RIP … } }, of the quoted packet
 * - ARP for an address:   { kind: 'arp', target: address, prefix or range }; IPv6: neighbour solicitations
 */
export type InterceptRule =
  | ({ kind: 'packet'; iif?: string } & PacketMatch)
  | { kind: 'icmpError'; iif?: string; about: PacketMatch }
  | { kind: 'arp'; iif?: undefined; target: string };

/**
 * ICMP errors that belong to a connection: those that ip_vs_in_icmp follows, and parameter problem.
 */
export const ICMP_ERRORS = [icmp.UNREACHABLE, icmp.SOURCE_QUENCH, icmp.TIME_EXCEEDED, icmp.PARAMETER_PROBLEM] as const;
/** ICMPv6 errors that belong to a connection (RFC 4443, 3). */
export const ICMP6_ERRORS = [
  icmp6.UNREACHABLE,
  icmp6.PACKET_TOO_BIG,
  icmp6.TIME_EXCEEDED,
  icmp6.PARAMETER_PROBLEM,
] as const;
