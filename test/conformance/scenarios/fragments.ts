/** Fragments: reassembled before look-up, cut again behind it (IPVS-FINDINGS, "other packets"). */
import { packet } from '../../packet.js';
import type { Ipv4Words } from '../../packetwords.js';
import { ip, type Play, type Scene, VIP, VIP6 } from './stage.js';

interface Piece {
  /** Offset and length of the data, in bytes. */
  readonly at: number;
  readonly len: number;
  readonly words?: Partial<Ipv4Words>;
}
interface Datagram {
  readonly host: string;
  readonly src: string;
  readonly dst: string;
  readonly id: number;
  readonly protocol: number;
  /** Transport header and payload. */
  readonly body: Uint8Array;
}

function udp(src: string, dst: string, sport: number, dport: number, size: number): Uint8Array {
  return body(src, dst, (at) => at.udp({ sport, dport }).payload(size - 8));
}
function tcp(src: string, dst: string, sport: number, dport: number, flags: string, size: number): Uint8Array {
  return body(src, dst, (at) => at.tcp({ sport, dport, flags, seq: 1, ack: 2 }).payload(size - 20));
}
function echo(src: string, dst: string, size: number): Uint8Array {
  const six = src.includes(':');
  return body(src, dst, (at) =>
    (six ? at.icmp6({ type: 128, id: 7, seq: 1 }) : at.icmp({ type: 8, id: 7, seq: 1 })).payload(size - 8),
  );
}
function body(
  src: string,
  dst: string,
  what: (at: ReturnType<typeof packet>) => ReturnType<typeof packet>,
): Uint8Array {
  const six = src.includes(':');
  return what(ip(packet(), src, dst))
    .bytes()
    .slice(six ? 40 : 20);
}

function send(play: Play, d: Datagram, pieces: readonly Piece[]): void {
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
function cut(d: Datagram, step: number, words: Partial<Ipv4Words> = {}): Piece[] {
  const pieces = [];
  for (let at = 0; at < d.body.length; at += step) pieces.push({ at, len: Math.min(step, d.body.length - at), words });
  return pieces;
}

const A = '10.0.0.1';
const S = '192.168.1.11';
const A6 = '2001:db8::1';
const S6 = '2001:db8:1::11';
let nextId = 100;
const query = (size: number, sport = 5000): Datagram => ({
  host: A,
  src: A,
  dst: VIP,
  id: nextId++,
  protocol: 17,
  body: udp(A, VIP, sport, 53, size),
});
const reply = (size: number, dport = 5000): Datagram => ({
  host: S,
  src: S,
  dst: A,
  id: nextId++,
  protocol: 17,
  body: udp(S, A, 5353, dport, size),
});
const query6 = (size: number, sport = 5000): Datagram => ({
  host: A6,
  src: A6,
  dst: VIP6,
  id: nextId++,
  protocol: 17,
  body: udp(A6, VIP6, sport, 53, size),
});
const reply6 = (size: number, dport = 5000): Datagram => ({
  host: S6,
  src: S6,
  dst: A6,
  id: nextId++,
  protocol: 17,
  body: udp(S6, A6, 5353, dport, size),
});

function stats(play: Play): void {
  play.run('ipvsadm -Lnc | sort');
  play.at(4000);
  play.run('ipvsadm -Ln --stats');
}

/** In order, in every other order, twice, with a gap: what a network does to fragments. */
function orders(make: (size: number, sport?: number) => Datagram, step: number) {
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

function masq(play: Play): void {
  orders(query, 1480)(play);
  orders(reply, 1480)(play);
  stats(play);
}
function oneWay(play: Play): void {
  orders(query, 1480)(play);
  stats(play);
}

/** Longer than IPv6's smallest MTU with the outer header, and shorter: the outer pieces are never below that. */
function small6(play: Play): void {
  for (const step of [1360, 1240, 800]) {
    const d = query6(3000);
    send(play, d, cut(d, step));
  }
  stats(play);
}

/** Pieces of uneven length, and so small that the transport header is in two of them. */
function uneven(play: Play): void {
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

function overlaps(play: Play): void {
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
function timeouts(play: Play): void {
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

function headers(play: Play): void {
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

function df(play: Play): void {
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
function dfForwarded(play: Play): void {
  const back = reply(2900);
  send(play, back, cut(back, 1480, { df: true }));
  const short = reply(1200);
  send(play, short, cut(short, 600, { df: true }));
  df(play);
}

/** ICMP errors so long that they came in pieces. */
function errors(play: Play): void {
  const quote = (at: ReturnType<typeof packet>, src: string, dst: string, sport: number, dport: number) =>
    ip(at, src, dst, { ttl: 60 }).udp({ sport, dport }).payload(1700);
  const first = query(100);
  send(play, first, cut(first, 1480));
  const about = body(A, VIP, (at) => quote(at.icmp({ type: 3, code: 1 }), VIP, A, 53, 5000));
  const back = body(S, A, (at) => quote(at.icmp({ type: 3, code: 3 }), A, S, 5000, 5353));
  const d: Datagram = { host: A, src: A, dst: VIP, id: nextId++, protocol: 1, body: about };
  send(play, d, [cut(d, 1480)[1]!, cut(d, 1480)[0]!]);
  const r: Datagram = { host: S, src: S, dst: A, id: nextId++, protocol: 1, body: back };
  send(play, r, [cut(r, 1480)[1]!, cut(r, 1480)[0]!]);
  stats(play);
}

/** Not a connection's, not the director's: they pass, TCP, UDP and ICMP after reassembly, others one by one. */
function passing(play: Play): void {
  const plain = (protocol: number, body: Uint8Array): Datagram => ({
    host: A,
    src: A,
    dst: S,
    id: nextId++,
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

function host(play: Play): void {
  for (const dst of [VIP, '10.0.0.254', '192.168.1.254']) {
    const d: Datagram = { host: A, src: A, dst, id: nextId++, protocol: 1, body: echo(A, dst, 2000) };
    send(play, d, [cut(d, 1480)[1]!, cut(d, 1480)[0]!]);
  }
  const closed: Datagram = { host: A, src: A, dst: VIP, id: nextId++, protocol: 17, body: udp(A, VIP, 7000, 9, 2000) };
  send(play, closed, cut(closed, 1480));
}

/** A mark by port: only the first piece has one, and the kernel forwards the others. */
function marked(play: Play): void {
  for (const sport of [5000, 5001]) {
    const d: Datagram = {
      host: A,
      src: A,
      dst: '10.20.7.7',
      id: nextId++,
      protocol: 17,
      body: udp(A, '10.20.7.7', sport, 53, 2900),
    };
    send(play, d, cut(d, 1480));
  }
  stats(play);
}

function masq6(play: Play): void {
  orders(query6, 1448)(play);
  orders(reply6, 1448)(play);
  stats(play);
}
function oneWay6(play: Play): void {
  orders(query6, 1448)(play);
  stats(play);
}
function uneven6(play: Play): void {
  for (const d of [query6(1000), reply6(1000)])
    send(play, d, [
      { at: 0, len: 104 },
      { at: 104, len: 600 },
      { at: 704, len: 296 },
    ]);
  for (const d of [query6(200), reply6(200)])
    send(play, d, [
      { at: 0, len: 8 },
      { at: 8, len: 64 },
      { at: 72, len: 128 },
    ]);
  for (const d of [query6(1600), reply6(1600)])
    send(play, d, [
      { at: 0, len: 800 },
      { at: 792, len: 808 },
      { at: 800, len: 800 },
    ]);
  const dying = query6(2800);
  send(play, dying, cut(dying, 1448, { ttl: 1 }));
  const back = reply6(2800);
  send(play, back, cut(back, 1448, { ttl: 1 }));
  const plain: Datagram = { host: A6, src: A6, dst: S6, id: 1, protocol: 17, body: udp(A6, S6, 7000, 7001, 2800) };
  send(play, plain, cut(plain, 1448));
  const ping: Datagram = { host: A6, src: A6, dst: VIP6, id: 2, protocol: 58, body: echo(A6, VIP6, 2000) };
  send(play, ping, cut(ping, 1448));
  const lone = query6(2800);
  send(play, lone, [cut(lone, 1448)[0]!]);
  stats(play);
  play.at(62_000);
  play.end(95_000);
}

const MASQ = [
  '-A -u 10.0.0.100:53 -s rr',
  '-a -u 10.0.0.100:53 -r 192.168.1.11:5353 -m',
  '-A -t 10.0.0.100:80 -s rr',
  '-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m',
];
const by = (how: string) => ['-A -u 10.0.0.100:53 -s rr', `-a -u 10.0.0.100:53 -r 192.168.1.11 ${how}`];
const MASQ6 = ['-A -u [2001:db8::100]:53 -s rr', '-a -u [2001:db8::100]:53 -r [2001:db8:1::11]:5353 -m'];
const by6 = (how: string) => ['-A -u [2001:db8::100]:53 -s rr', `-a -u [2001:db8::100]:53 -r 2001:db8:1::11 ${how}`];

const scenes: readonly Scene[] = [
  { name: 'frag-masq', about: 'NAT of fragmented UDP, both ways, in every order.', rules: MASQ, play: masq },
  { name: 'frag-dr', about: 'DR of fragmented UDP.', rules: by('-g'), play: oneWay },
  {
    name: 'frag-tun',
    about: 'Tun: the whole datagram goes in one outer packet, which is cut.',
    rules: by('-i'),
    play: oneWay,
  },
  {
    name: 'frag-gue',
    about: 'GUE of a reassembled datagram.',
    rules: by('-i --tun-type gue --tun-port 6080 --tun-nocsum'),
    play: oneWay,
  },
  {
    name: 'frag-gre',
    about: 'GRE with checksums of a reassembled datagram.',
    rules: by('-i --tun-type gre --tun-csum'),
    play: oneWay,
  },
  { name: 'frag-uneven', about: 'Pieces of uneven length; a TCP header in three pieces.', rules: MASQ, play: uneven },
  {
    name: 'frag-overlap',
    about: 'Overlapping pieces drop the datagram, repeated ones do not.',
    rules: MASQ,
    play: overlaps,
  },
  { name: 'frag-timeout', about: 'Pieces that never come.', rules: MASQ, play: timeouts },
  { name: 'frag-headers', about: 'Pieces that differ in TTL, TOS and options.', rules: MASQ, play: headers },
  { name: 'frag-df', about: 'Pieces with DF.', rules: MASQ, play: df },
  { name: 'frag-df-tun', about: 'Pieces with DF through a tunnel.', rules: by('-i'), play: dfForwarded },
  { name: 'frag-forward', about: 'Fragments that the director only forwards.', rules: MASQ, play: passing },
  { name: 'frag-icmp', about: 'ICMP errors about a connection, in fragments.', rules: MASQ, play: errors },
  { name: 'frag-icmp-tun', about: 'The same through a tunnel.', rules: by('-i'), play: errors },
  { name: 'frag-host', about: 'Fragments for the director itself.', rules: MASQ, play: host },
  {
    name: 'frag-vipless',
    about: 'Fragments to a marked address that no interface has.',
    rules: ['-A -f 1 -s rr', '-a -f 1 -r 192.168.1.11 -m'],
    mark: { words: '-i eth0 -d 10.20.7.0/24', nft: 'iif eth0 ip daddr 10.20.7.0/24', mark: 1 },
    play: marked,
  },
  { name: 'frag6-masq', about: 'IPv6 NAT of fragmented UDP.', six: true, rules: MASQ6, play: masq6 },
  { name: 'frag6-dr', about: 'IPv6 DR of fragmented UDP.', six: true, rules: by6('-g'), play: oneWay6 },
  { name: 'frag6-tun', about: 'IPv6 in IPv6 of fragmented UDP.', six: true, rules: by6('-i'), play: oneWay6 },
  {
    name: 'frag-tun-mixed',
    about: 'IPv4 fragments through an IPv6 tunnel.',
    six: true,
    rules: ['-A -u 10.0.0.100:53 -s rr', '-a -u 10.0.0.100:53 -r 2001:db8:1::11 -i'],
    play: oneWay,
  },
  { name: 'frag6-tun-small', about: 'IPv6 fragments that fit a tunnel.', six: true, rules: by6('-i'), play: small6 },
  {
    name: 'frag6-tun-mixed',
    about: 'IPv6 fragments through an IPv4 tunnel.',
    six: true,
    rules: ['-A -u [2001:db8::100]:53 -s rr', '-a -u [2001:db8::100]:53 -r 192.168.1.11 -i'],
    play: small6,
  },
  {
    name: 'frag6-uneven',
    about: 'IPv6 pieces: uneven, overlapping, dying, forwarded, for the host.',
    six: true,
    rules: MASQ6,
    play: uneven6,
  },
];

/** Identifications count anew in each, so that a change of one scene leaves the others' recordings alone. */
export const fragmentScenes: readonly Scene[] = scenes.map((scene) => ({
  ...scene,
  play: (play) => {
    nextId = 100;
    scene.play(play);
  },
}));
