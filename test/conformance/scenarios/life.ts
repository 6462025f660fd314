/**
 * Scenes about the life of connections while destinations are added and removed, ports are reused
 * and timeouts are set (docs/ipvs-reference.md sections 3, 8).
 */
import { ip, type Play, type Scene, VIP } from './stage.js';

const CLIENT = '10.0.0.1';
const ONE = '192.168.1.11';
const TWO = '192.168.1.12';

export function segment(play: Play, sport: number, flags: string, dport = 80, client = CLIENT): void {
  play.from(client, (eth) => ip(eth, client, VIP).tcp({ sport, dport, flags, seq: 5 }));
}
export function answer(play: Play, sport: number, flags: string, server = ONE, port = 8080): void {
  play.from(server, (eth) => ip(eth, server, CLIENT).tcp({ sport: port, dport: sport, flags, seq: 6 }));
}
export function datagram(play: Play, sport: number, dport = 53, client = CLIENT): void {
  play.from(client, (eth) => ip(eth, client, VIP).udp({ sport, dport }).payload('question'));
}
export function look(play: Play): void {
  play.run('ipvsadm -Lnc | sort');
  play.run('ipvsadm -Ln');
}

const NAT = [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r ${ONE}:8080 -m`, `-a -t ${VIP}:80 -r ${TWO}:8080 -m`];
const DR = [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r ${ONE} -g`, `-a -t ${VIP}:80 -r ${TWO} -g`];

function removal(expire: number, kind: 'nat' | 'dr'): Scene {
  const port = kind === 'nat' ? ':8080' : '';
  return {
    name: `life-removal-${kind}-${expire}`,
    about: `A destination is removed and comes back; expire_nodest_conn=${expire}, ${kind}.`,
    rules: kind === 'nat' ? NAT : DR,
    sysctl: { expire_nodest_conn: expire },
    play: (play) => {
      for (const sport of [5000, 5001, 5002, 5003]) segment(play, sport, 'S');
      for (const sport of [5000, 5001, 5002, 5003]) segment(play, sport, 'A');
      if (kind === 'nat') answer(play, 5001, 'SA');
      look(play);
      play.run(`ipvsadm -d -t ${VIP}:80 -r ${ONE}${port}`);
      play.at(3000);
      for (const sport of [5000, 5001, 5002, 5003]) segment(play, sport, 'A');
      if (kind === 'nat') answer(play, 5001, 'A');
      look(play);
      play.run(`ipvsadm -a -t ${VIP}:80 -r ${ONE}${port} ${kind === 'nat' ? '-m' : '-g'}`);
      for (const sport of [5000, 5001, 5002, 5003]) segment(play, sport, 'A');
      segment(play, 5004, 'S');
      segment(play, 5005, 'S');
      look(play);
      play.at(8000);
      play.run('ipvsadm -Ln --stats');
    },
  };
}

function reuse(mode: number, name: string, rules: readonly string[], flags: readonly string[]): Scene {
  return {
    name: `life-reuse-${name}-${mode}`,
    about: `A client uses a port again after ${flags.join(', ')}; conn_reuse_mode=${mode}.`,
    rules,
    sysctl: { conn_reuse_mode: mode },
    play: (play) => {
      segment(play, 5000, 'S');
      for (const event of flags) {
        if (event.startsWith('>')) answer(play, 5000, event.slice(1), TWO);
        else segment(play, 5000, event);
      }
      look(play);
      segment(play, 5000, 'S');
      segment(play, 5000, 'A');
      look(play);
      play.at(4000);
      play.run('ipvsadm -Ln --stats');
    },
  };
}

/**
 * A SYN on a finished connection. The old connection ends after the new one is scheduled, so it
 * still counts in the load of its destination.
 */
const restarts: Scene[] = (
  [
    ['least', 'the other destination has less to do', [`-r ${ONE} -g`, `-r ${TWO} -g`]],
    ['full', 'the destination is still at its upper threshold', [`-r ${ONE} -g -x 1`]],
    ['removed', 'there is none; the error still counts for the old one', [`-r ${ONE} -g`]],
  ] as const
).map(([name, what, dests]) => ({
  name: `life-restart-${name}`,
  about: `A SYN on a finished connection: ${what}.`,
  rules: [`-A -t ${VIP}:80 -s lc`, ...dests.map((dest) => `-a -t ${VIP}:80 ${dest}`)],
  play: (play: Play) => {
    for (const flags of ['S', 'A', 'R']) segment(play, 5000, flags);
    if (name === 'removed') play.run(`ipvsadm -e -t ${VIP}:80 -r ${ONE} -g -w 0`);
    segment(play, 5000, 'S');
    look(play);
    segment(play, 5001, 'S');
    segment(play, 5000, 'S');
    look(play);
    play.at(5000);
    play.run('ipvsadm -Ln --stats');
  },
}));

const FINISHED = ['>SA', 'A', 'FA', '>FA', 'A'];
const HALF = ['A', 'FA'];
const RESET = ['A', 'R'];

const reuses: Scene[] = [0, 1, 2, 3].flatMap((mode) => [
  reuse(mode, 'nat', NAT, FINISHED),
  reuse(mode, 'dr-finwait', DR, HALF),
  reuse(mode, 'dr-reset', DR, RESET),
]);

const quiesce: Scene[] = [0, 1].map((expire) => ({
  name: `life-quiesce-${expire}`,
  about: `Weight 0: old connections stay, a SYN on one of them with expire_nodest_conn=${expire}.`,
  rules: DR,
  sysctl: { expire_nodest_conn: expire },
  play: (play: Play) => {
    segment(play, 5000, 'S');
    segment(play, 5000, 'A');
    segment(play, 5001, 'S');
    play.run(`ipvsadm -e -t ${VIP}:80 -r ${TWO} -g -w 0`);
    for (const sport of [5000, 5002, 5003]) segment(play, sport, 'S');
    segment(play, 5000, 'A');
    look(play);
    play.run(`ipvsadm -e -t ${VIP}:80 -r ${ONE} -g -w 0`);
    segment(play, 5010, 'S');
    look(play);
  },
}));

const timeouts: Scene = {
  name: 'life-set-timeouts',
  about: 'ipvsadm --set: taken up by the next packet of a connection.',
  rules: [...DR, `-A -u ${VIP}:53 -s rr`, `-a -u ${VIP}:53 -r ${ONE} -g`],
  play: (play) => {
    segment(play, 5000, 'S');
    segment(play, 5000, 'A');
    datagram(play, 6000);
    play.run('ipvsadm --set 100 50 30');
    play.run('ipvsadm -L --timeout');
    look(play);
    segment(play, 5000, 'A');
    segment(play, 5001, 'S');
    segment(play, 5001, 'A');
    segment(play, 5001, 'FA');
    datagram(play, 6000);
    look(play);
    play.run('ipvsadm --set 0 0 300');
    play.run('ipvsadm -L --timeout');
    datagram(play, 6001);
    look(play);
  },
};

const thresholds: Scene = {
  name: 'life-thresholds',
  about: 'Upper and lower thresholds: full, and open again when enough connections have ended.',
  rules: [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r ${ONE} -g -x 4`, `-a -t ${VIP}:80 -r ${TWO} -g -x 3 -y 1`],
  play: (play) => {
    for (let i = 0; i < 9; i++) segment(play, 5000 + i, 'S');
    look(play);
    play.run('ipvsadm -Ln --thresholds');
    // RST puts them into CLOSE (10 s); behind it they are gone.
    for (const i of [0, 1, 2]) {
      segment(play, 5000 + i, 'A');
      segment(play, 5000 + i, 'R');
    }
    play.at(14_000);
    for (let i = 20; i < 26; i++) segment(play, 5000 + i, 'S');
    look(play);
    play.run(`ipvsadm -e -t ${VIP}:80 -r ${ONE} -g -x 0`);
    for (let i = 30; i < 34; i++) segment(play, 5000 + i, 'S');
    look(play);
  },
};

const onePacket: Scene = {
  name: 'life-one-packet',
  about: 'One-packet scheduling: each datagram is scheduled anew, nothing is remembered; replies are no replies.',
  rules: [`-A -u ${VIP}:53 -s rr -o`, `-a -u ${VIP}:53 -r ${ONE}:5353 -m`, `-a -u ${VIP}:53 -r ${TWO}:5353 -m`],
  play: (play) => {
    for (let i = 0; i < 5; i++) datagram(play, 6000);
    play.from(ONE, (eth) => ip(eth, ONE, CLIENT).udp({ sport: 5353, dport: 6000 }).payload('answer'));
    look(play);
    play.at(4000);
    play.run('ipvsadm -Ln --stats');
  },
};

const service: Scene = {
  name: 'life-service',
  about: 'A service is edited, deleted and made again; its connections and counters.',
  rules: NAT,
  play: (play) => {
    for (const sport of [5000, 5001]) segment(play, sport, 'S');
    play.run(`ipvsadm -E -t ${VIP}:80 -s lc`);
    segment(play, 5000, 'A');
    segment(play, 5002, 'S');
    look(play);
    play.run(`ipvsadm -A -t ${VIP}:81 -s rr`);
    play.run(`ipvsadm -D -t ${VIP}:80`);
    segment(play, 5000, 'A');
    look(play);
    play.run(`ipvsadm -A -t ${VIP}:80 -s rr`);
    play.run(`ipvsadm -a -t ${VIP}:80 -r ${TWO}:8080 -m`);
    for (const sport of [5000, 5001, 5002]) segment(play, sport, 'A');
    look(play);
    play.run('ipvsadm -Z');
    play.at(6000);
    play.run('ipvsadm -Ln --stats');
  },
};

const udp: Scene = {
  name: 'life-udp',
  about: 'UDP through NAT: both directions, 300 s from the last packet, checksum 0 stays 0.',
  rules: [`-A -u ${VIP}:53 -s rr`, `-a -u ${VIP}:53 -r ${ONE}:5353 -m`],
  play: (play) => {
    datagram(play, 6000);
    play.from(ONE, (eth) => ip(eth, ONE, CLIENT).udp({ sport: 5353, dport: 6000 }).payload('answer'));
    play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).udp({ sport: 6001, dport: 53, checksum: 0 }).payload('no sum'));
    play.from(ONE, (eth) => ip(eth, ONE, CLIENT).udp({ sport: 5353, dport: 6001, checksum: 0 }).payload('neither'));
    look(play);
    play.at(200_000);
    datagram(play, 6000);
    play.at(330_000);
    look(play);
    play.at(520_000);
    look(play);
  },
};

export const lifeScenes: Scene[] = [
  ...([0, 1] as const).flatMap((expire) => [removal(expire, 'nat'), removal(expire, 'dr')]),
  ...reuses,
  ...restarts,
  ...quiesce,
  timeouts,
  thresholds,
  onePacket,
  service,
  udp,
];
