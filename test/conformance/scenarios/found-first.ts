/**
 * Scenes from the first random scenarios. Each showed a defect that no other recording showed, and
 * fails without its fix.
 */
import { datagram, look, segment } from './life.js';
import { ip, type Play, type Scene, VIP } from './stage.js';

const CLIENT = '10.0.0.1';
const CLIENTS = [CLIENT, '10.0.0.2', '10.0.0.3'];
const ONE = '192.168.1.11';
const TWO = '192.168.1.12';

/** The client's host, or a router before it, says that it did not get what the VIP sent there. */
function unheard(play: Play, client: string, protocol: 'tcp' | 'udp', sport: number, dport: number, type = 3): void {
  play.from(client, (eth) => {
    const quoted = ip(eth, client, VIP)
      .icmp({ type, code: type === 3 ? 3 : 0 })
      .ipv4({ src: VIP, dst: client });
    return protocol === 'tcp'
      ? quoted.tcp({ sport, dport, flags: 'A', seq: 1 })
      : quoted.udp({ sport, dport }).payload('answer');
  });
}

const onePacketErrors: Scene = {
  name: 'found-ops-errors',
  about: "The director's own errors about one-packet connections are counted for nobody.",
  rules: [
    `-A -u ${VIP}:53 -s rr -o`,
    `-a -u ${VIP}:53 -r ${ONE}:53 -g`,
    `-A -u ${VIP}:54 -s rr -o`,
    `-a -u ${VIP}:54 -r ${ONE}:54 -i`,
  ],
  play: (play) => {
    for (const dport of [53, 54])
      play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP, { ttl: 1 }).udp({ sport: 6000, dport }).payload('late'));
    play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).udp({ sport: 6000, dport: 54 }).payload(1460));
    datagram(play, 6001);
    look(play);
    play.at(6000);
    play.run('ipvsadm -Ln --stats');
  },
};

const onePacketQuoted: Scene[] = (['-g', '-m'] as const).map((method) => ({
  name: `found-ops-quoted${method === '-m' ? '-masq' : '-dr'}`,
  about: 'schedule_icmp: what an error opens at a one-packet service is gone with it.',
  sysctl: { schedule_icmp: 1 },
  rules: [
    `-A -u ${VIP}:53 -s rr -o`,
    `-a -u ${VIP}:53 -r ${ONE}:53 ${method}`,
    `-a -u ${VIP}:53 -r ${TWO}:53 ${method}`,
  ],
  play: (play: Play) => {
    for (const type of [3, 11, 3]) unheard(play, CLIENT, 'udp', 53, 6000, type);
    look(play);
    datagram(play, 6001);
    look(play);
    play.at(6000);
    play.run('ipvsadm -Ln --stats');
  },
}));

const assured: Scene = {
  name: 'found-template-orphaned',
  about: 'expire_nodest_conn=1: a template that connections have assured ends with the last of them, at once.',
  sysctl: { expire_nodest_conn: 1 },
  rules: [`-A -t ${VIP}:80 -s rr -p 50`, `-a -t ${VIP}:80 -r ${ONE} -g`, `-a -t ${VIP}:80 -r ${TWO} -g`],
  play: (play) => {
    for (const client of CLIENTS)
      for (const sport of [5000, 5001]) for (const flags of ['S', 'A']) segment(play, sport, flags, 80, client);
    play.run(`ipvsadm -d -t ${VIP}:80 -r ${TWO}`);
    play.at(4000);
    look(play);
    segment(play, 5002, 'S');
    look(play);
  },
};

const turned: Scene[] = (['dh', 'lblc', 'lblcr'] as const).map((scheduler) => ({
  name: `found-quoted-${scheduler}`,
  about: `schedule_icmp: ${scheduler} takes the client for the destination of the packet that an error quotes.`,
  sysctl: { schedule_icmp: 1 },
  rules: [
    `-A -t ${VIP}:80 -s ${scheduler}`,
    `-a -t ${VIP}:80 -r ${ONE} -g`,
    `-a -t ${VIP}:80 -r ${TWO} -g`,
    `-a -t ${VIP}:80 -r 192.168.1.1 -g`,
  ],
  play: (play: Play) => {
    for (const client of CLIENTS) unheard(play, client, 'tcp', 80, 5000);
    for (const client of CLIENTS) segment(play, 5001, 'S', 80, client);
    for (const client of CLIENTS) unheard(play, client, 'tcp', 80, 5002);
    look(play);
  },
}));

const marked: Scene = {
  name: 'found-marked-own',
  about: 'A marked service without a destination, at an address that the director has: it speaks as that address.',
  mark: { words: '-d 10.0.0.254 -p tcp --dport 80', nft: 'ip daddr 10.0.0.254 tcp dport 80', mark: 1 },
  rules: ['-A -f 1 -s rr', `-a -f 1 -r ${ONE} -g -w 0`],
  play: (play) => {
    play.from(CLIENT, (eth) => ip(eth, CLIENT, '10.0.0.254').tcp({ sport: 5000, dport: 80, flags: 'S' }));
    look(play);
  },
};

export const foundFirstScenes: Scene[] = [onePacketErrors, ...onePacketQuoted, assured, ...turned, marked];
