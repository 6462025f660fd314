/**
 * The floods of `ulvs lab flood`, and the defences against them. Each frame of a flood is another
 * one: forged sources in 198.18.0.0/15, which is reserved for benchmarks (RFC 2544).
 */
import { parse4, parse6, parseMac } from '../../wire/address.js';
import * as arp from '../../wire/arp.js';
import { sum32, sum128 } from '../../wire/checksum.js';
import * as ethernet from '../../wire/ethernet.js';
import * as icmp from '../../wire/icmp.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import * as neighbour from '../../wire/neighbour.js';
import * as options from '../../wire/options.js';
import * as tcp from '../../wire/tcp.js';
import * as udp from '../../wire/udp.js';
import type { Target } from './frame.js';
import { VIP } from './testbed.js';

export const UDP_PORT = 9090;
/** The VIP of neighbour discovery's flood. */
export const VIP6 = 'fd00::100';
/** The addresses of the service by mark, for the flood of one bucket. */
export const MARKED = '10.9.0.0/16';

export interface Attack {
  readonly name: string;
  readonly title: string;
  /** A frame. `word`: the next random number, 32 bits. */
  readonly frame: (target: Target, word: () => number) => Uint8Array;
}

const forged = (word: () => number) => 0xc6120000 | (word() & 0x1ffff) | 0;
const port = (word: () => number) => 1024 + (word() % 60_000);

function ip(target: Target, src: number, dst: number, more: Partial<ipv4.Ipv4>): Uint8Array {
  const payload = ipv4.encode({ ...more, src, dst });
  return ethernet.encode({
    dst: parseMac(target.dstMac)!,
    src: parseMac(target.srcMac)!,
    type: ethernet.TYPE_IPV4,
    payload,
  });
}

/** A SYN as Linux sends it. */
function syn(target: Target, src: number, sport: number, dst: number, word: () => number): Uint8Array {
  const stamp = { kind: options.TIMESTAMPS, data: new Uint8Array(8) };
  const list = options.encode([options.mss(1460), { kind: options.SACK_PERMITTED, data: new Uint8Array(0) }, stamp]);
  const words = { sport, dport: target.port, flags: tcp.SYN, seq: word(), window: 64_240, options: list };
  return ip(target, src, dst, { protocol: ipv4.TCP, payload: tcp.encode(words, sum32(src) + sum32(dst)) });
}

const vip = parse4(VIP)!;
const vip6 = parse6(VIP6)!;

export const ATTACKS: readonly Attack[] = [
  {
    name: 'syn',
    title: 'SYNs of forged clients to the VIP',
    frame: (target, word) => syn(target, forged(word), port(word), vip, word),
  },
  {
    name: 'udp',
    title: 'datagrams of forged clients to a NAT service',
    frame: (target, word) => {
      const src = forged(word);
      const words = { sport: port(word), dport: UDP_PORT, payload: new Uint8Array(64) };
      return ip(target, src, vip, { protocol: ipv4.UDP, payload: udp.encode(words, sum32(src) + sum32(vip)) });
    },
  },
  {
    name: 'fragments',
    title: 'first fragments whose rest never comes',
    frame: (target, word) => {
      const more = { id: word() & 0xffff, moreFragments: true, protocol: ipv4.UDP, payload: new Uint8Array(1024) };
      return ip(target, forged(word), vip, more);
    },
  },
  {
    name: 'arp',
    title: 'ARP requests for the VIP of forged senders',
    frame: ({ srcMac }, word) => {
      const src = parseMac(srcMac)!;
      const senderIp = parse4('10.0.0.0')! | (2 + (word() % 250)) | 0;
      const payload = arp.encode({ operation: arp.REQUEST, senderMac: src, senderIp, targetIp: vip });
      return ethernet.encode({ dst: parseMac('ff:ff:ff:ff:ff:ff')!, src, type: ethernet.TYPE_ARP, payload });
    },
  },
  {
    name: 'nd',
    title: 'neighbour solicitations for an IPv6 VIP of forged senders, and advertisements of them',
    frame: ({ srcMac }, word) => {
      const src = Int32Array.of(0xfe800000 | 0, 0, word() | 0, word() | 0);
      const advertisement = (word() & 1) === 1;
      const group = neighbour.solicitedNode(vip6);
      const fields = { advertisement, router: false, solicited: false, override: advertisement };
      const mac = parseMac(srcMac)!;
      const target = advertisement ? src : vip6;
      const message = neighbour.encode({ ...fields, target, mac }, sum128(src) + sum128(group));
      const words = { src, dst: group, nextHeader: ipv6.ICMP6, hopLimit: neighbour.HOP_LIMIT, payload: message };
      const dst = neighbour.multicastMac(group);
      return ethernet.encode({ dst, src: mac, type: ethernet.TYPE_IPV6, payload: ipv6.encode(words) });
    },
  },
  {
    name: 'icmp',
    title: 'ICMP errors that quote segments of the VIP to forged clients',
    frame: (target, word) => {
      const [src, client] = [forged(word), forged(word)];
      const segment = tcp.encode({ sport: target.port, dport: port(word), flags: tcp.ACK }, sum32(vip) + sum32(client));
      const quote = ipv4.encode({ protocol: ipv4.TCP, src: vip, dst: client, payload: segment }).subarray(0, 28);
      const payload = icmp.encode({ type: icmp.UNREACHABLE, code: icmp.PORT_UNREACHABLE, payload: quote });
      return ip(target, src, vip, { protocol: ipv4.ICMP, payload });
    },
  },
  {
    name: 'bucket',
    title: `SYNs of one client's port to 65,536 addresses: without the index one long chain`,
    frame: (target, word) => syn(target, 0xc6120001 | 0, 4000, parse4('10.9.0.0')! | (word() & 0xffff) | 0, word),
  },
];

/** A defence: lines of director.yaml. */
export interface Defence {
  readonly name: string;
  readonly sysctl: Readonly<Record<string, number>>;
  readonly synproxy?: 'auto' | 'on';
}

export const DEFENCES: readonly Defence[] = [
  { name: 'kernel', sysctl: { early_drop: 0 } },
  { name: 'default', sysctl: {} },
  { name: 'drop_entry', sysctl: { early_drop: 0, drop_entry: 3 } },
  { name: 'drop_packet', sysctl: { early_drop: 0, drop_packet: 3 } },
  { name: 'secure_tcp', sysctl: { early_drop: 0, secure_tcp: 3 } },
  { name: 'synproxy', sysctl: { early_drop: 0 }, synproxy: 'auto' },
];
