/**
 * Scenes about fragments. They are reassembled before the look-up, and the packet is fragmented
 * again after it (docs/ipvs-findings.md, "other packets").
 */

import { restartIds } from './pieces.js';
import {
  df,
  dfForwarded,
  errors,
  headers,
  host,
  marked,
  masq,
  oneWay,
  overlaps,
  passing,
  timeouts,
  uneven,
} from './plays/fragment.js';
import { masq6, oneWay6, small6, uneven6 } from './plays/fragment6.js';
import type { Scene } from './stage.js';

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

export const fragmentScenes: readonly Scene[] = scenes.map((scene) => ({
  ...scene,
  play: (play) => {
    restartIds();
    scene.play(play);
  },
}));
