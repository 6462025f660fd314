/** ICMP errors about connections, in both directions, for each forwarding method (IPVS-REFERENCE 1.12). */
import type { Packet } from '../../packet.js';
import type { IcmpWords, Ipv4Words } from '../../packetwords.js';
import { ip, type Play, type Scene, VIP, VIP6 } from './stage.js';

interface Ends {
  readonly client: string;
  readonly vip: string;
  readonly server: string;
  readonly vport: number;
  readonly dport: number;
  readonly six: boolean;
}
const NAT: Ends = { client: '10.0.0.1', vip: VIP, server: '192.168.1.11', vport: 80, dport: 8080, six: false };
const NAT6: Ends = { client: '2001:db8::1', vip: VIP6, server: '2001:db8:1::11', vport: 80, dport: 8080, six: true };
const PORT = 4000;

type Error = IcmpWords & { cut?: number };
/** All that a router may say, and two types that IPVS leaves alone. */
const ERRORS4: readonly Error[] = [
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
const ERRORS6: readonly Error[] = [
  { type: 1, code: 0 },
  { type: 1, code: 4, cut: 48 },
  { type: 2, mtu: 1400 },
  { type: 3, code: 0, cut: 48 },
  { type: 4, code: 1, mtu: 6 },
];

function open(play: Play, e: Ends): void {
  play.from(e.client, (eth) => ip(eth, e.client, e.vip).tcp({ sport: PORT, dport: e.vport, flags: 'S', seq: 1 }));
}
function answerOf(play: Play, e: Ends): void {
  play.from(e.server, (eth) =>
    ip(eth, e.server, e.client).tcp({ sport: e.dport, dport: PORT, flags: 'SA', seq: 9, ack: 2 }),
  );
}
function stats(play: Play): void {
  play.run('ipvsadm -Lnc | sort');
  play.at(4000);
  play.run('ipvsadm -Ln --stats');
}

function error(outer: Packet, e: { six: boolean }, words: Error, quoted: (inside: Packet) => Packet): Packet {
  const { cut, ...fields } = words;
  const whole = quoted(e.six ? outer.icmp6(fields) : outer.icmp(fields));
  return cut === undefined ? whole : whole.cut(cut);
}

/** From the client's side, about a reply: the quoted packet goes from the VIP to the client. */
function aboutReply(
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
function aboutRequest(play: Play, e: Ends, words: Error, from = e.server, outer: Partial<Ipv4Words> = {}): void {
  play.from(from, (eth) =>
    error(ip(eth, from, e.client, outer), e, words, (icmp) =>
      ip(icmp, e.client, e.server, { ttl: 61 })
        .tcp({ sport: PORT, dport: e.dport, flags: 'A', seq: 2, ack: 10 })
        .payload('a request'),
    ),
  );
}

function natIn(e: Ends, router: string, errors: readonly Error[]) {
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
function natOut(e: Ends, router: string, errors: readonly Error[]) {
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
function direct(e: Ends, router: string, errors: readonly Error[]) {
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

function udpErrors(play: Play): void {
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

/** An error about a request that DR or Tun left as it was, on its way to the client by the director. */
function requestKept(play: Play): void {
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

function sctpErrors(play: Play): void {
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
function scheduled(e: Ends, words: Error) {
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
function strays(e: Ends) {
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

/** The VIP is nobody's address: an error about a reply is a packet to be forwarded, when the connection takes it. */
function passing(play: Play): void {
  const e = { ...NAT, vip: '10.20.7.7', dport: 80 };
  open(play, e);
  answerOf(play, e);
  aboutReply(play, e, { type: 3, code: 1 });
  aboutReply(play, e, { type: 3, code: 4, mtu: 1400 }, '10.0.0.3', { ttl: 2 });
  aboutReply(play, e, { type: 3, code: 1 }, '10.0.0.3', { ttl: 1 });
  aboutReply(play, { ...e, vport: 81 }, { type: 3, code: 1 });
  stats(play);
}

const TCP = ['-A -t 10.0.0.100:80 -s rr', '-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m'];
const UDP = ['-A -u 10.0.0.100:53 -s rr', '-a -u 10.0.0.100:53 -r 192.168.1.11:5353 -m'];
const TCP6 = ['-A -t [2001:db8::100]:80 -s rr', '-a -t [2001:db8::100]:80 -r [2001:db8:1::11]:8080 -m'];
const by = (how: string) => ['-A -t 10.0.0.100:80 -s rr', `-a -t 10.0.0.100:80 -r 192.168.1.11 ${how}`];
const by6 = (how: string) => ['-A -t [2001:db8::100]:80 -s rr', `-a -t [2001:db8::100]:80 -r 2001:db8:1::11 ${how}`];
const EMPTY = ['-A -t 10.0.0.100:443 -s rr'];
const R3 = '10.0.0.3';
const R3_6 = '2001:db8::3';

export const icmpScenes: readonly Scene[] = [
  {
    name: 'icmp-masq-in',
    about: 'NAT: errors of the client and of a router before it, about replies.',
    rules: TCP,
    play: natIn(NAT, R3, ERRORS4),
  },
  {
    name: 'icmp-masq-out',
    about: 'NAT: errors of the realserver and of a router before it, about requests.',
    rules: TCP,
    play: natOut(NAT, '192.168.1.1', ERRORS4),
  },
  { name: 'icmp-masq-udp', about: 'NAT: port unreachable for UDP, both ways.', rules: UDP, play: udpErrors },
  {
    name: 'icmp-dr',
    about: 'DR: errors about replies go on to the realserver.',
    rules: by('-g'),
    play: direct(NAT, R3, ERRORS4),
  },
  {
    name: 'icmp-tun',
    about: 'Tun: errors about replies go on through the tunnel.',
    rules: by('-i'),
    play: direct(NAT, R3, ERRORS4),
  },
  {
    name: 'icmp-schedule',
    about: 'schedule_icmp: an error without a connection makes one.',
    rules: [...TCP, ...UDP, ...EMPTY],
    sysctl: { schedule_icmp: 1 },
    play: scheduled(NAT, { type: 3, code: 4, mtu: 1400 }),
  },
  {
    name: 'icmp-schedule-dr',
    about: 'schedule_icmp with direct routing.',
    rules: [...by('-g'), ...EMPTY],
    sysctl: { schedule_icmp: 1 },
    play: scheduled(NAT, { type: 3, code: 4, mtu: 1400 }),
  },
  {
    name: 'icmp-schedule-off',
    about: "Without schedule_icmp an error without a connection is the host's.",
    rules: [...TCP, ...EMPTY],
    play: scheduled(NAT, { type: 3, code: 4, mtu: 1400 }),
  },
  { name: 'icmp-dr-out', about: 'DR: an error about a request counts and passes.', rules: by('-g'), play: requestKept },
  { name: 'icmp-tun-out', about: 'Tun: the same.', rules: by('-i'), play: requestKept },
  {
    name: 'icmp-masq-sctp',
    about: 'NAT of SCTP: errors both ways, a stray packet refused, one that makes a connection.',
    rules: ['-A --sctp-service 10.0.0.100:80 -s rr', '-a --sctp-service 10.0.0.100:80 -r 192.168.1.11:8080 -m'],
    sysctl: { nat_icmp_send: 1, schedule_icmp: 1 },
    play: sctpErrors,
  },
  {
    name: 'icmp-schedule-persistent',
    about: 'schedule_icmp with persistence: the quoted client gets a template.',
    rules: ['-A -t 10.0.0.100:80 -s rr -p 50', ...TCP.slice(1), ...EMPTY],
    sysctl: { schedule_icmp: 1 },
    play: scheduled(NAT, { type: 3, code: 4, mtu: 1400 }),
  },
  {
    name: 'icmp-nat-send',
    about: 'nat_icmp_send: stray packets of a realserver are refused.',
    rules: [...TCP, ...UDP],
    sysctl: { nat_icmp_send: 1 },
    play: strays(NAT),
  },
  { name: 'icmp-nat-send-off', about: 'Without nat_icmp_send they pass.', rules: [...TCP, ...UDP], play: strays(NAT) },
  {
    name: 'icmp-vipless',
    about: 'An error about a reply of a VIP that no interface has.',
    rules: ['-A -f 1 -s rr', '-a -f 1 -r 192.168.1.11 -m'],
    mark: { words: '-i eth0 -d 10.20.7.0/24 -p tcp', nft: 'iif eth0 ip daddr 10.20.7.0/24 meta l4proto tcp', mark: 1 },
    play: passing,
  },
  {
    name: 'icmp6-masq-in',
    about: 'IPv6 NAT: errors about replies.',
    six: true,
    rules: TCP6,
    play: natIn(NAT6, R3_6, ERRORS6),
  },
  {
    name: 'icmp6-masq-out',
    about: 'IPv6 NAT: errors about requests.',
    six: true,
    rules: TCP6,
    play: natOut(NAT6, '2001:db8:1::1', ERRORS6),
  },
  {
    name: 'icmp6-dr',
    about: 'IPv6 DR: errors about replies.',
    six: true,
    rules: by6('-g'),
    play: direct(NAT6, R3_6, ERRORS6),
  },
  {
    name: 'icmp6-tun',
    about: 'IPv6 Tun: errors about replies.',
    six: true,
    rules: by6('-i'),
    play: direct(NAT6, R3_6, ERRORS6),
  },
  {
    name: 'icmp6-schedule',
    about: 'IPv6 schedule_icmp.',
    six: true,
    rules: [...TCP6, '-A -t [2001:db8::100]:443 -s rr'],
    sysctl: { schedule_icmp: 1 },
    play: scheduled(NAT6, { type: 2, mtu: 1400 }),
  },
  {
    name: 'icmp6-nat-send',
    about: 'IPv6 nat_icmp_send.',
    six: true,
    rules: TCP6,
    sysctl: { nat_icmp_send: 1 },
    play: strays(NAT6),
  },
];
