/** Packets for the scenes about IPv4 fragments. */
import type { packet } from '../../../support/packet.js';
import {
  A,
  body,
  cut,
  type Datagram,
  echo,
  nextId,
  type Piece,
  query,
  reply,
  S,
  send,
  stats,
  tcp,
  udp,
} from '../pieces.js';
import { ip, type Play, VIP } from '../stage.js';

/** In order, in every other order, twice, with a gap: what a network does to fragments. */
export function orders(make: (size: number, sport?: number) => Datagram, step: number) {
  return (play: Play) => {
    const whole = (d: Datagram, order: readonly number[]) => {
      const pieces = cut(d, step);
      send(
        play,
        d,
        order.map((i) => pieces[i]!),
      );
    };
    whole(make(3 * step - 100), [0, 1, 2]);
    whole(make(3 * step - 100), [2, 1, 0]);
    whole(make(3 * step - 100), [1, 0, 2]);
    whole(make(3 * step - 100), [0, 0, 1, 1, 2]);
    whole(make(2 * step), [1, 0]);
    whole(make(4 * step - 8), [3, 0, 0, 2, 1]);
    const [a, b] = [make(2 * step - 16), make(2 * step - 32)];
    send(play, a, [cut(a, step)[0]!]);
    send(play, b, [cut(b, step)[0]!]);
    send(play, a, [cut(a, step)[1]!]);
    send(play, b, [cut(b, step)[1]!]);
  };
}

export function masq(play: Play): void {
  orders(query, 1480)(play);
  orders(reply, 1480)(play);
  stats(play);
}
export function oneWay(play: Play): void {
  orders(query, 1480)(play);
  stats(play);
}

/** Pieces of uneven length, and so small that the transport header is in two of them. */
export function uneven(play: Play): void {
  const d = query(1000);
  send(play, d, [
    { at: 0, len: 104 },
    { at: 104, len: 600 },
    { at: 704, len: 296 },
  ]);
  const tiny = query(800);
  send(play, tiny, [
    { at: 0, len: 8 },
    { at: 8, len: 600 },
    { at: 608, len: 192 },
  ]);
  const r = reply(1000);
  send(play, r, [
    { at: 0, len: 104 },
    { at: 104, len: 600 },
    { at: 704, len: 296 },
  ]);
  const t: Datagram = { host: A, src: A, dst: VIP, id: 900, protocol: 6, body: tcp(A, VIP, 4000, 80, 'S', 60) };
  send(play, t, cut(t, 8));
  const u: Datagram = { host: S, src: S, dst: A, id: 901, protocol: 6, body: tcp(S, A, 8080, 4000, 'SA', 60) };
  send(play, u, cut(u, 16));
  stats(play);
}

export function overlaps(play: Play): void {
  const first = { at: 0, len: 800 };
  const second = { at: 800, len: 800 };
  const cases: Piece[][] = [
    [first, { at: 792, len: 808 }, second],
    [first, { at: 400, len: 200 }, second],
    [{ at: 0, len: 400 }, { at: 400, len: 400 }, { at: 200, len: 400 }, second],
    [second, { at: 0, len: 808 }, first],
    [first, { at: 0, len: 800 }, second],
    [{ at: 0, len: 400 }, second, { at: 400, len: 400 }],
    [second, { at: 1200, len: 400 }, first],
  ];
  for (const pieces of cases) send(play, query(1600), pieces);
  stats(play);
  play.at(36_000);
  play.run('ipvsadm -Ln --stats');
}

/** The rest does not come: 30 s, then time exceeded if the first piece was there. */
export function timeouts(play: Play): void {
  const [a, b] = [query(2000), query(2000)];
  send(play, a, [cut(a, 1480)[0]!]);
  send(play, b, [cut(b, 1480)[1]!]);
  const r = reply(2000);
  send(play, r, [cut(r, 1480)[0]!]);
  play.at(20_000);
  const c = query(2000);
  send(play, c, [cut(c, 1480)[0]!]);
  send(play, c, [cut(c, 1480)[1]!]);
  play.at(45_000);
  send(play, a, [cut(a, 1480)[1]!]);
  play.at(90_000);
  play.run('ipvsadm -Ln --stats');
}

export function headers(play: Play): void {
  const d = query(2900);
  send(
    play,
    d,
    cut(d, 1480).map((piece, i) => ({ ...piece, words: { ttl: 64 - 20 * i, tos: 0x10 * i } })),
  );
  const ecn = query(2900);
  send(
    play,
    ecn,
    cut(ecn, 1480).map((piece, i) => ({ ...piece, words: { tos: i === 1 ? 3 : 2 } })),
  );
  const mixed = query(2900);
  send(
    play,
    mixed,
    cut(mixed, 1480).map((piece, i) => ({ ...piece, words: { tos: i === 1 ? 3 : 0 } })),
  );
  const dying = query(2900);
  send(play, dying, cut(dying, 1480, { ttl: 1 }));
  const gone = query(2900);
  send(
    play,
    gone,
    cut(gone, 1480).map((piece, i) => ({ ...piece, words: { ttl: i === 1 ? 1 : 64 } })),
  );
  const rest = reply(2900);
  send(play, rest, cut(rest, 1480, { ttl: 1 }));
  const rest2 = reply(2900);
  send(
    play,
    rest2,
    cut(rest2, 1480).map((piece, i) => ({ ...piece, words: { ttl: i === 1 ? 1 : 64 } })),
  );
  const late = query(2900);
  send(
    play,
    late,
    cut(late, 1400).map((piece, i) => ({
      ...piece,
      words: i === 0 ? { options: [{ kind: 148, data: Uint8Array.of(0, 0) }] } : {},
    })),
  );
  stats(play);
}

export function df(play: Play): void {
  const all = query(2900);
  send(play, all, cut(all, 1480, { df: true }));
  const some = query(2900);
  send(
    play,
    some,
    cut(some, 1480).map((piece, i) => ({ ...piece, words: { df: i === 1 } })),
  );
  const little = query(1200);
  send(play, little, cut(little, 600, { df: true }));
  stats(play);
}
/** Of other traffic the kernel takes none that has DF, however small. */
export function dfForwarded(play: Play): void {
  const back = reply(2900);
  send(play, back, cut(back, 1480, { df: true }));
  const short = reply(1200);
  send(play, short, cut(short, 600, { df: true }));
  df(play);
}

/** ICMP errors so long that they came in pieces. */
export function errors(play: Play): void {
  const quote = (at: ReturnType<typeof packet>, src: string, dst: string, sport: number, dport: number) =>
    ip(at, src, dst, { ttl: 60 }).udp({ sport, dport }).payload(1700);
  const first = query(100);
  send(play, first, cut(first, 1480));
  const about = body(A, VIP, (at) => quote(at.icmp({ type: 3, code: 1 }), VIP, A, 53, 5000));
  const back = body(S, A, (at) => quote(at.icmp({ type: 3, code: 3 }), A, S, 5000, 5353));
  const d: Datagram = { host: A, src: A, dst: VIP, id: nextId(), protocol: 1, body: about };
  send(play, d, [cut(d, 1480)[1]!, cut(d, 1480)[0]!]);
  const r: Datagram = { host: S, src: S, dst: A, id: nextId(), protocol: 1, body: back };
  send(play, r, [cut(r, 1480)[1]!, cut(r, 1480)[0]!]);
  stats(play);
}

/**
 * Fragments that belong to no connection and are not for the director. They are forwarded: TCP, UDP
 * and ICMP after reassembly, other protocols fragment by fragment.
 */
export function passing(play: Play): void {
  const plain = (protocol: number, body: Uint8Array): Datagram => ({
    host: A,
    src: A,
    dst: S,
    id: nextId(),
    protocol,
    body,
  });
  const u = plain(17, udp(A, S, 7000, 7001, 2900));
  send(play, u, [cut(u, 1480)[1]!, cut(u, 1480)[0]!]);
  const t = plain(6, tcp(A, S, 7000, 7001, 'S', 200));
  send(play, t, cut(t, 104));
  const i = plain(1, echo(A, S, 2000));
  send(play, i, cut(i, 1480));
  const e = plain(50, new Uint8Array(2000));
  send(play, e, [cut(e, 1480)[1]!, cut(e, 1480)[0]!]);
  const lone = plain(17, udp(A, S, 7000, 7001, 2900));
  send(play, lone, [cut(lone, 1480)[0]!]);
}

export function host(play: Play): void {
  for (const dst of [VIP, '10.0.0.254', '192.168.1.254']) {
    const d: Datagram = { host: A, src: A, dst, id: nextId(), protocol: 1, body: echo(A, dst, 2000) };
    send(play, d, [cut(d, 1480)[1]!, cut(d, 1480)[0]!]);
  }
  const closed: Datagram = { host: A, src: A, dst: VIP, id: nextId(), protocol: 17, body: udp(A, VIP, 7000, 9, 2000) };
  send(play, closed, cut(closed, 1480));
}

/** A mark by port: only the first piece has one, and the kernel forwards the others. */
export function marked(play: Play): void {
  for (const sport of [5000, 5001]) {
    const d: Datagram = {
      host: A,
      src: A,
      dst: '10.20.7.7',
      id: nextId(),
      protocol: 17,
      body: udp(A, '10.20.7.7', sport, 53, 2900),
    };
    send(play, d, cut(d, 1480));
  }
  stats(play);
}
