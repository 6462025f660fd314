/**
 * Scenes about a master of connection synchronisation (docs/ipvs-reference.md section 18): which
 * packets cause a message, what it holds, when it leaves.
 *
 *     0 s  daemon starts       n.5 s  packets        (n + 3).0 s  their message leaves
 *
 * The daemon looks at its buffer once a second and sends it when it is 2 s old. Packets come in the
 * middle of a second, so that the recording does not depend on when exactly the daemon began.
 */

import { datagram, look, segment } from './life.js';
import { Talk } from './plays/ftp-talk.js';
import { request } from './sip.js';
import { ip, type Play, type Scene, VIP, VIP6 } from './stage.js';

const CLIENT = '10.0.0.1';
const OTHER = '10.0.0.2';
const CLIENT6 = '2001:db8::1';
const ONE = '192.168.1.11';
const TWO = '192.168.1.12';
const SIX = '2001:db8:1::11';
export const MASTER = 'ipvsadm --start-daemon master --mcast-interface eth0 --syncid 7';
const DAEMONS = 'ipvsadm -L --daemon';

export const NAT = [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r ${ONE}:8080 -m`, `-a -t ${VIP}:80 -r ${TWO}:8080 -m`];
export const DR = [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r ${ONE} -g`, `-a -t ${VIP}:80 -r ${TWO} -g`];
const TUN = [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r ${ONE} -i`];
const DNS = [`-A -u ${VIP}:53 -s rr`, `-a -u ${VIP}:53 -r ${ONE} -m`];

function reply(play: Play, sport: number, flags: string, server = ONE): void {
  play.from(server, (eth) => ip(eth, server, CLIENT).tcp({ sport: 8080, dport: sport, flags, seq: 6 }));
}

/** A TCP connection: open, `data` segments, and the states until its end. */
function talk(play: Play, sport: number, { nat = false, data = 4, server = TWO } = {}): void {
  segment(play, sport, 'S');
  if (nat) reply(play, sport, 'SA', server);
  segment(play, sport, 'A');
  for (let i = 0; i < data; i++) segment(play, sport, 'PA');
}

function methods(): Scene[] {
  return (
    [
      ['nat', NAT],
      ['dr', DR],
      ['tun', TUN],
    ] as const
  ).map(([name, rules]) => ({
    name: `sync-master-${name}`,
    about: `A master tells of TCP connections: on the third packet, and when they end; ${name}.`,
    rules,
    play: (play: Play) => {
      play.run(MASTER);
      play.run(DAEMONS);
      play.at(1500);
      talk(play, 5000, { nat: name === 'nat' });
      play.at(5500);
      segment(play, 5000, 'FA');
      if (name === 'nat') reply(play, 5000, 'FA', TWO);
      segment(play, 5000, 'A');
      play.at(9500);
      segment(play, 5001, 'S');
      segment(play, 5001, 'R');
      segment(play, 5002, 'S');
      segment(play, 5002, 'A');
      segment(play, 5002, 'R');
      look(play);
      play.end(14_000);
    },
  }));
}

function thresholds(): Scene[] {
  return (
    [
      [1, 4],
      [0, 3],
      [2, 0],
      [0, 0],
    ] as const
  ).map(([threshold, period]) => ({
    name: `sync-threshold-${threshold}-${period}`,
    about: `sync_threshold=${threshold} ${period}: TCP and UDP.`,
    rules: [...DR, ...DNS],
    sysctl: { sync_threshold: threshold, sync_period: period },
    play: (play: Play) => {
      play.run(MASTER);
      play.at(1500);
      talk(play, 5000, { data: 7 });
      for (let i = 0; i < 9; i++) datagram(play, 6000);
      play.at(5500);
      segment(play, 5000, 'FA');
      segment(play, 5000, 'A');
      play.end(9_000);
    },
  }));
}

function refreshes(): Scene[] {
  return (
    [
      [9, 0, 50],
      [19, 2, 0],
    ] as const
  ).map(([refresh, retries, period]) => ({
    name: `sync-refresh-${refresh}-${retries}`,
    about: `sync_refresh_period=${refresh}, sync_retries=${retries}, period ${period}: what a moved timer causes.`,
    rules: [...DR, ...DNS, `-A -t ${VIP}:443 -s rr -p 50`, `-a -t ${VIP}:443 -r ${ONE} -g`],
    sysctl: { sync_refresh_period: refresh, sync_retries: retries, sync_period: period },
    play: (play: Play) => {
      play.run(MASTER);
      for (let s = 0; s < 24; s++) {
        // No two packets are a whole number of periods apart.
        play.at(1500 + s * 1000 + (s % 2) * 100);
        segment(play, 5000, s === 0 ? 'S' : 'A');
        datagram(play, 6000);
        segment(play, 7000, s === 0 ? 'S' : 'A', 443);
      }
      play.end(29_000);
    },
  }));
}

const six: Scene = {
  name: 'sync-ipv6',
  about: 'Connections of both families in the messages of an IPv6 group.',
  six: true,
  rules: [...NAT, `-A -t [${VIP6}]:80 -s rr`, `-a -t [${VIP6}]:80 -r [${SIX}]:8080 -m`],
  play: (play) => {
    play.run(`${MASTER} --mcast-group ff02::51 --mcast-port 9000 --mcast-ttl 5`);
    play.run(DAEMONS);
    play.at(1500);
    for (const flags of ['S', 'A', 'PA', 'PA']) {
      play.from(CLIENT6, (eth) => ip(eth, CLIENT6, VIP6).tcp({ sport: 5000, dport: 80, flags, seq: 5 }));
      segment(play, 5000, flags);
    }
    play.end(5_000);
  },
};

function persistence(): Scene[] {
  return [0, 1].map((mode) => ({
    name: `sync-persist-${mode}`,
    about: `Templates and their connections; sync_persist_mode=${mode}.`,
    rules: [
      `-A -t ${VIP}:80 -s rr -p 50`,
      `-a -t ${VIP}:80 -r ${ONE} -g`,
      `-A -t ${VIP}:0 -s rr -p 60`,
      `-a -t ${VIP}:0 -r ${TWO} -g`,
    ],
    sysctl: { sync_persist_mode: mode },
    play: (play: Play) => {
      play.run(MASTER);
      play.at(1500);
      for (const [i, port] of [80, 443].entries())
        for (const flags of ['S', 'A', 'PA', 'PA']) segment(play, 5000 + i, flags, port);
      play.at(5500);
      segment(play, 5000, 'FA');
      segment(play, 5100, 'S', 80, OTHER);
      play.end(10_000);
    },
  }));
}

/** The timer of a template ends while it has a connection: it is postponed, and sent. */
const postponed: Scene = {
  name: 'sync-template-postponed',
  about: 'A template whose time has passed is sent when it is postponed for its connection.',
  rules: [`-A -t ${VIP}:80 -s rr -p 20`, `-a -t ${VIP}:80 -r ${ONE} -g`],
  play: (play) => {
    play.run(MASTER);
    play.at(1500);
    for (const flags of ['S', 'A', 'PA']) segment(play, 5000, flags);
    play.end(34_000);
  },
};

const marked: Scene = {
  name: 'sync-fwmark',
  about: 'The mark is in the messages, and is the virtual address of a template.',
  rules: ['-A -f 7 -s rr -p 50', `-a -f 7 -r ${ONE} -g`],
  mark: { words: `-d ${VIP}/32 -p tcp --dport 80`, nft: `ip daddr ${VIP} tcp dport 80`, mark: 7, besideVip: true },
  play: (play) => {
    play.run(MASTER);
    play.at(1500);
    for (const flags of ['S', 'A', 'PA', 'PA']) segment(play, 5000, flags);
    play.end(5_000);
  },
};

const sip: Scene = {
  name: 'sync-sip',
  about: 'The Call-ID of a template is in the messages, with the name of its engine.',
  rules: [`-A -u ${VIP}:5060 -s rr -p 50 --pe sip`, `-a -u ${VIP}:5060 -r ${ONE} -m`, `-a -u ${VIP}:5060 -r ${TWO} -m`],
  play: (play) => {
    play.run(MASTER);
    play.at(1500);
    for (const [i, id] of ['one@a', 'two@ab', 'one@a'].entries())
      for (let n = 0; n < 4; n++)
        play.from(CLIENT, (eth) =>
          ip(eth, CLIENT, VIP)
            .udp({ sport: 5060 + i, dport: 5060 })
            .payload(request(id)),
        );
    play.end(5_000);
  },
};

const ftp: Scene = {
  name: 'sync-ftp',
  about: 'A control connection of FTP whose answers grow, and its data connection.',
  ftpHelper: 'loaded',
  rules: [`-A -t ${VIP}:21 -s rr`, `-a -t ${VIP}:21 -r ${ONE}:21 -m`],
  play: (play) => {
    play.run(MASTER);
    play.at(1500);
    const control = new Talk(play, { client: CLIENT, vip: VIP, server: ONE }, 4000).open();
    control.answer('220 ready\r\n');
    control.say('USER x\r\n');
    control.say('PASV\r\n');
    control.answer('227 Entering Passive Mode (192,168,1,11,117,49).\r\n', -2);
    control.passive(5000, 30001);
    control.say('RETR f\r\n');
    play.end(6_000);
  },
};

const onePacket: Scene = {
  name: 'sync-one-packet',
  about: 'One-packet connections are not sent; the template of one is.',
  rules: [
    `-A -u ${VIP}:53 -s rr -o`,
    `-a -u ${VIP}:53 -r ${ONE} -m`,
    `-A -u ${VIP}:54 -s rr -o -p 50`,
    `-a -u ${VIP}:54 -r ${ONE} -m`,
  ],
  play: (play) => {
    play.run(MASTER);
    play.at(1500);
    for (let i = 0; i < 6; i++) {
      datagram(play, 6000);
      datagram(play, 6001, 54);
    }
    play.end(5_000);
  },
};

const lengths: Scene = {
  name: 'sync-maxlen',
  about: 'A message of 120 bytes holds three connections; the full ones leave at once.',
  rules: DR,
  play: (play) => {
    play.run(`${MASTER} --sync-maxlen 120`);
    play.run(DAEMONS);
    play.at(1500);
    for (let i = 0; i < 7; i++) {
      talk(play, 5000 + i, { data: 1 });
      play.after(100);
    }
    play.end(6_000);
  },
};

const version0: Scene = {
  name: 'sync-version-0',
  about: 'sync_version=0: the old messages.',
  rules: [...NAT, `-A -t ${VIP}:443 -s rr -p 50`, `-a -t ${VIP}:443 -r ${ONE} -g`],
  sysctl: { sync_version: 0 },
  play: (play) => {
    play.run(MASTER);
    play.at(1500);
    talk(play, 5000, { nat: true });
    for (const flags of ['S', 'A', 'PA', 'PA', 'FA']) segment(play, 7000, flags, 443);
    play.end(5_000);
  },
};

const init = { type: 1, data: new Uint8Array(16) };
const sctp: Scene = {
  name: 'sync-sctp',
  about: 'The states of an SCTP association.',
  rules: [`-A --sctp-service ${VIP}:90 -s rr`, `-a --sctp-service ${VIP}:90 -r ${ONE}:90 -m`],
  play: (play) => {
    const ask = (type: number, data = new Uint8Array(4)) =>
      play.from(CLIENT, (eth) =>
        ip(eth, CLIENT, VIP).sctp({ sport: 5000, dport: 90, chunks: [{ type, value: data }] }),
      );
    const tell = (type: number, data = new Uint8Array(4)) =>
      play.from(ONE, (eth) => ip(eth, ONE, CLIENT).sctp({ sport: 90, dport: 5000, chunks: [{ type, value: data }] }));
    play.run(MASTER);
    play.at(1500);
    ask(init.type, init.data);
    tell(2, init.data);
    ask(10);
    tell(11);
    for (let i = 0; i < 4; i++) ask(0, new Uint8Array(16));
    play.at(5500);
    ask(7);
    tell(8);
    ask(14);
    look(play);
    play.end(10_000);
  },
};

const daemons: Scene = {
  name: 'sync-daemons',
  about: 'Daemons start and stop: listings, refusals, defaults.',
  rules: DR,
  play: (play) => {
    for (const cmd of [
      `${DAEMONS}; echo rc=$?`,
      'ipvsadm --stop-daemon master 2>&1; echo rc=$?',
      'ipvsadm --start-daemon master --mcast-interface nope 2>&1; echo rc=$?',
      `ipvsadm --start-daemon master 2>&1; echo rc=$?; ${DAEMONS}`,
      `ipvsadm --start-daemon master --mcast-interface eth1 --syncid 9 2>&1; echo rc=$?; ${DAEMONS}`,
      `ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 3 --mcast-group 239.1.2.3 --mcast-port 1234 --mcast-ttl 9 --sync-maxlen 100; ${DAEMONS}`,
      `ipvsadm --stop-daemon master; ${DAEMONS}`,
      `ipvsadm --stop-daemon backup --syncid 3; ${DAEMONS}`,
      'ipvsadm --stop-daemon backup 2>&1; echo rc=$?',
      `ipvsadm --start-daemon backup --mcast-interface eth0; ${DAEMONS}`,
    ])
      play.run(cmd);
  },
};

/** What was there before the daemon started is sent when its packets come. */
const late: Scene = {
  name: 'sync-late-start',
  about: 'The daemon starts after the connections; it stops, and starts again.',
  rules: [...NAT, ...DNS],
  play: (play) => {
    talk(play, 5000, { nat: true, data: 0 });
    talk(play, 5001, { nat: true, data: 4, server: ONE });
    play.at(1000);
    play.run(MASTER);
    play.at(2500);
    for (const sport of [5000, 5001]) for (let i = 0; i < 3; i++) segment(play, sport, 'PA');
    for (const sport of [5000, 5001]) segment(play, sport, 'FA');
    play.at(6500);
    play.run('ipvsadm --stop-daemon master');
    play.run(MASTER);
    play.at(8300);
    for (const sport of [5000, 5001]) reply(play, sport, 'FA', sport === 5000 ? TWO : ONE);
    for (const sport of [5000, 5001]) segment(play, sport, 'A');
    play.end(12_000);
  },
};

export const syncScenes: readonly Scene[] = [
  ...methods(),
  ...thresholds(),
  ...refreshes(),
  six,
  ...persistence(),
  postponed,
  marked,
  sip,
  ftp,
  onePacket,
  lengths,
  version0,
  sctp,
  daemons,
  late,
];
