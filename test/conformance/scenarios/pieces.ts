/** Datagrams to and from the service of the test network, whole and as fragments. */
import { packet } from '../../support/packet.js';
import type { Ipv4Words } from '../../support/packet-words.js';
import { ip, type Play, VIP, VIP6 } from './stage.js';

export interface Piece {
  /** Offset and length of the data, in bytes. */
  readonly at: number;
  readonly len: number;
  readonly words?: Partial<Ipv4Words>;
}
export interface Datagram {
  readonly host: string;
  readonly src: string;
  readonly dst: string;
  readonly id: number;
  readonly protocol: number;
  /** Transport header and payload. */
  readonly body: Uint8Array;
}

export function udp(src: string, dst: string, sport: number, dport: number, size: number): Uint8Array {
  return body(src, dst, (at) => at.udp({ sport, dport }).payload(size - 8));
}
export function tcp(src: string, dst: string, sport: number, dport: number, flags: string, size: number): Uint8Array {
  return body(src, dst, (at) => at.tcp({ sport, dport, flags, seq: 1, ack: 2 }).payload(size - 20));
}
export function echo(src: string, dst: string, size: number): Uint8Array {
  const six = src.includes(':');
  return body(src, dst, (at) =>
    (six ? at.icmp6({ type: 128, id: 7, seq: 1 }) : at.icmp({ type: 8, id: 7, seq: 1 })).payload(size - 8),
  );
}
export function body(
  src: string,
  dst: string,
  what: (at: ReturnType<typeof packet>) => ReturnType<typeof packet>,
): Uint8Array {
  const six = src.includes(':');
  return what(ip(packet(), src, dst))
    .bytes()
    .slice(six ? 40 : 20);
}

export function send(play: Play, d: Datagram, pieces: readonly Piece[]): void {
  for (const { at, len, words = {} } of pieces) {
    const data = d.body.slice(at, at + len);
    const more = at + len < d.body.length;
    play.from(d.host, (eth) =>
      d.src.includes(':')
        ? ip(eth, d.src, d.dst, words).fragment({ id: d.id, offset: at, more, protocol: d.protocol }).payload(data)
        : eth
            .ipv4({ src: d.src, dst: d.dst, id: d.id, offset: at, mf: more, protocol: d.protocol, ...words })
            .payload(data),
    );
  }
}
/** Cut as a sender with this MTU does it. */
export function cut(d: Datagram, step: number, words: Partial<Ipv4Words> = {}): Piece[] {
  const pieces = [];
  for (let at = 0; at < d.body.length; at += step) pieces.push({ at, len: Math.min(step, d.body.length - at), words });
  return pieces;
}

export const A = '10.0.0.1';
export const S = '192.168.1.11';
export const A6 = '2001:db8::1';
export const S6 = '2001:db8:1::11';
/**
 * Identifications start again in each scene, so a changed scene does not change the recordings of
 * others.
 */
let lastId = 99;
export function nextId(): number {
  return ++lastId;
}
export function restartIds(): void {
  lastId = 99;
}
export const query = (size: number, sport = 5000): Datagram => ({
  host: A,
  src: A,
  dst: VIP,
  id: nextId(),
  protocol: 17,
  body: udp(A, VIP, sport, 53, size),
});
export const reply = (size: number, dport = 5000): Datagram => ({
  host: S,
  src: S,
  dst: A,
  id: nextId(),
  protocol: 17,
  body: udp(S, A, 5353, dport, size),
});
export const query6 = (size: number, sport = 5000): Datagram => ({
  host: A6,
  src: A6,
  dst: VIP6,
  id: nextId(),
  protocol: 17,
  body: udp(A6, VIP6, sport, 53, size),
});
export const reply6 = (size: number, dport = 5000): Datagram => ({
  host: S6,
  src: S6,
  dst: A6,
  id: nextId(),
  protocol: 17,
  body: udp(S6, A6, 5353, dport, size),
});

export function stats(play: Play): void {
  play.run('ipvsadm -Lnc | sort');
  play.at(4000);
  play.run('ipvsadm -Ln --stats');
}
