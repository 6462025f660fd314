/**
 * Scenes about the persistence engine sip: all packets with one Call-ID go to one destination
 * (ip_vs_pe_sip).
 */
import { body, cut, send } from './pieces.js';
import { headerScenes } from './plays/sip-headers.js';
import { ip, type Play, type Scene, VIP, VIP6 } from './stage.js';

const CLIENT = '10.0.0.1';
const OTHER = '10.0.0.2';
const ONE = '192.168.1.11';
const TWO = '192.168.1.12';
const SIP = 5060;
const NAT = [`-r ${ONE}:${SIP} -m`, `-r ${TWO}:${SIP} -m`];

function service(words: string, dests: readonly string[] = NAT, key = `-u ${VIP}:${SIP}`): string[] {
  return [`-A ${key} -s rr ${words}`, ...dests.map((dest) => `-a ${key} ${dest}`)];
}

export function request(callId: string, method = 'INVITE'): string {
  return `${method} sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1\r\nCall-ID: ${callId}\r\nContent-Length: 0\r\n\r\n`;
}

/** A client asks. */
function ask(
  play: Play,
  callId: string,
  { client = CLIENT, sport = SIP, vip = VIP, dport = SIP, ttl = 64 } = {},
): void {
  play.from(client, (eth) => ip(eth, client, vip, { ttl }).udp({ sport, dport }).payload(request(callId)));
}

/** A real server speaks. */
function speak(
  play: Play,
  callId: string,
  { server = ONE, client = CLIENT, dport = SIP, sport = SIP, ttl = 64 } = {},
): void {
  play.from(server, (eth) =>
    ip(eth, server, client, { ttl }).udp({ sport, dport }).payload(`SIP/2.0 200 OK\r\nCall-ID: ${callId}\r\n\r\n`),
  );
}

function look(play: Play): void {
  play.run('ipvsadm -Lnc --persistent-conn | sort');
  play.run('ipvsadm -Ln');
}

const dialogues: Scene = {
  name: 'sip-dialogues',
  about:
    'Dialogues of two clients: a template for each Call-ID of each client; connections of two-way traffic hang on them.',
  rules: service('-p 50 --pe sip'),
  play: (play) => {
    for (const [i, callId] of ['one@a', 'two@a', 'one@a', 'two@a', 'three'].entries())
      ask(play, callId, { sport: 5060 + i });
    for (const callId of ['one@a', 'two@a']) ask(play, callId, { client: OTHER });
    speak(play, 'one@a', { server: TWO });
    // A connection that is there is used, whatever the Call-ID.
    ask(play, 'four@a');
    look(play);
    play.run('ipvsadm -Lnc | sort');
    play.run('ipvsadm -Ln --persistent-conn');
    play.run('ipvsadm -Sn');
    play.at(6000);
    play.run('ipvsadm -Ln --stats');
  },
};

const onePacket: Scene = {
  name: 'sip-ops',
  about:
    'One-packet scheduling: every packet is asked for its Call-ID, and real servers speak as the VIP without a connection.',
  rules: service('-p 50 --pe sip -o'),
  play: (play) => {
    for (const callId of ['a@x', 'b@x', 'a@x', 'c@x', 'b@x']) ask(play, callId);
    look(play);
    speak(play, 'a@x', { server: TWO });
    speak(play, 'b@x', { server: ONE });
    look(play);
    // The template names the other server; this one takes over.
    speak(play, 'a@x', { server: ONE });
    ask(play, 'a@x');
    // A dialogue that a server begins, and one without a Call-ID.
    speak(play, 'new@x', { server: ONE, dport: 5999 });
    speak(play, '', { server: ONE });
    look(play);
    play.at(6000);
    play.run('ipvsadm -Ln --stats');
  },
};

const masks: Scene[] = ['255.255.255.0', '0.0.0.0'].map((mask, i) => ({
  name: `sip-netmask-${i}`,
  about: `The client's network belongs to the key, too: ${mask}.`,
  rules: service(`-p 50 -M ${mask} --pe sip -o`),
  play: (play: Play) => {
    ask(play, 'roaming');
    ask(play, 'roaming', { client: OTHER });
    ask(play, 'else', { client: OTHER });
    play.from(CLIENT, (eth) => ip(eth, '10.0.7.1', VIP).udp({ sport: SIP, dport: SIP }).payload(request('roaming')));
    look(play);
  },
}));

const marked: Scene = {
  name: 'sip-fwmark',
  about: 'A marked service with the engine: one template for all addresses and ports of the mark.',
  mark: { words: '-d 10.0.0.96/28', nft: 'ip daddr 10.0.0.96/28', mark: 1 },
  rules: service('-p 50 --pe sip', [`-r ${ONE} -m`, `-r ${TWO} -m`], '-f 1'),
  play: (play) => {
    ask(play, 'a');
    ask(play, 'a', { dport: 5062 });
    ask(play, 'b', { dport: 5062, sport: 5061 });
    ask(play, 'a', { vip: '10.0.0.101' });
    speak(play, 'a', { server: TWO });
    look(play);
    play.run('ipvsadm -Sn');
  },
};

const markedBegun: Scene = {
  name: 'sip-fwmark-begun',
  about: 'Real servers of a marked service, which has no address to speak as, begin dialogues.',
  mark: { words: '-d 10.0.0.96/28', nft: 'ip daddr 10.0.0.96/28', mark: 1 },
  rules: service('-p 50 --pe sip -o', NAT, '-f 1'),
  play: (play) => {
    ask(play, 'a');
    speak(play, 'a', { server: TWO });
    speak(play, 'b', { server: ONE });
    ask(play, 'b');
    look(play);
    play.at(6000);
    play.run('ipvsadm -Ln --stats');
  },
};

const segments: Scene = {
  name: 'sip-tcp',
  about: 'The engine reads UDP only: nothing of a TCP service passes.',
  rules: service('-p 50 --pe sip', NAT, `-t ${VIP}:${SIP}`),
  play: (play) => {
    play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).tcp({ sport: 5000, dport: SIP, flags: 'S' }));
    play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).tcp({ sport: 5000, dport: SIP, flags: 'A' }).payload(request('a')));
    look(play);
    play.at(6000);
    play.run('ipvsadm -Ln --stats');
  },
};

const transient: Scene = {
  name: 'sip-transient',
  about: 'Without persistence the engine finds no destinations, but real servers still speak as the VIP.',
  rules: service('--pe sip -o'),
  play: (play) => {
    for (const callId of ['a', 'a', '']) ask(play, callId);
    speak(play, 'a', { server: TWO });
    speak(play, '', { server: ONE });
    speak(play, 'a', { server: ONE, sport: 5061 });
    look(play);
    play.run('ipvsadm -Sn');
    play.at(6000);
    play.run('ipvsadm -Ln --stats');
  },
};

const begun: Scene[] = [0, 1].map((refuse) => ({
  name: `sip-begun-${refuse}`,
  about: `Real servers begin dialogues: the client's answers find them; nat_icmp_send=${refuse}.`,
  sysctl: { nat_icmp_send: refuse },
  rules: service('-p 50 --pe sip'),
  play: (play: Play) => {
    speak(play, 'late', { ttl: 1 });
    speak(play, 'begun', { server: ONE, dport: 5070 });
    speak(play, 'begun', { server: ONE, dport: 5070 });
    ask(play, 'begun', { sport: 5070 });
    ask(play, 'begun', { sport: 5071 });
    look(play);
    speak(play, 'begun', { server: TWO, dport: 5072 });
    speak(play, '', { server: TWO, dport: 5073 });
    speak(play, 'begun', { server: TWO, sport: 5061, dport: 5074 });
    speak(play, 'begun', { server: TWO, client: '10.0.0.254' });
    play.from(TWO, (eth) =>
      ip(eth, TWO, CLIENT, { df: true }).udp({ sport: SIP, dport: 5075 }).payload(request('long').padEnd(1472, 'x')),
    );
    look(play);
    play.at(6000);
    play.run('ipvsadm -Ln --stats');
  },
}));

const anyPort: Scene = {
  name: 'sip-port0',
  about:
    'Port 0: a template for all ports; real servers begin dialogues from a port of their own and from the one they are listed with.',
  rules: service('-p 50 --pe sip -o', [`-r ${ONE} -m`, `-r ${TWO}:${SIP} -m`], `-u ${VIP}:0`),
  play: (play) => {
    ask(play, 'a');
    ask(play, 'a', { dport: 5062 });
    ask(play, 'b', { dport: 5062 });
    speak(play, 'a', { server: TWO });
    speak(play, 'b', { server: ONE });
    speak(play, 'c', { server: TWO });
    look(play);
  },
};

const direct: Scene = {
  name: 'sip-dr',
  about: 'Gatewaying: the engine finds destinations; real servers answer by themselves.',
  rules: service('-p 50 --pe sip -o', [`-r ${ONE} -g`, `-r ${TWO} -i`]),
  play: (play) => {
    for (const callId of ['a', 'b', 'a', 'b']) ask(play, callId);
    speak(play, 'a');
    look(play);
  },
};

const edited: Scene = {
  name: 'sip-edited',
  about: 'The engine is taken away and given back: templates of either kind are found by their own kind only.',
  rules: service('-p 50 --pe sip -o'),
  play: (play) => {
    ask(play, 'a');
    play.run(`ipvsadm -E -u ${VIP}:${SIP} -s rr -p 50 -o`);
    ask(play, 'a');
    ask(play, 'b');
    speak(play, 'a', { server: TWO });
    look(play);
    play.run(`ipvsadm -E -u ${VIP}:${SIP} -s rr -p 50 -o --pe nonsense 2>&1; echo rc=$?`);
    play.run(`ipvsadm -E -u ${VIP}:${SIP} -s rr -p 50 -o --pe sip`);
    ask(play, 'a');
    ask(play, 'b');
    look(play);
  },
};

const quiesced: Scene = {
  name: 'sip-quiesced',
  about: "The template's destination is quiesced, then removed; expire_quiescent_template=1.",
  sysctl: { expire_quiescent_template: 1 },
  rules: service('-p 50 --pe sip -o'),
  play: (play) => {
    for (const callId of ['a', 'b']) ask(play, callId);
    play.run(`ipvsadm -e -u ${VIP}:${SIP} -r ${TWO}:${SIP} -m -w 0`);
    ask(play, 'a');
    look(play);
    play.run(`ipvsadm -d -u ${VIP}:${SIP} -r ${ONE}:${SIP}`);
    for (const callId of ['a', 'b']) ask(play, callId);
    speak(play, 'a');
    look(play);
  },
};

const ends: Scene = {
  name: 'sip-ends',
  about: 'The end of templates, with one-packet connections that never keep them.',
  rules: service('-p 12 --pe sip -o'),
  play: (play) => {
    ask(play, 'a');
    play.at(8000);
    ask(play, 'b');
    speak(play, 'a', { server: TWO });
    play.at(15_000);
    look(play);
    ask(play, 'c');
    ask(play, 'b');
    ask(play, 'd');
    play.at(24_000);
    look(play);
    play.at(45_000);
    look(play);
  },
};

const six: Scene = {
  name: 'sip6',
  about: 'IPv6: by Call-ID and /64; real servers begin dialogues.',
  six: true,
  rules: [
    `-A -u [${VIP6}]:${SIP} -s rr -p 50 -M 64 --pe sip -o`,
    `-a -u [${VIP6}]:${SIP} -r [2001:db8:1::11]:${SIP} -m`,
    `-a -u [${VIP6}]:${SIP} -r [2001:db8:1::12]:${SIP} -m`,
  ],
  play: (play) => {
    ask(play, 'a', { client: '2001:db8::1', vip: VIP6 });
    ask(play, 'a', { client: '2001:db8::3', vip: VIP6 });
    ask(play, 'b', { client: '2001:db8::3', vip: VIP6 });
    speak(play, 'a', { server: '2001:db8:1::12', client: '2001:db8::1' });
    speak(play, 'c', { server: '2001:db8:1::12', client: '2001:db8::1', dport: 5070 });
    ask(play, 'c', { client: '2001:db8::1', vip: VIP6, sport: 5070 });
    look(play);
  },
};

const pieces: Scene = {
  name: 'sip-fragments',
  about: 'The Call-ID is in the second fragment.',
  rules: service('-p 50 --pe sip -o'),
  play: (play) => {
    const text = `INVITE sip:bob SIP/2.0\r\nSubject: ${'s'.repeat(1600)}\r\nCall-ID: far@away\r\n\r\n`;
    const whole = body(CLIENT, VIP, (at) => at.udp({ sport: SIP, dport: SIP }).payload(text));
    const datagram = { host: CLIENT, src: CLIENT, dst: VIP, protocol: 17, body: whole };
    ask(play, 'near');
    for (const id of [700, 701]) {
      send(play, { ...datagram, id }, cut({ ...datagram, id }, 1480));
      ask(play, id === 700 ? 'far@away' : 'near');
    }
    look(play);
  },
};

const quoted: Scene = {
  name: 'sip-icmp',
  about: 'schedule_icmp: an error has no Call-ID, and opens nothing.',
  sysctl: { schedule_icmp: 1 },
  rules: service('-p 50 --pe sip'),
  play: (play) => {
    for (const type of [3, 11])
      play.from(CLIENT, (eth) =>
        ip(eth, CLIENT, VIP)
          .icmp({ type, code: type === 3 ? 3 : 0 })
          .ipv4({ src: VIP, dst: CLIENT })
          .udp({ sport: SIP, dport: SIP })
          .payload(request('a')),
      );
    ask(play, 'a');
    look(play);
  },
};

export const sipScenes: Scene[] = [
  dialogues,
  onePacket,
  ...headerScenes,
  ...masks,
  marked,
  markedBegun,
  segments,
  transient,
  ...begun,
  anyPort,
  direct,
  edited,
  quiesced,
  ends,
  six,
  pieces,
  quoted,
];
