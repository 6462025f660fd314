/**
 * The packets of a warm-up (warm-up-path.ts), in a network that no host has (RFC 6890):
 *
 *     client 192.0.0.64 … ─► VIP 192.0.0.1 masq, .2 gatewaying, .3 ipip ─► realserver 192.0.0.17, .18, .19
 */
import type { ForwardingMethod } from '../../../service/config.js';
import { type Mac, parse4 } from '../../../wire/address.js';
import * as ethernet from '../../../wire/ethernet.js';
import * as ipv4 from '../../../wire/ipv4.js';
import * as tcp from '../../../wire/tcp.js';
import * as udp from '../../../wire/udp.js';

/** The network, and the source of tunnels in it. */
export const WARM_NETWORK = '192.0.0.0/24';
export const WARM_SOURCE = '192.0.0.10';
const NETWORK = parse4('192.0.0.0')!;
const FIRST_CLIENT = 64;
/** Clients of each service. */
const CLIENTS = 64;
const PORT = 80;
const PAYLOAD = new Uint8Array(48);
const SENDER: Mac = [0x0200, 1];

/** A service with one realserver. */
export interface WarmService {
  readonly method: ForwardingMethod;
  readonly vip: string;
  readonly realserver: string;
}

export const WARM_SERVICES: readonly WarmService[] = [
  { method: 'masq', vip: '192.0.0.1', realserver: '192.0.0.17' },
  { method: 'gatewaying', vip: '192.0.0.2', realserver: '192.0.0.18' },
  { method: 'ipip', vip: '192.0.0.3', realserver: '192.0.0.19' },
];

/** Addresses to which packets leave. */
export function nextHops(): number[] {
  const clients = Array.from({ length: CLIENTS }, (_, i) => NETWORK + FIRST_CLIENT + i);
  return [...WARM_SERVICES.map(({ realserver }) => parse4(realserver)!), ...clients];
}

/** Flags of the packets of a client in order, then those of the replies to each; 0: none. */
const FROM_CLIENT = [tcp.SYN, tcp.ACK, ...Array<number>(8).fill(tcp.ACK | tcp.PSH)];
const REPLIES = [tcp.SYN | tcp.ACK, 0, ...Array<number>(8).fill(tcp.ACK)];

/** All frames to the MAC address `mac`, in the order in which they arrive. */
export function warmFrames(mac: Mac): Uint8Array[] {
  const frames: Uint8Array[] = [];
  FROM_CLIENT.forEach((flags, step) => {
    for (const service of WARM_SERVICES) frames.push(...requests(mac, service, flags));
    if (REPLIES[step] !== 0) frames.push(...replies(mac, WARM_SERVICES[0]!, REPLIES[step]!));
  });
  return frames;
}

function requests(mac: Mac, { vip }: WarmService, flags: number): Uint8Array[] {
  const to = parse4(vip)!;
  return each((client, port) => [segment(mac, client, port, to, PORT, flags), datagram(mac, client, port, to, PORT)]);
}

function replies(mac: Mac, { realserver }: WarmService, flags: number): Uint8Array[] {
  const from = parse4(realserver)!;
  return each((client, port) => [
    segment(mac, from, PORT, client, port, flags),
    datagram(mac, from, PORT, client, port),
  ]);
}

function each(frames: (client: number, port: number) => Uint8Array[]): Uint8Array[] {
  return Array.from({ length: CLIENTS }, (_, i) => frames(NETWORK + FIRST_CLIENT + i, 40_000 + i)).flat();
}

function segment(mac: Mac, src: number, sport: number, dst: number, dport: number, flags: number): Uint8Array {
  const payload = (flags & tcp.SYN) !== 0 ? new Uint8Array() : PAYLOAD;
  return frame(mac, ipv4.TCP, src, dst, tcp.encode({ sport, dport, seq: 1, ack: 1, flags, payload }));
}

function datagram(mac: Mac, src: number, sport: number, dst: number, dport: number): Uint8Array {
  return frame(mac, ipv4.UDP, src, dst, udp.encode({ sport, dport, payload: PAYLOAD }));
}

function frame(mac: Mac, protocol: number, src: number, dst: number, payload: Uint8Array): Uint8Array {
  const packet = ipv4.encode({ src, dst, protocol, payload });
  return ethernet.encode({ dst: mac, src: SENDER, type: ethernet.TYPE_IPV4, payload: packet });
}
