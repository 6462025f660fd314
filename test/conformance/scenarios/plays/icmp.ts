/** ICMP errors that quote a packet of a connection, from either side. */
import type { Packet } from '../../../support/packet.js';
import type { IcmpWords, Ipv4Words } from '../../../support/packet-words.js';
import { ip, type Play, VIP, VIP6 } from '../stage.js';

export interface Ends {
  readonly client: string;
  readonly vip: string;
  readonly server: string;
  readonly vport: number;
  readonly dport: number;
  readonly six: boolean;
}
export const NAT: Ends = { client: '10.0.0.1', vip: VIP, server: '192.168.1.11', vport: 80, dport: 8080, six: false };
export const NAT6: Ends = {
  client: '2001:db8::1',
  vip: VIP6,
  server: '2001:db8:1::11',
  vport: 80,
  dport: 8080,
  six: true,
};
export const PORT = 4000;

export type Error = IcmpWords & { cut?: number };
/** All that a router may say, and two types that IPVS leaves alone. */
export const ERRORS4: readonly Error[] = [
  { type: 3, code: 0 },
  { type: 3, code: 1 },
  { type: 3, code: 3, cut: 28 },
  { type: 3, code: 4, mtu: 1400 },
  { type: 3, code: 13 },
  { type: 4 },
  { type: 11, code: 0, cut: 28 },
  { type: 11, code: 1 },
  { type: 12, code: 0 },
  { type: 5, code: 1, mtu: 0x0a000003 },
];
export const ERRORS6: readonly Error[] = [
  { type: 1, code: 0 },
  { type: 1, code: 4, cut: 48 },
  { type: 2, mtu: 1400 },
  { type: 3, code: 0, cut: 48 },
  { type: 4, code: 1, mtu: 6 },
];

export function open(play: Play, e: Ends): void {
  play.from(e.client, (eth) => ip(eth, e.client, e.vip).tcp({ sport: PORT, dport: e.vport, flags: 'S', seq: 1 }));
}
export function answerOf(play: Play, e: Ends): void {
  play.from(e.server, (eth) =>
    ip(eth, e.server, e.client).tcp({ sport: e.dport, dport: PORT, flags: 'SA', seq: 9, ack: 2 }),
  );
}
export function stats(play: Play): void {
  play.run('ipvsadm -Lnc | sort');
  play.at(4000);
  play.run('ipvsadm -Ln --stats');
}

export function error(outer: Packet, e: { six: boolean }, words: Error, quoted: (inside: Packet) => Packet): Packet {
  const { cut, ...fields } = words;
  const whole = quoted(e.six ? outer.icmp6(fields) : outer.icmp(fields));
  return cut === undefined ? whole : whole.cut(cut);
}

/** From the client's side, about a reply: the quoted packet goes from the VIP to the client. */
export function aboutReply(
  play: Play,
  e: Ends,
  words: Error,
  from = e.client,
  outer: Partial<Ipv4Words> = {},
  inner: Partial<Ipv4Words> = {},
): void {
  play.from(from, (eth) =>
    error(ip(eth, from, e.vip, outer), e, words, (icmp) =>
      ip(icmp, e.vip, e.client, { ttl: 62, ...inner })
        .tcp({ sport: e.vport, dport: PORT, flags: 'A', seq: 10, ack: 2 })
        .payload('a reply'),
    ),
  );
}
/** From the servers' side, about a request as it went on behind the director. */
export function aboutRequest(play: Play, e: Ends, words: Error, from = e.server, outer: Partial<Ipv4Words> = {}): void {
  play.from(from, (eth) =>
    error(ip(eth, from, e.client, outer), e, words, (icmp) =>
      ip(icmp, e.client, e.server, { ttl: 61 })
        .tcp({ sport: PORT, dport: e.dport, flags: 'A', seq: 2, ack: 10 })
        .payload('a request'),
    ),
  );
}

export function natIn(e: Ends, router: string, errors: readonly Error[]) {
  return (play: Play) => {
    open(play, e);
    answerOf(play, e);
    for (const words of errors) aboutReply(play, e, words);
    aboutReply(play, e, errors[0]!, router, { tos: 0x48, id: 77, df: false });
    aboutReply(play, e, errors[0]!, router, { ttl: 1 });
    aboutReply(play, e, errors[0]!, router, { ttl: 2 });
    aboutReply(play, e, { ...errors[0]!, checksum: 0x1234 });
    if (!e.six) aboutReply(play, e, errors[0]!, router, {}, { checksum: 0x4321 });
    if (!e.six) aboutReply(play, e, errors[0]!, router, {}, { offset: 64 });
    if (!e.six) aboutReply(play, e, errors[0]!, router, {}, { mf: true });
    aboutReply(play, { ...e, vport: e.vport + 1 }, errors[0]!);
    stats(play);
  };
}
export function natOut(e: Ends, router: string, errors: readonly Error[]) {
  return (play: Play) => {
    open(play, e);
    answerOf(play, e);
    for (const words of errors) aboutRequest(play, e, words);
    aboutRequest(play, e, errors[0]!, router, { tos: 0x48, id: 77, df: false });
    aboutRequest(play, e, errors[0]!, router, { ttl: 1 });
    aboutRequest(play, e, errors[0]!, router, { ttl: 2 });
    aboutRequest(play, e, { ...errors[0]!, checksum: 0x1234 });
    aboutRequest(play, { ...e, dport: e.dport + 1 }, errors[0]!, router);
    stats(play);
  };
}
/** DR and Tun: what the client's side says goes the way of the client's packets. */
export function direct(e: Ends, router: string, errors: readonly Error[]) {
  return (play: Play) => {
    open(play, e);
    for (const words of errors) aboutReply(play, e, words);
    aboutReply(play, e, errors[0]!, router, { tos: 0x4b, id: 77, df: false });
    aboutReply(play, e, errors[0]!, router, { ttl: 1 });
    aboutReply(play, e, { ...errors[0]!, checksum: 0x1234 });
    play.from(router, (eth) =>
      error(ip(eth, router, e.vip, {}), e, errors[0]!, (icmp) =>
        ip(icmp, e.vip, e.client, { ttl: 62 })
          .tcp({ sport: e.vport, dport: PORT, flags: 'A' })
          .payload(e.six ? 1372 : 1432),
      ),
    );
    stats(play);
  };
}

export function udpErrors(play: Play): void {
  const request = { sport: 5000, dport: 53 };
  play.from('10.0.0.2', (eth) => ip(eth, '10.0.0.2', VIP).udp(request).payload('query'));
  play.from('192.168.1.11', (eth) =>
    ip(eth, '192.168.1.11', '10.0.0.2').udp({ sport: 5353, dport: 5000 }).payload('answer'),
  );
  play.from('10.0.0.2', (eth) =>
    ip(eth, '10.0.0.2', VIP)
      .icmp({ type: 3, code: 3 })
      .ipv4({ src: VIP, dst: '10.0.0.2' })
      .udp({ sport: 53, dport: 5000 })
      .payload('answer'),
  );
  play.from('192.168.1.11', (eth) =>
    ip(eth, '192.168.1.11', '10.0.0.2')
      .icmp({ type: 3, code: 3 })
      .ipv4({ src: '10.0.0.2', dst: '192.168.1.11', ttl: 63 })
      .udp({ sport: 5000, dport: 5353 })
      .payload('query'),
  );
  stats(play);
}

/**
 * An error that quotes a request, which DR and tunnels leave unchanged. It goes to the client
 * through the director.
 */
export function requestKept(play: Play): void {
  open(play, NAT);
  for (const ttl of [61, 1])
    play.from('192.168.1.1', (eth) =>
      ip(eth, '192.168.1.1', NAT.client, { ttl })
        .icmp({ type: 3, code: 1 })
        .ipv4({ src: NAT.client, dst: VIP, ttl: 62 })
        .tcp({ sport: PORT, dport: 80, flags: 'A' }),
    );
  stats(play);
}

export function sctpErrors(play: Play): void {
  const data = (eth: Packet, src: string, dst: string, sport: number, dport: number, chunk: number) =>
    ip(eth, src, dst).sctp({ sport, dport, tag: 1, chunks: [{ type: chunk, value: new Uint8Array(16) }] });
  play.from(NAT.client, (eth) => data(eth, NAT.client, VIP, PORT, 80, 1));
  play.from(NAT.client, (eth) =>
    data(ip(eth, NAT.client, VIP).icmp({ type: 3, code: 1 }), VIP, NAT.client, 80, PORT, 0),
  );
  play.from(NAT.server, (eth) =>
    data(ip(eth, NAT.server, NAT.client).icmp({ type: 3, code: 2 }), NAT.client, NAT.server, PORT, 8080, 0),
  );
  for (const chunk of [0, 6]) play.from(NAT.server, (eth) => data(eth, NAT.server, NAT.client, 8080, 6000, chunk));
  play.from(NAT.client, (eth) =>
    data(ip(eth, NAT.client, VIP).icmp({ type: 3, code: 1 }), VIP, NAT.client, 80, 6000, 0),
  );
  stats(play);
}

/** No connection: with schedule_icmp the quoted packet makes one. */
export function scheduled(e: Ends, words: Error) {
  return (play: Play) => {
    aboutReply(play, e, words);
    play.run('ipvsadm -Lnc | sort');
    open(play, e);
    aboutReply(play, { ...e, vport: 81 }, words);
    aboutReply(play, { ...e, vport: 443 }, words);
    if (!e.six)
      play.from('10.0.0.2', (eth) =>
        ip(eth, '10.0.0.2', VIP)
          .icmp({ type: 3, code: 3 })
          .ipv4({ src: VIP, dst: '10.0.0.2' })
          .udp({ sport: 53, dport: 5000 })
          .payload('answer'),
      );
    stats(play);
    play.at(8000);
    play.run('ipvsadm -Lnc | sort');
  };
}

/** A realserver talks to a client out of nothing. */
export function strays(e: Ends) {
  return (play: Play) => {
    const tcp = (sport: number, flags: string, words: Partial<Ipv4Words> = {}) =>
      play.from(e.server, (eth) => ip(eth, e.server, e.client, words).tcp({ sport, dport: 6000, flags }).payload('x'));
    tcp(e.dport, 'SA');
    tcp(e.dport, 'R');
    tcp(e.dport, 'A', { ttl: 1 });
    tcp(8081, 'A');
    play.from(e.server, (eth) => ip(eth, e.server, e.client).udp({ sport: e.dport, dport: 6000 }).payload('x'));
    play.from(e.server, (eth) =>
      ip(eth, e.server, e.client, { tos: 0x10 }).udp({ sport: 5353, dport: 6000 }).payload(700),
    );
    const director = e.six ? '2001:db8:1::254' : '192.168.1.254';
    play.from(e.server, (eth) =>
      ip(eth, e.server, director).tcp({ sport: e.dport, dport: 22, flags: 'A', seq: 5, ack: 6 }),
    );
    stats(play);
  };
}

/**
 * The VIP is on no interface. An error about a reply is a packet to be forwarded, unless the
 * connection takes it.
 */
export function passing(play: Play): void {
  const e = { ...NAT, vip: '10.20.7.7', dport: 80 };
  open(play, e);
  answerOf(play, e);
  aboutReply(play, e, { type: 3, code: 1 });
  aboutReply(play, e, { type: 3, code: 4, mtu: 1400 }, '10.0.0.3', { ttl: 2 });
  aboutReply(play, e, { type: 3, code: 1 }, '10.0.0.3', { ttl: 1 });
  aboutReply(play, { ...e, vport: 81 }, { type: 3, code: 1 });
  stats(play);
}
