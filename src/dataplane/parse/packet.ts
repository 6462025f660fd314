/**
 * What the parser found in the current frame: one record, filled again for each packet, numbers
 * only. IPv4 addresses are signed int32 (V8 allocates memory for a uint32 above 2^31), read in
 * network byte order. IPv6 addresses are four such words. Offsets are absolute, into the Umem.
 * Ports, types and lengths are in host byte order.
 */
export class PacketInfo {
  /** Index of the device that received the frame. */
  device = 0;
  /** Offset of the Ethernet header and length of the frame. */
  frame = 0;
  len = 0;
  etherType = 0;
  /** VLAN id of an 802.1Q tag, −1 without one. */
  vlan = -1;
  family = 0;
  /**
   * Offset of the IP header, and its length with options, or with extension headers up to the
   * transport header.
   */
  l3 = 0;
  headerLen = 0;
  /** Length of the IP packet with its header: the bytes that counters count. */
  l3len = 0;
  tos = 0;
  ttl = 0;
  protocol = 0;
  /** DF of IPv4; always false for IPv6. */
  dontFragment = false;
  /**
   * Offset of a fragment in bytes, and whether more fragments follow. 0 and false for a whole
   * packet.
   */
  fragmentOffset = 0;
  moreFragments = false;
  /** Offset and length of the transport header and payload. */
  l4 = 0;
  l4len = 0;
  src = 0;
  dst = 0;
  readonly src6 = new Int32Array(4);
  readonly dst6 = new Int32Array(4);
  sport = 0;
  dport = 0;
  /** TCP flags byte; 0 for other protocols. */
  tcpFlags = 0;
  icmpType = 0;
  icmpCode = 0;
  /**
   * Number of fragments of a reassembled packet (dataplane/table/assembled.ts has them), 0 for a
   * packet that arrived in one frame.
   */
  parts = 0;
  /** The fragments were forwarded one by one before: TTL, route and MTU are checked already. */
  crossed = false;
  /**
   * The packet is an ICMP error. Protocol, addresses and ports are those of the quoted packet as
   * the client sees them, until scheduleQuoted restores them.
   */
  quoted = false;
  /** An acknowledgement with a valid cookie: it opens a connection (dataplane/synproxy). */
  proven = false;
  /** The finished connection of the client that a new one replaces, 0 for none. */
  replaced = 0;
  /** fwmark that the mark rules gave the packet. */
  mark = 0;
}

export { ACK as TCP_ACK, FIN as TCP_FIN, PSH as TCP_PSH, RST as TCP_RST, SYN as TCP_SYN } from '../../wire/tcp.js';
