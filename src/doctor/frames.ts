/**
 * The packets that the doctor sends: ARP requests and neighbour solicitations, echo requests, SYNs,
 * and the RST that ends each half-open connection.
 */
import { BROADCAST_MAC, isIPv6, type Mac, parse4, parse6 } from '../wire/address.js';
import * as arp from '../wire/arp.js';
import { sum32, sum128 } from '../wire/checksum.js';
import * as ethernet from '../wire/ethernet.js';
import * as icmp from '../wire/icmp.js';
import * as icmp6 from '../wire/icmp6.js';
import * as ipv4 from '../wire/ipv4.js';
import * as ipv6 from '../wire/ipv6.js';
import * as neighbour from '../wire/neighbour.js';
import * as tcp from '../wire/tcp.js';

const TTL = 64;

/** Source and destination address. */
export interface Ends {
  readonly from: string;
  readonly to: string;
}

/** An Ethernet frame. */
export function frame(to: Mac, from: Mac, type: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.from([...ethernet.encode({ dst: to, src: from, type }), ...payload]);
}

export function etherType(address: string): number {
  return isIPv6(address) ? ethernet.TYPE_IPV6 : ethernet.TYPE_IPV4;
}

/**
 * A request for the MAC of `wanted`: an ARP request, or a neighbour solicitation to the
 * solicited-node multicast address. `from` is an address of the sender.
 */
export function question(mac: Mac, from: string, wanted: string): Uint8Array {
  if (!isIPv6(wanted)) {
    const request = arp.encode({ senderMac: mac, senderIp: parse4(from)!, targetIp: parse4(wanted)! });
    return frame(BROADCAST_MAC, mac, ethernet.TYPE_ARP, request);
  }
  const [src, target] = [parse6(from)!, parse6(wanted)!];
  const dst = neighbour.solicitedNode(target);
  const asked = { advertisement: false, router: false, solicited: false, override: false, target, mac };
  const payload = neighbour.encode(asked, sum128(src) + sum128(dst));
  const packet = ipv6.encode({ src, dst, nextHeader: ipv6.ICMP6, hopLimit: neighbour.HOP_LIMIT, payload });
  return frame(neighbour.multicastMac(dst), mac, ethernet.TYPE_IPV6, packet);
}

/** An IP packet. `transport` gets the checksum of both addresses, for its pseudo header. */
function packet({ from, to }: Ends, protocol: number, transport: (addresses: number) => Uint8Array): Uint8Array {
  if (isIPv6(to)) {
    const [src, dst] = [parse6(from)!, parse6(to)!];
    return ipv6.encode({
      src,
      dst,
      nextHeader: protocol,
      hopLimit: TTL,
      payload: transport(sum128(src) + sum128(dst)),
    });
  }
  const [src, dst] = [parse4(from)!, parse4(to)!];
  return ipv4.encode({ src, dst, protocol, ttl: TTL, payload: transport(sum32(src) + sum32(dst)) });
}

export interface Ports {
  readonly sport: number;
  readonly dport: number;
}

/** A random initial sequence number below 2^31, so that seq + 1 does not wrap. */
export function someSeq(): number {
  return Math.floor(Math.random() * 0x7fffffff);
}

/** The MSS option (1460). Some firewalls drop a SYN without it. */
const MSS = Uint8Array.of(2, 4, 0x05, 0xb4);

/** A SYN from `sport` to `dport`. */
export function syn(ends: Ends, ports: Ports, seq: number): Uint8Array {
  return packet(ends, ipv4.TCP, (sum) => tcp.encode({ ...ports, seq, flags: tcp.SYN, options: MSS }, sum));
}

/** The RST that ends the connection of the SYN with this sequence number. */
export function reset(ends: Ends, ports: Ports, seq: number): Uint8Array {
  return packet(ends, ipv4.TCP, (sum) =>
    tcp.encode({ ...ports, seq: (seq + 1) >>> 0, flags: tcp.RST, window: 0 }, sum),
  );
}

/** An ICMP or ICMPv6 echo request. The reply carries the same `id`. */
export function echo(ends: Ends, id: number): Uint8Array {
  const rest = (id << 16) | 1;
  if (isIPv6(ends.to)) return packet(ends, ipv6.ICMP6, (sum) => icmp6.encode({ type: icmp6.ECHO_REQUEST, rest }, sum));
  return packet(ends, ipv4.ICMP, () => icmp.encode({ type: icmp.ECHO_REQUEST, rest }));
}

/** The IPIP packet that the director sends to a Tun realserver. */
export function tunnelled(ends: Ends, inner: Uint8Array): Uint8Array {
  return packet(ends, inner[0]! >> 4 === 6 ? ipv4.IPV6 : ipv4.IPIP, () => inner);
}
