/**
 * What `parse` found in the frame at hand: one record, filled anew for each packet, numbers only.
 * IPv4 addresses are signed int32 (a uint32 above 2^31 is no small integer to V8 and would be allocated), big-endian read;
 * IPv6 addresses four such words. Offsets are absolute, into the Umem. Ports, types and lengths are host order.
 */
export class PacketInfo {
  /** Index of the device it came in by. */
  device = 0;
  /** Offset of the Ethernet header and length of the frame. */
  frame = 0;
  len = 0;
  etherType = 0;
  /** VLAN id of an 802.1Q tag, −1 without one. */
  vlan = -1;
  family = 0;
  /** Offset of the IP header; its length, with options or extension headers up to the transport header. */
  l3 = 0;
  headerLen = 0;
  /** Length of the IP packet, header included (what counts as bytes). */
  l3len = 0;
  tos = 0;
  ttl = 0;
  protocol = 0;
  /** DF of IPv4; always false for IPv6. */
  dontFragment = false;
  /** A fragment: its offset in bytes and whether more follow. Both zero/false for a whole packet. */
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
  /** Fragments that a reassembled packet came in (dataplane/table/assembled.ts has them), 0 for what came in one frame. */
  parts = 0;
  /** They crossed the director one by one: TTL, route and MTU were seen to. */
  crossed = false;
  /** An ICMP error; protocol, addresses and ports are for now those of the packet it quotes, as the client sees them. */
  quoted = false;
  /** The client's finished connection whose place a new one takes, 0 for none. */
  replaced = 0;
  /** fwmark given by the mark rules. */
  mark = 0;
}

export { ACK as TCP_ACK, FIN as TCP_FIN, PSH as TCP_PSH, RST as TCP_RST, SYN as TCP_SYN } from '../../wire/tcp.js';
