/**
 * ICMP errors of the wide random scenarios: about replies, requests and tunnels, of all types, with
 * types that the director ignores.
 */
import type { Packet } from '../../../support/packet.js';
import type { IcmpWords } from '../../../support/packet-words.js';
import type { Random } from '../../../support/seed.js';
import { ip, type Play } from '../stage.js';
import { hostOf, type Talk, vipOf } from './wide-packets.js';
import type { Dest } from './wide-rules.js';

const KINDS: readonly IcmpWords[] = [
  { type: 3, code: 0 },
  { type: 3, code: 1 },
  { type: 3, code: 3 },
  { type: 3, code: 4, mtu: 1300 },
  { type: 3, code: 13 },
  { type: 4 },
  { type: 11, code: 0 },
  { type: 11, code: 1 },
  { type: 12 },
];
const KINDS6: readonly IcmpWords[] = [
  { type: 1, code: 0 },
  { type: 1, code: 4 },
  { type: 2, mtu: 1300 },
  { type: 3, code: 0 },
  { type: 4, code: 1 },
];

/** About a packet of the talk, from the client's side or from the destination's. */
export function error(play: Play, random: Random, talk: Talk): void {
  const { service, client, sport, dport } = talk;
  const vip = vipOf(service);
  const what = random.below(4);
  const near = service.dests.filter(({ address }) => address.includes(':') === service.six);
  if (what < 2 || near.length === 0)
    return complain(play, random, talk, client, client, vip, (at) =>
      quoted(ip(at, vip, client, { ttl: 60 }), talk, dport, sport),
    );
  const dest = random.pick(near);
  if (what === 2 && dest.method === '-i' && !service.six) return fromTunnel(play, random, talk, dest);
  const inner = dest.method === '-m' ? dest.address : vip;
  const port = dest.method === '-m' ? dest.port || dport : dport;
  complain(play, random, talk, hostOf(dest), dest.address, client, (at) =>
    quoted(ip(at, client, inner, { ttl: 60 }), talk, sport, port),
  );
}

function complain(
  play: Play,
  random: Random,
  { service }: Talk,
  host: string,
  src: string,
  dst: string,
  quote: (at: Packet) => Packet,
): void {
  const words = { ...random.pick(service.six ? KINDS6 : KINDS), ...(random.below(12) === 0 && { checksum: 0x1234 }) };
  const ttl = random.below(12) === 0 ? 1 : 64;
  play.from(host, (eth) => {
    const at = ip(eth, src, dst, { ttl });
    return quote(service.six ? at.icmp6(words) : at.icmp(words));
  });
}

function quoted(at: Packet, { service: { protocol } }: Talk, sport: number, dport: number): Packet {
  if (protocol === 'udp') return at.udp({ sport, dport }).payload('x');
  if (protocol === 'sctp') return at.sctp({ sport, dport, tag: 7, chunks: [{ type: 0, value: new Uint8Array(16) }] });
  return at.tcp({ sport, dport, flags: 'A', seq: 1 });
}

/** A router on the way to a tunnel's end complains of the outer packet. */
function fromTunnel(play: Play, random: Random, talk: Talk, dest: Dest): void {
  const [router, director] = dest.address.startsWith('10.20.')
    ? ['172.16.0.1', '172.16.0.254']
    : ['192.168.1.1', '192.168.1.254'];
  const df = random.bool();
  const words = random.pick(KINDS);
  play.from(router, (eth) => {
    const outer = ip(ip(eth, router, director).icmp(words), director, dest.address, { ttl: 60, df, ...kindOf(dest) });
    const inner = ip(shim(outer, dest), talk.client, vipOf(talk.service), { ttl: 63, df });
    return quoted(inner, talk, talk.sport, talk.dport).payload(500);
  });
}

function kindOf({ tunnel }: Dest): { protocol: number } {
  return { protocol: tunnel.includes('gue') ? 17 : tunnel.includes('gre') ? 47 : 4 };
}
function shim(outer: Packet, { tunnel }: Dest): Packet {
  if (tunnel.includes('gue'))
    return outer.udp({ sport: 40000, dport: 6080, checksum: 0 }).payload(Uint8Array.of(0, 4, 0, 0));
  if (!tunnel.includes('gre')) return outer;
  return outer.payload(Uint8Array.from(tunnel.includes('nocsum') ? [0, 0, 8, 0] : [0x80, 0, 8, 0, 0x12, 0x34, 0, 0]));
}
