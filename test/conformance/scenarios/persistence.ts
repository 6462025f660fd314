/**
 * Scenes about persistence: templates by service, network, port 0 and mark (docs/ipvs-reference.md
 * section 9).
 */
import { answer, datagram, look, segment } from './life.js';
import { ip, type Play, type Scene, VIP, VIP6 } from './stage.js';

const ONE = '192.168.1.11';
const TWO = '192.168.1.12';
const OTHER = '10.0.0.2';
const DR = [`-r ${ONE} -g`, `-r ${TWO} -g`];
const NAT = [`-r ${ONE}:8080 -m`, `-r ${TWO}:8080 -m`];

function service(key: string, words: string, dests: readonly string[]): string[] {
  return [`-A ${key} -s rr ${words}`, ...dests.map((dest) => `-a ${key} ${dest}`)];
}

const clients: Scene[] = (
  [
    ['dr', DR],
    ['nat', NAT],
  ] as const
).map(([name, dests]) => ({
  name: `persist-${name}`,
  about: `A client stays with its destination, another has its own; ${name}.`,
  rules: service(`-t ${VIP}:80`, '-p 50', dests),
  play: (play: Play) => {
    for (const sport of [5000, 5001, 5002]) segment(play, sport, 'S');
    segment(play, 5000, 'S', 80, OTHER);
    segment(play, 5000, 'A');
    if (name === 'nat') answer(play, 5000, 'SA', TWO);
    look(play);
    play.run('ipvsadm -Ln --persistent-conn');
    play.at(4000);
    play.run('ipvsadm -Ln --stats');
  },
}));

const network: Scene = {
  name: 'persist-netmask',
  about: 'A template for a whole network of clients.',
  rules: service(`-t ${VIP}:80`, '-p 50 -M 255.255.255.0', DR),
  play: (play) => {
    segment(play, 5000, 'S');
    segment(play, 5000, 'S', 80, OTHER);
    segment(play, 5001, 'S', 80, '10.0.0.3');
    look(play);
  },
};

const anyPort: Scene[] = (
  [
    ['dr', DR],
    ['nat', [`-r ${ONE} -m`, `-r ${TWO} -m`]],
  ] as const
).map(([name, dests]) => ({
  name: `persist-port0-${name}`,
  about: `Port 0: all ports of the VIP belong together; ${name}.`,
  rules: service(`-t ${VIP}:0`, '-p 50', dests),
  play: (play: Play) => {
    for (const [i, port] of [80, 443, 25, 8080].entries()) segment(play, 5000 + i, 'S', port);
    segment(play, 5000, 'S', 443, OTHER);
    look(play);
  },
}));

const twoPorts: Scene = {
  name: 'persist-port0-beside',
  about: 'A service of its own port goes before port 0.',
  rules: [...service(`-t ${VIP}:0`, '-p 50', DR), ...service(`-t ${VIP}:80`, '', DR)],
  play: (play) => {
    for (const [i, port] of [80, 80, 443, 443, 80].entries()) segment(play, 5000 + i, 'S', port);
    look(play);
  },
};

const marked: Scene[] = (
  [
    ['dr', DR],
    ['nat', [`-r ${ONE} -m`, `-r ${TWO} -m`]],
    ['nat-port', NAT],
  ] as const
).map(([name, dests]) => ({
  name: `persist-fwmark-${name}`,
  about: `A mark groups ports and addresses: one template for all of them; ${name}.`,
  mark: { words: '-d 10.0.0.0/24', nft: 'ip daddr 10.0.0.96/28', mark: 1 },
  rules: service('-f 1', '-p 50', dests),
  play: (play: Play) => {
    segment(play, 5000, 'S', 80);
    segment(play, 5001, 'S', 443);
    play.from('10.0.0.1', (eth) => ip(eth, '10.0.0.1', '10.0.0.101').tcp({ sport: 5002, dport: 80, flags: 'S' }));
    datagram(play, 6000);
    segment(play, 5000, 'S', 80, OTHER);
    look(play);
    play.at(4000);
    play.run('ipvsadm -Ln --stats');
  },
}));

const ends: Scene = {
  name: 'persist-ends',
  about: 'A template waits for its connections, 60 s at a time, and goes when they have gone.',
  rules: service(`-t ${VIP}:80`, '-p 30', DR),
  play: (play) => {
    segment(play, 5000, 'S');
    segment(play, 5000, 'A');
    segment(play, 5000, 'FA');
    play.at(45_000);
    look(play);
    play.at(100_000);
    look(play);
    play.at(200_000);
    look(play);
  },
};

const quiesced: Scene[] = [0, 1].map((expire) => ({
  name: `persist-quiesced-${expire}`,
  about: `The template's destination is quiesced; expire_quiescent_template=${expire}.`,
  rules: service(`-t ${VIP}:80`, '-p 50', DR),
  sysctl: { expire_quiescent_template: expire },
  play: (play: Play) => {
    segment(play, 5000, 'S');
    play.run(`ipvsadm -e -t ${VIP}:80 -r ${TWO} -g -w 0`);
    segment(play, 5001, 'S');
    segment(play, 5000, 'A');
    look(play);
    play.run(`ipvsadm -e -t ${VIP}:80 -r ${TWO} -g -w 1`);
    segment(play, 5002, 'S');
    look(play);
  },
}));

const removed: Scene[] = [0, 1].map((expire) => ({
  name: `persist-removed-${expire}`,
  about: `The template's destination is removed; expire_nodest_conn=${expire}.`,
  rules: service(`-t ${VIP}:80`, '-p 50', DR),
  sysctl: { expire_nodest_conn: expire },
  play: (play: Play) => {
    segment(play, 5000, 'S');
    play.run(`ipvsadm -d -t ${VIP}:80 -r ${TWO}`);
    play.at(3000);
    segment(play, 5001, 'S');
    segment(play, 5000, 'A');
    look(play);
  },
}));

const six: Scene = {
  name: 'persist6-prefix',
  about: 'IPv6: a template for a /64 of clients.',
  six: true,
  rules: [
    `-A -t [${VIP6}]:80 -s rr -p 50 -M 64`,
    `-a -t [${VIP6}]:80 -r [2001:db8:1::11]:80 -g`,
    `-a -t [${VIP6}]:80 -r [2001:db8:1::12]:80 -g`,
  ],
  play: (play) => {
    for (const client of ['2001:db8::1', '2001:db8::3'])
      play.from(client, (eth) => ip(eth, client, VIP6).tcp({ sport: 5000, dport: 80, flags: 'S' }));
    look(play);
  },
};

const udp: Scene = {
  name: 'persist-udp',
  about: 'UDP: an answer makes the template assured.',
  rules: service(`-u ${VIP}:53`, '-p 50', [`-r ${ONE}:5353 -m`]),
  play: (play) => {
    datagram(play, 6000);
    look(play);
    play.from(ONE, (eth) => ip(eth, ONE, '10.0.0.1').udp({ sport: 5353, dport: 6000 }).payload('answer'));
    look(play);
  },
};

export const persistenceScenes: Scene[] = [
  ...clients,
  network,
  ...anyPort,
  twoPorts,
  ...marked,
  ends,
  ...quiesced,
  ...removed,
  six,
  udp,
];
