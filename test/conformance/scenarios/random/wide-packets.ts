/**
 * Packets of the wide random scenarios: of clients, destinations and routers, whole and as
 * fragments, correct and malformed.
 */
import type { Packet } from '../../../support/packet.js';
import type { Random } from '../../../support/seed.js';
import { cut, type Datagram, send, udp } from '../pieces.js';
import { ip, type Play, VIP, VIP6 } from '../stage.js';
import type { Dest, Protocol, Service } from './wide-rules.js';

/** What a client sent before, and may go on with. */
export interface Talk {
  readonly client: string;
  readonly sport: number;
  readonly dport: number;
  readonly service: Service;
}

const CLIENTS = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
const CLIENTS6 = ['2001:db8::1', '2001:db8::3'];
const FLAGS = ['A', 'A', 'A', 'PA', 'PA', 'FA', 'R', 'RA', 'S', 'SA', 'F', 'P', ''];
const ANSWERS = ['SA', 'SA', 'A', 'A', 'PA', 'FA', 'R', 'RA', 'S'];
/**
 * DATA, INIT, INIT ACK, SACK, HEARTBEAT, ABORT, SHUTDOWN and its ACK, ERROR, COOKIE ECHO and ACK,
 * SHUTDOWN COMPLETE.
 */
const CHUNKS = [0, 1, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 14];
const TOS = [0, 0, 0, 0x10, 0xb8, 1, 2, 3];

export function newTalk(random: Random, service: Service): Talk {
  return {
    client: random.pick(service.six ? CLIENTS6 : CLIENTS),
    sport: 5000 + random.below(5),
    dport: random.below(15) === 0 ? 99 : random.pick(service.ports),
    service,
  };
}

/** The first packet of a talk, or (`opened`) any other. */
export function request(play: Play, random: Random, talk: Talk, opened: boolean): void {
  const vip = vipOf(talk.service);
  const words = odd(random);
  const size = random.below(6) === 0 ? random.between(1380, 1440) : random.below(100);
  const body = transport(random, talk.service.protocol, opened ? FLAGS : ['S'], opened ? CHUNKS : [1], size);
  play.from(talk.client, (eth) => body(ip(eth, talk.client, vip, words), talk.sport, talk.dport));
}

/** As a destination of the service may answer. */
export function response(play: Play, random: Random, talk: Talk): void {
  const { service, client, sport } = talk;
  const dest = sender(random, talk);
  if (dest === undefined) return;
  const size = random.below(8) === 0 ? random.between(1380, 1440) : random.below(100);
  const body = transport(random, service.protocol, ANSWERS, CHUNKS, size);
  const words = { ...(random.below(15) === 0 && { ttl: 1 }), tos: random.pick(TOS) };
  play.from(hostOf(dest), (eth) => body(ip(eth, dest.address, client, words), dest.port || talk.dport, sport));
}

function odd(random: Random): { ttl?: number; df?: boolean; tos: number } {
  return {
    ...(random.below(15) === 0 && { ttl: 1 }),
    ...(random.below(4) === 0 && { df: false }),
    tos: random.pick(TOS),
  };
}

type Body = (at: Packet, sport: number, dport: number) => Packet;

function transport(
  random: Random,
  protocol: Protocol,
  flags: readonly string[],
  chunks: readonly number[],
  size: number,
): Body {
  const wrong = random.below(30) === 0 ? { checksum: 0x1234 } : {};
  if (protocol === 'udp') {
    const sum = random.below(6) === 0 ? { checksum: 0 } : wrong;
    return (at, sport, dport) => at.udp({ sport, dport, ...sum }).payload(size);
  }
  if (protocol === 'sctp') {
    const type = random.pick(chunks);
    return (at, sport, dport) =>
      at.sctp({ sport, dport, tag: type === 1 ? 0 : 7, chunks: [{ type, value: new Uint8Array(16) }], ...wrong });
  }
  const some = random.pick(flags);
  return (at, sport, dport) =>
    at.tcp({ sport, dport, flags: some, seq: sport, ...wrong }).payload(some.includes('P') || some === 'A' ? size : 0);
}

/**
 * A datagram in two or three fragments, in any order. With `mayLose` one fragment is sometimes
 * missing; the result is then true.
 */
export function pieces(play: Play, random: Random, talk: Talk, id: number, mayLose: boolean): boolean {
  const { service, client, sport } = talk;
  if (service.protocol !== 'udp') return false;
  const dest = random.below(3) === 0 ? sender(random, talk) : undefined;
  const [src, dst] = dest === undefined ? [client, vipOf(service)] : [dest.address, client];
  const [from, to] = dest === undefined ? [sport, talk.dport] : [dest.port || talk.dport, sport];
  const body = udp(src, dst, from, to, random.between(1500, 3500));
  const whole: Datagram = { host: dest === undefined ? client : hostOf(dest), src, dst, id, protocol: 17, body };
  const parts = random.shuffle(cut(whole, random.pick([service.six ? 1448 : 1480, 1440, 1200])));
  const loses = random.below(6) === 0 && mayLose;
  send(play, whole, loses ? parts.slice(1) : parts);
  return loses;
}

/** Answers come from the family of the service only: a tunnel to the other one is one-way. */
function sender(random: Random, { service }: Talk): Dest | undefined {
  const same = service.dests.filter(({ address }) => address.includes(':') === service.six);
  return same.length === 0 ? undefined : random.pick(same);
}

export function vipOf({ six }: Service): string {
  return six ? VIP6 : VIP;
}
/** Who on the stage sends for it. */
export function hostOf({ address }: Dest): string {
  return address.startsWith('10.20.') ? '172.16.0.1' : address;
}

export function ping(play: Play, random: Random, { client, service }: Talk): void {
  const words = { type: service.six ? 128 : 8, id: 7, seq: random.below(9) };
  play.from(client, (eth) => {
    const at = ip(eth, client, vipOf(service));
    return (service.six ? at.icmp6(words) : at.icmp(words)).payload(random.below(50));
  });
}
