/**
 * Layout of the maps that the XDP program reads. Values are in network order unless a comment says
 * host order.
 */
import { DCCP, SCTP, TCP, UDP, UDPLITE } from '../../wire/ipv4.js';

/**
 * An address is a destination or a source, IPv4 or IPv6. Each side has a trie; its index is in the
 * keys of the port table.
 */
export const SIDES = ['dst4', 'src4', 'dst6', 'src6'] as const;
export type Side = (typeof SIDES)[number];

/**
 * Key of a trie: | prefix length 32, host order | address, 4 or 16 bytes |
 * Value of a trie: | flags 32 | fragments 32 | rule bits 64 |, host order. It includes the values
 * of all shorter prefixes.
 */
export const TRIE_VALUE = 16;

/** Flag of a trie value: all packets to (from) the address are intercepted. */
export const WHOLE = 1;
/** Flag: the port table has entries for the address. */
export const PORTS = 2;
/**
 * Protocols whose fragments have a bit in the value of a trie, the first one bit 0. It stands with
 * PORTS. A key of the port table for each address would be as many keys again.
 */
export const FRAGMENT_BITS: readonly number[] = [TCP, UDP, SCTP];
/** Flag: the director answers ARP requests and neighbour solicitations for the address. */
export const ARP_TARGET = 4;

/**
 * Bytes of a key of the port table: | address 16 bytes (IPv4 in the first 4) | port 16 | protocol 8 | side 8 |
 * Port 0 stands for any port, and is the port of protocols without ports. FRAGMENT in the side: a
 * fragment of a protocol that is not in FRAGMENT_BITS, port 0.
 */
export const PORT_KEY = 20;
export const FRAGMENT = 4;

/**
 * Rules that tries and port table cannot express have a bit each. The last bit is for all rules
 * beyond the 63rd.
 */
export const RULE_BITS = 64;

/**
 * Rule bits by port, 0–65535 in host order, and one more entry for packets without ports:
 * fragments, other protocols. Ports exclude no rule there.
 */
export const NO_PORT = 65_536;
export const PORT_ENTRIES = NO_PORT + 1;

/**
 * Rule bits by protocol, 0–255, and three more entries. Two are not 0 when ICMP errors of the
 * family are intercepted; the third is the MAC address of the interface.
 */
export const ICMP_ERRORS_4 = 256;
export const ICMP_ERRORS_6 = 257;
/** Six bytes, as on the wire. */
export const OWN_MAC = 258;
export const PROTOCOL_ENTRIES = 259;

/** Protocols with ports in the first four bytes of the header. */
export const WITH_PORTS = [TCP, UDP, DCCP, SCTP, UDPLITE] as const;

/** File descriptors of the maps of a device. They are valid in every thread of the process. */
export interface InterceptMapFds extends Readonly<Record<Side, number>> {
  readonly ports: number;
  readonly protocols: number;
  readonly sports: number;
  readonly dports: number;
}
