/** What the XDP program and those who fill its maps agree on: bytes are in network order unless it says otherwise. */

/** The four sides an address can be on; each has a trie, and its number is in the keys of the port table. */
export const SIDES = ['dst4', 'src4', 'dst6', 'src6'] as const;
export type Side = (typeof SIDES)[number];

/**
 * A trie's key: | prefix length 32, host order | address 4 or 16 |
 * A trie's value: | flags 32 | unused 32 | rule bits 64 |, host order. It holds what all shorter prefixes of it hold, too.
 */
export const TRIE_VALUE = 16;

/** Everything to (from) here is taken, whatever it is. */
export const WHOLE = 1;
/** The port table has entries for this address. */
export const PORTS = 2;
/** Who asks for this address (ARP, neighbour solicitation) is answered by the director. */
export const ASKED = 4;

/**
 * The port table's key: | address 16 (IPv4 in the first 4) | port 16 | protocol 8 | side 8 |
 * Port 0 stands for any port, and for all protocols without ports. FRAGMENT in the side: for fragments, port 0.
 */
export const PORT_KEY = 20;
export const FRAGMENT = 4;

/** Rules that no trie and port key can say have a bit each, up to so many; the last bit is shared by all further ones. */
export const RULE_BITS = 64;

/**
 * Rule bits by port, 0–65535 in host order, and one entry more for what has no port: fragments, other protocols. There a
 * rule is not held back by its ports.
 */
export const NO_PORT = 65_536;
export const PORT_ENTRIES = NO_PORT + 1;

/** Rule bits by protocol, and three entries more: not zero when ICMP errors of the family are taken; the device's MAC. */
export const ICMP_ERRORS_4 = 256;
export const ICMP_ERRORS_6 = 257;
/** Six bytes as on the wire. */
export const OWN_MAC = 258;
export const PROTOCOL_ENTRIES = 259;

/** Protocols with ports where TCP has them: TCP, UDP, DCCP, SCTP, UDP-Lite. */
export const WITH_PORTS = [6, 17, 33, 132, 136] as const;

/** Descriptors of a device's maps; plain numbers of the process, good in every thread. */
export interface InterceptMapFds extends Readonly<Record<Side, number>> {
  readonly ports: number;
  readonly protocols: number;
  readonly sports: number;
  readonly dports: number;
}
