/**
 * Random traffic for the differential tests of the fast path. Most frames are ordinary; some are
 * malformed or unusual in any way. `answer` makes a reply to a sent frame, so that replies match
 * connections whose ports the director chose.
 */
import { format4, format6 } from '../../../src/wire/address.js';
import * as ipv4 from '../../../src/wire/ipv4.js';
import * as ipv6 from '../../../src/wire/ipv6.js';
import { type Packet, packet } from '../../support/packet.js';
import type { Random } from '../../support/seed.js';
import { MACS } from './network.js';

/** MAC addresses of the hosts that send to the director's links. */
const PEERS = ['02:00:00:00:c0:01', '02:00:00:00:a0:11'] as const;
const FLAGS = ['S', 'SA', 'A', 'A', 'A', 'A', 'PA', 'FA', 'R', 'RA', 'F', '', 'SF'];
const ORDINARY_FLAGS = ['S', 'SA', 'A', 'A', 'A', 'A', 'A', 'PA', 'PA', 'FA', 'R'];
const ETHERNET = 14;

/** The layer-2 header of a frame that the link `device` receives. */
export function arriving(device: number): Packet {
  return packet().eth(PEERS[device]!, MACS[device]!);
}

/** A frame of a client (link 0) or a destination (link 1). */
export function anyFrame(random: Random, device: number): Uint8Array {
  const odd = (one: number) => random.below(one) === 0;
  const client = random.pick(['10.0.0.1', '10.0.0.2', '11.0.0.1', '11.0.0.2', '12.0.0.1']);
  const cport = 1000 + random.below(6);
  const udp = odd(4);
  const [server, sport] = device === 1 ? realServer(random, udp) : virtual(random, udp);
  const [src, dst] = device === 1 ? [server, client] : [odd(60) ? '127.0.0.1' : client, server];
  const ports = device === 1 ? { sport, dport: cport } : { sport: cport, dport: sport };
  const eth = odd(40) ? packet().eth(PEERS[device]!, '02:00:00:00:ff:ff') : arriving(device);
  const ip = eth.ipv4({ src, dst, ...oddHeader(random) });
  const bytes = transport(random, ip, udp, ports, odd(10) ? 700 + random.below(900) : random.below(9));
  return odd(60) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

function oddHeader(random: Random) {
  const odd = (one: number) => random.below(one) === 0;
  return {
    ttl: odd(20) ? random.below(3) : 64,
    df: !odd(3),
    tos: random.u8(),
    id: random.u16(),
    ...(odd(40) ? { checksum: random.u16() } : {}),
    ...(odd(40) ? { totalLen: random.below(60) } : {}),
    ...(odd(40) ? { mf: true } : {}),
  };
}

type Ports = { readonly sport: number; readonly dport: number };

function transport(random: Random, ip: Packet, udp: boolean, ports: Ports, length: number, flags = FLAGS): Uint8Array {
  const payload = new Uint8Array(length);
  if (udp)
    return ip
      .udp({ ...ports, ...(random.below(3) === 0 ? { checksum: 0 } : {}) })
      .payload(payload)
      .bytes(); // prettier-ignore
  return ip
    .tcp({ ...ports, flags: random.pick(flags), seq: random.u32() })
    .payload(payload)
    .bytes();
}

function virtual(random: Random, udp: boolean): [string, number] {
  const vip = random.pick(['10.0.0.100', '10.0.0.101', '10.0.0.254', '10.9.0.1']);
  return [vip, udp ? 53 : random.pick([80, 80, 80, 21, 5000])];
}
function realServer(random: Random, udp: boolean): [string, number] {
  const rip = random.pick(['192.168.1.11', '192.168.1.12', '192.168.1.13', '192.168.1.14']);
  return [rip, udp ? 53 : random.pick([8080, 8080, 8080, 21, 5000])];
}

/** A TCP segment or datagram between these ends, with random flags. */
export function between(random: Random, device: number, src: string, dst: string, ports: Ports, udp = false) {
  const eth = arriving(device);
  const ip = src.includes(':') ? eth.ipv6({ src, dst }) : eth.ipv4({ src, dst, df: random.bool() });
  return transport(
    random,
    ip,
    udp,
    ports,
    random.below(10) === 0 ? 520 + random.below(80) : random.below(9),
    ORDINARY_FLAGS,
  );
}

/**
 * The same over IPv6, with header fields that may be wrong or unusual: hop limit, length, an
 * extension header, a source that is multicast, a missing checksum.
 */
export function odd6(random: Random, device: number, src: string, dst: string, ports: Ports, udp: boolean) {
  const odd = (one: number) => random.below(one) === 0;
  const ip = arriving(device).ipv6({
    src: odd(60) ? 'ff02::1' : src,
    dst,
    hopLimit: odd(20) ? random.below(3) : 64,
    trafficClass: random.u8(),
    flowLabel: random.below(1 << 20),
    ...(odd(40) ? { payloadLen: random.below(40) } : {}),
  });
  const length = odd(10) ? 500 + random.below(100) : random.below(9);
  const bytes = transport(random, odd(20) ? ip.extension(60) : ip, udp, ports, length, ORDINARY_FLAGS);
  return odd(60) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

/** Addresses, protocol and ports of a frame; undefined unless it is whole TCP or UDP. */
export function endsOf(frame: Uint8Array) {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < 42) return undefined;
  const six = frame[ETHERNET]! >>> 4 === 6;
  if (six && frame.length < 62) return undefined;
  const protocol = six ? ipv6.nextHeader(view, ETHERNET) : ipv4.protocol(view, ETHERNET);
  const l4 = ETHERNET + (six ? ipv6.HEADER : ipv4.headerLen(view, ETHERNET));
  if ((protocol !== ipv4.TCP && protocol !== ipv4.UDP) || l4 + 8 > frame.length) return undefined;
  if (!six && (ipv4.fragmentOffset(view, ETHERNET) !== 0 || ipv4.moreFragments(view, ETHERNET))) return undefined;
  const address = (at: number) => (six ? format6(words(view, at)) : format4(view.getInt32(at)));
  return {
    src: address(ETHERNET + (six ? ipv6.SRC : ipv4.SRC)),
    dst: address(ETHERNET + (six ? ipv6.DST : ipv4.DST)),
    sport: view.getUint16(l4),
    dport: view.getUint16(l4 + 2),
    udp: protocol === ipv4.UDP,
  };
}

function words(view: DataView, at: number): Int32Array {
  return Int32Array.from({ length: 4 }, (_, i) => view.getInt32(at + 4 * i));
}

/**
 * A reply to a frame that was sent by the link `device`; undefined when the frame needs no reply.
 */
export function answer(random: Random, device: number, left: Uint8Array): Uint8Array | undefined {
  const ends = endsOf(left);
  if (ends === undefined) return undefined;
  const { src, dst, sport, dport, udp } = ends;
  return between(random, device, dst, src, { sport: dport, dport: sport }, udp);
}
