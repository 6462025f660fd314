/**
 * Scenes about ICMP errors that quote a packet of a connection, in both directions, for each
 * forwarding method (docs/ipvs-reference.md section 12).
 */
import {
  direct,
  ERRORS4,
  ERRORS6,
  NAT,
  NAT6,
  natIn,
  natOut,
  passing,
  requestKept,
  scheduled,
  sctpErrors,
  strays,
  udpErrors,
} from './plays/icmp.js';
import type { Scene } from './stage.js';

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
