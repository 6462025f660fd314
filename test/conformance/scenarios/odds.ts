/**
 * Scenes with no other file: local destinations, bypass, defences, forwarded traffic, overlapping
 * services.
 */
import { answer, datagram, look, segment } from './life.js';
import { ip, type Play, type Scene, VIP } from './stage.js';

const ONE = '192.168.1.11';
const TWO = '192.168.1.12';
const CLIENT = '10.0.0.1';

const bypass: Scene[] = [0, 1].map((on) => ({
  name: `odd-bypass-${on}`,
  about: `cache_bypass=${on}: a fwmark service without a destination lets packets go where they wanted to.`,
  mark: { words: '-d 10.20.0.0/16', nft: 'ip daddr 10.20.0.0/16', mark: 1 },
  sysctl: { cache_bypass: on },
  rules: ['-A -f 1 -s rr', `-a -f 1 -r ${ONE} -g -w 0`],
  play: (play: Play) => {
    for (const flags of ['S', 'A'])
      play.from(CLIENT, (eth) => ip(eth, CLIENT, '10.20.0.5').tcp({ sport: 5000, dport: 80, flags }));
    look(play);
  },
}));

const drops: Scene = {
  name: 'odd-drop-packet',
  about: 'drop_packet=3 with am_droprate 3: every third new connection is dropped.',
  sysctl: { am_droprate: 3, drop_packet: 3 },
  rules: [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r ${ONE} -g`],
  play: (play) => {
    play.at(2500);
    for (let i = 0; i < 10; i++) segment(play, 5000 + i, 'S');
    look(play);
  },
};

const beside: Scene = {
  name: 'odd-beside',
  about: 'TCP, UDP and SCTP services of one address and port, and ports without a service.',
  rules: [
    `-A -t ${VIP}:80 -s rr`,
    `-a -t ${VIP}:80 -r ${ONE} -g`,
    `-A -u ${VIP}:80 -s rr`,
    `-a -u ${VIP}:80 -r ${TWO} -g`,
    `-A --sctp-service ${VIP}:80 -s rr`,
    `-a --sctp-service ${VIP}:80 -r ${ONE} -g`,
  ],
  play: (play) => {
    segment(play, 5000, 'S');
    datagram(play, 5000, 80);
    play.from(CLIENT, (eth) =>
      ip(eth, CLIENT, VIP).sctp({ sport: 5000, dport: 80, tag: 0, chunks: [{ type: 1, value: new Uint8Array(16) }] }),
    );
    segment(play, 5001, 'S', 81);
    look(play);
  },
};

const forwarded: Scene = {
  name: 'odd-forwarded',
  about: 'What is neither a connection nor a service is forwarded as a router does it: TTL, MTU, no route.',
  rules: [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r ${ONE}:8080 -m`],
  play: (play) => {
    answer(play, 7000, 'SA', ONE, 9999);
    play.from(ONE, (eth) => ip(eth, ONE, '10.20.0.5').udp({ sport: 1, dport: 2 }).payload('by the router'));
    play.from(ONE, (eth) => ip(eth, ONE, '10.20.0.5', { ttl: 1 }).udp({ sport: 1, dport: 2 }).payload('too far'));
    play.from(CLIENT, (eth) => ip(eth, CLIENT, ONE).tcp({ sport: 5000, dport: 22, flags: 'S' }));
    play.from(CLIENT, (eth) => ip(eth, CLIENT, ONE, { ttl: 1 }).tcp({ sport: 5000, dport: 22, flags: 'S' }));
    play.from(CLIENT, (eth) => ip(eth, CLIENT, '99.9.9.9').udp({ sport: 5000, dport: 22 }).payload('nowhere'));
  },
};

const vipless: Scene = {
  name: 'odd-vipless-fwmark',
  about:
    'A /28 of virtual addresses by mark, on no interface: each keeps its port, replies speak as the address asked.',
  mark: { words: '-d 10.0.0.96/28', nft: 'ip daddr 10.0.0.96/28', mark: 1 },
  rules: ['-A -f 1 -s rr', `-a -f 1 -r ${ONE} -m`, `-a -f 1 -r ${TWO}:8080 -m`],
  play: (play) => {
    for (const [i, vip] of ['10.0.0.100', '10.0.0.101', '10.0.0.102', '10.0.0.103'].entries())
      play.from(CLIENT, (eth) => ip(eth, CLIENT, vip).tcp({ sport: 5000 + i, dport: 80 + i, flags: 'S' }));
    play.from(TWO, (eth) => ip(eth, TWO, CLIENT).tcp({ sport: 8080, dport: 5000, flags: 'SA' }));
    play.from(ONE, (eth) => ip(eth, ONE, CLIENT).tcp({ sport: 81, dport: 5001, flags: 'SA' }));
    look(play);
    play.at(4000);
    play.run('ipvsadm -Ln --stats');
  },
};

const weights: Scene = {
  name: 'odd-port0-plain',
  about: 'A port-0 service must be persistent; an FTP service takes high ports that nobody else wants.',
  rules: [`-A -t ${VIP}:21 -s rr`, `-a -t ${VIP}:21 -r ${ONE}:21 -m`],
  play: (play) => {
    segment(play, 5000, 'S', 21);
    segment(play, 5001, 'S', 2000);
    segment(play, 5002, 'S', 20);
    segment(play, 5003, 'S', 80);
    segment(play, 20, 'S', 21);
    play.run(`ipvsadm -A -t ${VIP}:0 -s rr`);
    look(play);
  },
};

const connectionless: Scene = {
  name: 'odd-nat-icmp-send',
  about: 'nat_icmp_send=1: a realserver whose packet belongs to nothing is told so; other ports are forwarded.',
  sysctl: { nat_icmp_send: 1 },
  rules: [
    `-A -t ${VIP}:80 -s rr`,
    `-a -t ${VIP}:80 -r ${ONE}:8080 -m`,
    `-A -u ${VIP}:53 -s rr`,
    `-a -u ${VIP}:53 -r ${ONE}:5353 -m`,
  ],
  play: (play) => {
    answer(play, 7000, 'A');
    answer(play, 7000, 'R');
    play.at(2000);
    play.from(ONE, (eth) => ip(eth, ONE, CLIENT).udp({ sport: 5353, dport: 9 }).payload('stray'));
    play.at(4000);
    play.from(ONE, (eth) => ip(eth, ONE, CLIENT).udp({ sport: 5354, dport: 9 }).payload('passes'));
    answer(play, 7000, 'A', ONE, 8081);
  },
};

export const oddScenes: Scene[] = [...bypass, drops, beside, forwarded, vipless, weights, connectionless];
