/**
 * Scenes about the forwarding methods: all tunnels, TTL, TOS, DF and MTU, no destination, both
 * families (docs/ipvs-reference.md sections 10, 11).
 */
import { datagram, look, segment } from './life.js';
import { ip, type Play, type Scene, VIP, VIP6 } from './stage.js';

const CLIENT = '10.0.0.1';
const CLIENT6 = '2001:db8::1';
const ONE = '192.168.1.11';
const ONE6 = '2001:db8:1::11';

/** Packets of one connection, each with something special about its IP header. */
function headers(play: Play, client: string, vip: string): void {
  const flags = (i: number) => (i === 0 ? 'S' : 'A');
  const words = [
    {},
    { ttl: 2 },
    { ttl: 255 },
    { tos: 0x10 },
    { tos: 0xb8 },
    { tos: 0x01 },
    { tos: 0x02 },
    { tos: 0x03 },
    { df: false },
    { df: false, id: 77 },
  ];
  words.forEach((one, i) => {
    const { df, id, ...both } = one as { df?: boolean; id?: number; ttl?: number; tos?: number };
    const own = client.includes(':')
      ? both
      : { ...both, ...(df === undefined ? {} : { df }), ...(id === undefined ? {} : { id }) };
    play.from(client, (eth) => ip(eth, client, vip, own).tcp({ sport: 5000, dport: 80, flags: flags(i), seq: i }));
  });
  play.from(client, (eth) =>
    ip(eth, client, vip).tcp({ sport: 5000, dport: 80, flags: 'PA', seq: 99 }).payload('x'.repeat(1001)),
  );
}

const KINDS: readonly (readonly [string, string])[] = [
  ['masq', '-m'],
  ['dr', '-g'],
  ['ipip', '-i'],
  ['gre', '-i --tun-type gre'],
  ['gre-csum', '-i --tun-type gre --tun-csum'],
  ['gue', '-i --tun-type gue --tun-port 6080'],
  ['gue-csum', '-i --tun-type gue --tun-port 6080 --tun-csum'],
  ['gue-remcsum', '-i --tun-type gue --tun-port 6080 --tun-remcsum'],
];

const plain: Scene[] = KINDS.map(([name, words]) => ({
  name: `xmit-${name}`,
  about: `TTL, TOS, ECN, DF and id of packets by ${name}.`,
  rules: [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r ${ONE}:80 ${words}`],
  play: (play: Play) => headers(play, CLIENT, VIP),
}));

const plain6: Scene[] = KINDS.map(([name, words]) => ({
  name: `xmit6-${name}`,
  about: `IPv6: hop limit and class of packets by ${name}.`,
  six: true,
  rules: [`-A -t [${VIP6}]:80 -s rr`, `-a -t [${VIP6}]:80 -r [${ONE6}]:80 ${words}`],
  play: (play: Play) => {
    headers(play, CLIENT6, VIP6);
    look(play);
  },
}));

const mixed: Scene[] = [
  {
    name: 'xmit-4in6',
    about: 'An IPv4 service with an IPv6 destination: IPv4 in IPv6.',
    six: true,
    rules: [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r [${ONE6}]:80 -i`],
    play: (play) => {
      headers(play, CLIENT, VIP);
      look(play);
    },
  },
  {
    name: 'xmit-6in4',
    about: 'An IPv6 service with an IPv4 destination: IPv6 in IPv4.',
    six: true,
    rules: [`-A -t [${VIP6}]:80 -s rr`, `-a -t [${VIP6}]:80 -r ${ONE}:80 -i`],
    play: (play) => {
      headers(play, CLIENT6, VIP6);
      look(play);
    },
  },
];

/** Lengths around the MTU, with and without DF. */
function long(play: Play, client: string, vip: string, lengths: readonly number[]): void {
  play.from(client, (eth) => ip(eth, client, vip).udp({ sport: 6000, dport: 53 }).payload('a'));
  for (const len of lengths)
    for (const df of client.includes(':') ? [true] : [true, false]) {
      const words = client.includes(':') ? {} : { df };
      const header = client.includes(':') ? 48 : 28;
      play.from(client, (eth) =>
        ip(eth, client, vip, words)
          .udp({ sport: 6000, dport: 53 })
          .payload('y'.repeat(len - header)),
      );
    }
}

const sizes: Scene[] = KINDS.flatMap(([name, words]) =>
  [1, 0].map(
    (pmtu): Scene => ({
      name: `mtu-${name}${pmtu ? '' : '-nopmtu'}`,
      about: `Packets around the MTU by ${name}; pmtu_disc=${pmtu}.`,
      rules: [`-A -u ${VIP}:53 -s rr`, `-a -u ${VIP}:53 -r ${ONE}:53 ${words}`],
      ...(pmtu === 0 && { sysctl: { pmtu_disc: 0 } }),
      play: (play: Play) => long(play, CLIENT, VIP, [1400, 1464, 1468, 1472, 1476, 1480, 1484, 1500]),
    }),
  ),
);

const sizes6: Scene[] = KINDS.map(([name, words]) => ({
  name: `mtu6-${name}`,
  about: `IPv6 packets around the MTU by ${name}.`,
  six: true,
  rules: [`-A -u [${VIP6}]:53 -s rr`, `-a -u [${VIP6}]:53 -r [${ONE6}]:53 ${words}`],
  play: (play: Play) => long(play, CLIENT6, VIP6, [1280, 1440, 1448, 1460, 1464, 1500]),
}));

const nobody: Scene[] = [
  {
    name: 'nodest',
    about:
      'No destination: port unreachable, even for TCP; six at once, then one a second (the kernel counts for each client).',
    rules: [`-A -t ${VIP}:80 -s wlc`, `-A -u ${VIP}:53 -s rr`, `-a -u ${VIP}:53 -r ${ONE} -g -w 0`],
    play: (play) => {
      segment(play, 5000, 'S');
      segment(play, 5000, 'A');
      for (let i = 0; i < 8; i++) datagram(play, 6000 + i);
      segment(play, 5000, 'S', 80, '10.0.0.2');
      play.at(3000);
      for (let i = 0; i < 4; i++) datagram(play, 6100 + i);
      look(play);
    },
  },
  {
    name: 'nodest6',
    about: 'IPv6: no destination, port unreachable.',
    six: true,
    rules: [`-A -t [${VIP6}]:80 -s wlc`, `-A -u [${VIP6}]:53 -s rr`],
    play: (play) => {
      play.from(CLIENT6, (eth) => ip(eth, CLIENT6, VIP6).tcp({ sport: 5000, dport: 80, flags: 'S' }));
      play.at(2000);
      play.from(CLIENT6, (eth) => ip(eth, CLIENT6, VIP6).udp({ sport: 5000, dport: 53 }).payload('?'));
    },
  },
];

/** The last hop is the director: time exceeded, and what it counts. */
const lastHop: Scene[] = KINDS.slice(0, 3).map(([name, words]) => ({
  name: `ttl-${name}`,
  about: `TTL 1 and 0 at the director, by ${name}: time exceeded, counted.`,
  rules: [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r ${ONE}:80 ${words}`],
  play: (play: Play) => {
    play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP, { ttl: 1, tos: 0x10 }).tcp({ sport: 5000, dport: 80, flags: 'S' }));
    play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).tcp({ sport: 5000, dport: 80, flags: 'A' }));
    play.from(CLIENT, (eth) =>
      ip(eth, CLIENT, VIP, { ttl: 1 }).tcp({ sport: 5000, dport: 80, flags: 'PA' }).payload('z'.repeat(900)),
    );
    if (name === 'masq')
      play.from(ONE, (eth) => ip(eth, ONE, CLIENT, { ttl: 1 }).tcp({ sport: 80, dport: 5000, flags: 'SA' }));
    look(play);
    play.at(4000);
    play.run('ipvsadm -Ln --stats');
  },
}));

const options: Scene = {
  name: 'xmit-options',
  about: 'IP options stay with the packet; an outer header has none.',
  rules: [
    `-A -t ${VIP}:80 -s rr`,
    `-a -t ${VIP}:80 -r ${ONE}:80 -m`,
    `-A -t ${VIP}:81 -s rr`,
    `-a -t ${VIP}:81 -r ${ONE}:81 -i`,
  ],
  play: (play) => {
    const routerAlert = [{ kind: 148, data: Uint8Array.of(0, 0) }];
    for (const dport of [80, 81])
      play.from(CLIENT, (eth) =>
        eth.ipv4({ src: CLIENT, dst: VIP, options: routerAlert }).tcp({ sport: 5000, dport, flags: 'S' }),
      );
  },
};

export const methodScenes: Scene[] = [
  ...plain,
  ...plain6,
  ...mixed,
  ...sizes,
  ...sizes6,
  ...nobody,
  ...lastHop,
  options,
];
