/**
 * Scenes about ICMP errors from the path of a tunnel. They are addressed to the director and quote
 * its outer packets.
 */
import type { Packet } from '../../support/packet.js';
import type { IcmpWords, Ipv4Words } from '../../support/packet-words.js';
import { ip, type Play, type Scene, VIP } from './stage.js';

const CLIENT = '10.0.0.1';
const DIRECTOR = '172.16.0.254';
const SERVER = '10.20.0.11';
const ROUTER = '172.16.0.1';
type Shim = (outer: Packet) => Packet;

const ipip: Shim = (outer) => outer;
const gue: Shim = (outer) => outer.udp({ sport: 40000, dport: 6080, checksum: 0 }).payload(Uint8Array.of(0, 4, 0, 0));
const gre: Shim = (outer) => outer.payload(Uint8Array.of(0, 0, 8, 0));
const greSum: Shim = (outer) => outer.payload(Uint8Array.of(0x80, 0, 8, 0, 0x12, 0x34, 0, 0));

function big(play: Play, size: number, df = true): void {
  play.from(CLIENT, (eth) =>
    ip(eth, CLIENT, VIP, { df })
      .tcp({ sport: 4000, dport: 80, flags: 'A', seq: 2, ack: 10 })
      .payload(size - 40),
  );
}

function complain(
  play: Play,
  words: IcmpWords,
  shim: Shim,
  protocol: number,
  {
    server = SERVER,
    outer = {},
    df = true,
    cut = 0,
    tos = 0,
    sport = 4000,
  }: { server?: string; outer?: Partial<Ipv4Words>; df?: boolean; cut?: number; tos?: number; sport?: number } = {},
): void {
  play.from(ROUTER, (eth) => {
    const icmp = ip(eth, ROUTER, DIRECTOR, outer).icmp(words);
    const quoted = shim(ip(icmp, DIRECTOR, server, { ttl: 60, df, protocol }));
    const whole = ip(quoted, CLIENT, VIP, { ttl: 63, df, tos })
      .tcp({ sport, dport: 80, flags: 'A', seq: 2, ack: 10 })
      .payload(600);
    return cut === 0 ? whole : whole.cut(cut);
  });
}

function tunnel(shim: Shim, protocol: number, header: number) {
  return (play: Play) => {
    play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).tcp({ sport: 4000, dport: 80, flags: 'S', seq: 1 }));
    complain(play, { type: 11, code: 0 }, shim, protocol);
    complain(play, { type: 3, code: 1 }, shim, protocol, { cut: 20 + header + 28, tos: 0x10 });
    complain(play, { type: 3, code: 2 }, shim, protocol, { cut: 20 + header + 20 });
    complain(play, { type: 4 }, shim, protocol);
    complain(play, { type: 3, code: 3 }, shim, protocol, { server: '10.20.0.12' });
    complain(play, { type: 3, code: 3 }, shim, protocol, { sport: 4001 });
    complain(play, { type: 3, code: 1, checksum: 0x1234 }, shim, protocol);
    complain(play, { type: 12 }, shim, protocol);
    play.at(2000);
    complain(play, { type: 3, code: 4, mtu: 1600 }, shim, protocol);
    complain(play, { type: 3, code: 4, mtu: 1400 }, shim, protocol, { df: false });
    big(play, 1200);
    complain(play, { type: 3, code: 4, mtu: 1000 }, shim, protocol, { outer: { ttl: 1 } });
    complain(play, { type: 3, code: 4, mtu: 1000 }, shim, protocol);
    big(play, 1000 - 20 - header);
    big(play, 1000 - 20 - header + 1);
    big(play, 1400, false);
    complain(play, { type: 3, code: 4, mtu: 1000 }, shim, protocol);
    complain(play, { type: 3, code: 4, mtu: 1200 }, shim, protocol);
    big(play, 1100);
    play.at(4000);
    play.run('ipvsadm -Ln --stats');
    play.at(500_000);
    big(play, 1100);
    play.at(605_000);
    big(play, 1100);
    play.at(650_000);
  };
}

function small(play: Play): void {
  play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).tcp({ sport: 4000, dport: 80, flags: 'S', seq: 1 }));
  complain(play, { type: 3, code: 4, mtu: 400 }, ipip, 4);
  big(play, 1000);
  big(play, 600);
  complain(play, { type: 3, code: 4, mtu: 0 }, ipip, 4);
  big(play, 540);
  big(play, 532);
  big(play, 1000, false);
  complain(play, { type: 3, code: 4, mtu: 300 }, ipip, 4);
  big(play, 500);
}

const rules = (...how: string[]) => [
  '-A -t 10.0.0.100:80 -s rr',
  ['-a -t 10.0.0.100:80 -r 10.20.0.11 -i', ...how].join(' '),
];

export const tunnelScenes: readonly Scene[] = [
  {
    name: 'icmp-tunnel-ipip',
    about: 'Errors from the path of an IPIP tunnel; its MTU.',
    rules: rules(),
    play: tunnel(ipip, 4, 0),
  },
  {
    name: 'icmp-tunnel-gue',
    about: 'Errors from the path of a GUE tunnel; its MTU.',
    rules: rules('--tun-type gue --tun-port 6080 --tun-nocsum'),
    play: tunnel(gue, 17, 12),
  },
  {
    name: 'icmp-tunnel-gre',
    about: 'Errors from the path of a GRE tunnel; its MTU.',
    rules: rules('--tun-type gre --tun-nocsum'),
    play: tunnel(gre, 47, 4),
  },
  {
    name: 'icmp-tunnel-gre-sum',
    about: 'Errors from the path of a GRE tunnel with checksums.',
    rules: rules('--tun-type gre --tun-csum'),
    play: tunnel(greSum, 47, 8),
  },
  {
    name: 'icmp-tunnel-small',
    about: 'A path MTU below the smallest that the kernel believes.',
    rules: rules(),
    play: small,
  },
  {
    name: 'icmp-tunnel-nopmtu',
    about: 'pmtu_disc off: the path MTU is kept, nobody is told.',
    rules: rules(),
    sysctl: { pmtu_disc: 0 },
    play: tunnel(ipip, 4, 0),
  },
];
