/** Scenes from random scenarios that showed a defect, each reduced to the packets that show it. */
import { datagram, look, segment } from './life.js';
import { ip, type Play, type Scene, VIP, VIP6 } from './stage.js';

const CLIENT = '10.0.0.1';
const CLIENT6 = '2001:db8::1';
const ONE = '192.168.1.11';
const ONE6 = '2001:db8:1::11';

function stats(play: Play): void {
  look(play);
  play.after(4000);
  play.run('ipvsadm -Ln --stats');
}

const limits: Scene = {
  name: 'found-icmp6-limits',
  about:
    'ICMPv6 errors: six at once and four a second to a host of a /64; a connection that has no time left is told freely.',
  six: true,
  rules: [`-A -t [${VIP6}]:80 -s rr`, `-a -t [${VIP6}]:80 -r [${ONE6}]:8080 -m`],
  play: (play) => {
    const refused = () => play.from(CLIENT6, (eth) => ip(eth, CLIENT6, VIP6).udp({ sport: 5000, dport: 99 }));
    const late = () =>
      play.from(CLIENT6, (eth) => ip(eth, CLIENT6, VIP6, { ttl: 1 }).tcp({ sport: 5000, dport: 80, flags: 'S' }));
    const crossing = () =>
      play.from(ONE6, (eth) => ip(eth, ONE6, CLIENT6, { ttl: 1 }).tcp({ sport: 80, dport: 5000, flags: 'S' }));
    for (let i = 0; i < 8; i++) refused();
    for (let i = 0; i < 8; i++) late();
    play.at(2000);
    for (let i = 0; i < 8; i++) crossing();
    play.at(2400);
    for (let i = 0; i < 3; i++) refused();
  },
};

const refusals: Scene = {
  name: 'found-host-refuses',
  about:
    'What the director does not speak itself: SCTP beside the services, cut short too; UDP over IPv6 without a sum.',
  six: true,
  rules: [
    `-A --sctp-service ${VIP}:80 -s rr`,
    `-a --sctp-service ${VIP}:80 -r ${ONE} -g`,
    `-A --sctp-service [${VIP6}]:80 -s rr`,
    `-a --sctp-service [${VIP6}]:80 -r [${ONE6}]:80 -g`,
  ],
  play: (play) => {
    for (const [client, vip] of [
      [CLIENT, VIP],
      [CLIENT6, VIP6],
    ] as const) {
      for (const type of [1, 0])
        for (const dport of [80, 81])
          play.from(client, (eth) =>
            ip(eth, client, vip).sctp({ sport: 5000 + type, dport, chunks: [{ type, value: new Uint8Array(16) }] }),
          );
      for (const dport of [80, 81]) play.from(client, (eth) => ip(eth, client, vip).sctp({ sport: 5002, dport }));
      play.from(client, (eth) => ip(eth, client, vip).udp({ sport: 5000, dport: 99, checksum: 0 }));
    }
    look(play);
  },
};

const mute: Scene = {
  name: 'found-vipless-mute',
  about: 'A VIP that no interface has is mute: no time exceeded, no fragmentation needed.',
  mark: { words: '-d 10.0.0.96/28', nft: 'ip daddr 10.0.0.96/28', mark: 1 },
  rules: ['-A -f 1 -s rr', `-a -f 1 -r ${ONE} -i`],
  play: (play) => {
    segment(play, 5000, 'S');
    play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP, { ttl: 1 }).tcp({ sport: 5000, dport: 80, flags: 'A' }));
    play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).tcp({ sport: 5000, dport: 80, flags: 'A' }).payload(1460));
    stats(play);
  },
};

const relayed: Scene = {
  name: 'found-tunnel-masq',
  about: "An error from a tunnel's path about a connection that is masqueraded: told to the client, counted once.",
  rules: [`-A -t ${VIP}:80 -s fo`, `-a -t ${VIP}:80 -r ${ONE}:8080 -m -w 2`, `-a -t ${VIP}:80 -r 10.20.0.11 -i`],
  play: (play) => {
    segment(play, 5000, 'S');
    play.from('172.16.0.1', (eth) => {
      const error = ip(eth, '172.16.0.1', '172.16.0.254').icmp({ type: 3, code: 1 });
      const outer = ip(error, '172.16.0.254', '10.20.0.11', { ttl: 60, protocol: 4 });
      return ip(outer, CLIENT, VIP, { ttl: 63 }).tcp({ sport: 5000, dport: 80, flags: 'A', seq: 1 });
    });
    datagram(play, 5000, 80);
    stats(play);
  },
};

export const foundScenes: Scene[] = [limits, refusals, mute, relayed];
