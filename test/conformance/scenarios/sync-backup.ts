/**
 * Scenes about a backup of connection synchronisation (docs/ipvs-reference.md section 18): which
 * messages it takes, what becomes of the connections, and what their packets do afterwards.
 */
import { parse4, parse6 } from '../../../src/wire/address.js';
import { SyncConn, SyncFlag } from '../../../src/wire/sync.js';
import { encodeMessage } from '../../../src/wire/sync-message.js';
import { datagram, segment } from './life.js';
import { request } from './sip.js';
import { ip, type Play, type Scene, VIP, VIP6 } from './stage.js';
import { DR, MASTER, NAT } from './sync.js';

const CLIENT = '10.0.0.1';
const PEER = '10.0.0.2';
const ONE = '192.168.1.11';
const TWO = '192.168.1.12';
const SIX = '2001:db8:1::11';
const CLIENT6 = '2001:db8::1';
const GROUP = '224.0.0.81';
const PORT = 8848;
const SYNCID = 7;
const BACKUP = `ipvsadm --start-daemon backup --mcast-interface eth0 --syncid ${SYNCID}`;
const MASQ = 0;
const DROUTE = 3;
const TCP = 6;
const UDP = 17;
const SCTP = 132;
const ESTABLISHED = 1;
const TIME_WAIT = 5;

interface Words {
  readonly protocol?: number;
  readonly flags?: number;
  readonly state?: number;
  readonly client?: string;
  readonly virtual?: string;
  readonly dest?: string;
  readonly ports?: readonly [number, number, number];
  readonly fwmark?: number;
  readonly timeout?: number;
  readonly sequences?: readonly number[];
  readonly callId?: string;
}

export function conn(words: Words): SyncConn {
  const { client = CLIENT, virtual = VIP, dest = ONE, ports = [5000, 80, 8080], sequences, callId } = words;
  const made = new SyncConn();
  made.family = client.includes(':') ? 6 : 4;
  made.protocol = words.protocol ?? TCP;
  made.flags = words.flags ?? MASQ;
  made.state = words.state ?? ESTABLISHED;
  [made.cport, made.vport, made.dport] = ports;
  made.fwmark = words.fwmark ?? 0;
  made.timeout = words.timeout ?? 500;
  for (const [text, to] of [
    [client, made.caddr],
    [virtual, made.vaddr],
    [dest, made.daddr],
  ] as const) {
    if (text.includes(':')) to.set(parse6(text)!);
    else to[3] = parse4(text)!;
  }
  if (sequences !== undefined) {
    made.hasSequences = true;
    made.sequences.set(sequences);
  }
  if (callId !== undefined) {
    made.peBytes = new TextEncoder().encode(callId);
    made.peLength = made.peBytes.length;
    made.peName = 'sip';
  }
  return made;
}

function send(play: Play, conns: readonly SyncConn[], syncid = SYNCID): void {
  play.cast(PEER, GROUP, PORT, encodeMessage(syncid, conns));
}

function look(play: Play): void {
  play.run('ipvsadm -Lnc --persistent-conn | sort');
  play.run('ipvsadm -Ln');
}

const NOOUT = SyncFlag.noOutput;
const INACTIVE = SyncFlag.inactive;
const TEMPLATE = SyncFlag.template;

const nat: Scene = {
  name: 'sync-backup-nat',
  about: 'A backup takes connections of masq, and goes on with them.',
  rules: [...NAT, `-A -u ${VIP}:53 -s rr`, `-a -u ${VIP}:53 -r ${ONE} -m`],
  play: (play) => {
    play.run(BACKUP);
    play.at(500);
    send(play, [
      conn({}),
      conn({ ports: [5001, 80, 8080], dest: TWO, state: TIME_WAIT, flags: INACTIVE, timeout: 100 }),
      conn({ protocol: UDP, ports: [6000, 53, 53], state: 0, timeout: 0, flags: INACTIVE }),
      conn({ ports: [5002, 80, 8080], timeout: 0 }),
    ]);
    look(play);
    segment(play, 5000, 'PA');
    play.from(ONE, (eth) => ip(eth, ONE, CLIENT).tcp({ sport: 8080, dport: 5000, flags: 'A', seq: 6 }));
    datagram(play, 6000);
    segment(play, 5002, 'FA');
    segment(play, 5003, 'S');
    look(play);
    play.at(4000);
    play.run('ipvsadm -Ln --stats');
  },
};

const methods: Scene = {
  name: 'sync-backup-methods',
  about: 'A connection takes the forwarding method of the destination, not that of the message.',
  rules: [...DR, `-A -t ${VIP}:81 -s rr`, `-a -t ${VIP}:81 -r ${TWO} -i`],
  play: (play) => {
    play.run(BACKUP);
    play.at(500);
    send(play, [
      conn({ ports: [5000, 80, 80], flags: MASQ }),
      conn({ ports: [5001, 81, 81], dest: TWO, flags: DROUTE | NOOUT }),
      conn({ ports: [5002, 80, 80], flags: DROUTE | NOOUT | INACTIVE }),
    ]);
    look(play);
    segment(play, 5000, 'A');
    segment(play, 5001, 'A', 81);
    segment(play, 5002, 'A');
    look(play);
  },
};

const six: Scene = {
  name: 'sync-backup-ipv6',
  about: 'IPv6 connections, by an IPv6 group.',
  six: true,
  rules: [`-A -t [${VIP6}]:80 -s rr`, `-a -t [${VIP6}]:80 -r [${SIX}]:8080 -m`],
  play: (play) => {
    play.run(`${BACKUP} --mcast-group ff02::51`);
    play.at(500);
    play.cast(
      '2001:db8::3',
      'ff02::51',
      PORT,
      encodeMessage(SYNCID, [conn({ client: CLIENT6, virtual: VIP6, dest: SIX }), conn({ ports: [5001, 80, 8080] })]),
    );
    look(play);
    play.from(CLIENT6, (eth) => ip(eth, CLIENT6, VIP6).tcp({ sport: 5000, dport: 80, flags: 'A', seq: 5 }));
    look(play);
  },
};

const updates: Scene = {
  name: 'sync-backup-updates',
  about:
    'A second message changes state, activity and timeout; another destination replaces the connection, unless it is inactive.',
  rules: NAT,
  play: (play) => {
    play.run(BACKUP);
    play.at(500);
    send(play, [conn({}), conn({ ports: [5001, 80, 8080] }), conn({ ports: [5002, 80, 8080] })]);
    look(play);
    send(play, [
      conn({ state: TIME_WAIT, flags: INACTIVE, timeout: 60 }),
      conn({ ports: [5001, 80, 8080], dest: TWO, timeout: 300 }),
      conn({ ports: [5002, 80, 8080], dest: TWO, flags: INACTIVE, state: TIME_WAIT, timeout: 50 }),
    ]);
    look(play);
    segment(play, 5001, 'A');
    send(play, [conn({ timeout: 700 })]);
    look(play);
  },
};

const unbound: Scene = {
  name: 'sync-backup-unbound',
  about:
    'The destination, or the whole service, is not there yet: the connection works all the same, and a later message binds it.',
  rules: [`-A -t ${VIP}:80 -s rr`],
  play: (play) => {
    play.run(BACKUP);
    play.at(500);
    const both = [conn({ ports: [5000, 80, 8080] }), conn({ ports: [5001, 81, 81], dest: TWO, flags: DROUTE | NOOUT })];
    send(play, both);
    look(play);
    segment(play, 5000, 'A');
    play.from(ONE, (eth) => ip(eth, ONE, CLIENT).tcp({ sport: 8080, dport: 5000, flags: 'A', seq: 6 }));
    segment(play, 5001, 'A', 81);
    play.run(`ipvsadm -a -t ${VIP}:80 -r ${ONE}:8080 -m`);
    play.run(`ipvsadm -A -t ${VIP}:81 -s rr`);
    play.run(`ipvsadm -a -t ${VIP}:81 -r ${TWO} -g`);
    segment(play, 5000, 'A');
    look(play);
    send(play, both);
    segment(play, 5000, 'A');
    segment(play, 5001, 'A', 81);
    look(play);
    segment(play, 5000, 'FA');
    look(play);
  },
};

const templates: Scene = {
  name: 'sync-backup-templates',
  about: 'A template that came by a message decides about new connections.',
  rules: [
    `-A -t ${VIP}:80 -s rr -p 50`,
    `-a -t ${VIP}:80 -r ${ONE} -g`,
    `-a -t ${VIP}:80 -r ${TWO} -g`,
    `-A -t ${VIP}:0 -s rr -p 60`,
    `-a -t ${VIP}:0 -r ${ONE} -g`,
    `-a -t ${VIP}:0 -r ${TWO} -g`,
    '-A -f 7 -s rr -p 50',
    `-a -f 7 -r ${ONE} -g`,
  ],
  play: (play) => {
    play.run(BACKUP);
    play.at(500);
    const flags = TEMPLATE | DROUTE | NOOUT | INACTIVE;
    send(play, [
      conn({ flags, state: 1, ports: [0, 80, 80], dest: TWO, timeout: 50 }),
      conn({ flags, state: 0, ports: [0, 0, 0], dest: TWO, timeout: 60 }),
      conn({ flags, state: 0, ports: [0, 0, 0], dest: ONE, timeout: 50, protocol: 0, virtual: '0.0.0.7', fwmark: 7 }),
      conn({ flags, state: 0, ports: [0, 80, 80], client: '10.0.0.3', timeout: 0, dest: '192.168.1.77' }),
    ]);
    look(play);
    for (const [i, port] of [80, 80, 443].entries()) segment(play, 5000 + i, 'S', port);
    segment(play, 5100, 'S', 80, '10.0.0.3');
    look(play);
  },
};

const sip: Scene = {
  name: 'sync-backup-sip',
  about: 'Templates with a Call-ID; one of an engine that is not there.',
  rules: [`-A -u ${VIP}:5060 -s rr -p 50 --pe sip`, `-a -u ${VIP}:5060 -r ${ONE} -m`, `-a -u ${VIP}:5060 -r ${TWO} -m`],
  play: (play) => {
    play.run(BACKUP);
    play.at(500);
    const flags = TEMPLATE | MASQ | INACTIVE;
    const words = { flags, protocol: UDP, state: 0, ports: [0, 5060, 5060] as const, timeout: 50 };
    const other = conn({ ...words, callId: 'x@y' });
    other.peName = 'nope';
    send(play, [
      conn({ ...words, callId: 'one@a', dest: TWO }),
      other,
      conn({ ...words, callId: 'two@a', dest: TWO }),
      conn({ ...words, callId: 'one@a', dest: TWO, timeout: 70 }),
    ]);
    look(play);
    for (const [i, id] of ['two@a', 'one@a', 'three'].entries())
      play.from(CLIENT, (eth) =>
        ip(eth, CLIENT, VIP)
          .udp({ sport: 5060 + i, dport: 5060 })
          .payload(request(id)),
      );
    look(play);
  },
};

/** The message of one connection with its bytes changed. */
function broken(change: (bytes: Uint8Array) => Uint8Array | undefined, port: number): Uint8Array {
  const bytes = encodeMessage(SYNCID, [conn({ ports: [port, 80, 8080] }), conn({ ports: [port + 500, 80, 8080] })]);
  return change(bytes) ?? bytes;
}
const set = (at: number, value: number) => (bytes: Uint8Array) => {
  bytes[at] = value;
  return undefined;
};
/** The first connection with options; the length of the message stays right. */
const withOptions =
  (...options: number[]) =>
  (bytes: Uint8Array) => {
    const padded = (options.length + 3) & ~3;
    const longer = new Uint8Array(bytes.length + padded);
    longer.set(bytes.subarray(0, 44));
    longer.set(options, 44);
    longer.set(bytes.subarray(44), 44 + padded);
    longer[3] = longer.length;
    longer[11] = 36 + options.length;
    return longer;
  };

const malformed: Scene = {
  name: 'sync-backup-malformed',
  about: 'Malformed messages: nothing, a part or all of the message is taken.',
  rules: NAT,
  play: (play) => {
    play.run(BACKUP);
    play.at(500);
    const seq = [1, 24, ...new Array(24).fill(1)];
    const cases = [
      set(3, 79),
      (bytes: Uint8Array) => bytes.subarray(0, 3),
      (bytes: Uint8Array) => bytes.subarray(0, 79),
      set(1, SYNCID + 1),
      set(4, 1),
      set(4, 3),
      set(5, 2),
      set(7, 1),
      set(8, 2),
      set(8, 1),
      set(9, 99),
      set(9, 50),
      set(10, 0x10),
      set(11, 35),
      set(11, 72),
      set(11, 73),
      set(17, 11),
      set(17, 10),
      set(16, 1),
      withOptions(0x45, 2, 1, 1),
      withOptions(5, 2, 1, 1),
      withOptions(0x45, 0, 1, 1),
      withOptions(0x45),
      withOptions(...seq),
      withOptions(...seq, ...seq),
      withOptions(1, 23, ...new Array(23).fill(1)),
      withOptions(2, 1, 65),
      withOptions(3, 3, 115, 105, 112),
      withOptions(2, 1, 65, 3, 3, 120, 120, 120),
      withOptions(2, 1, 65, 2, 1, 65, 3, 3, 115, 105, 112),
      withOptions(3, 17, ...new Array(17).fill(65)),
    ];
    for (const [i, change] of cases.entries()) play.cast(PEER, GROUP, PORT, broken(change, 10_000 + i));
    play.run('ipvsadm -Lnc | sort');
  },
};

const only: Scene = {
  name: 'sync-backup-only',
  about: 'backup_only=1: a backup takes messages and leaves packets to its host; without the daemon it balances.',
  rules: [...NAT, `-A -u ${VIP}:53 -s rr`, `-a -u ${VIP}:53 -r ${ONE} -m`],
  sysctl: { backup_only: 1 },
  play: (play) => {
    segment(play, 4000, 'S');
    play.run(BACKUP);
    play.at(500);
    send(play, [conn({})]);
    segment(play, 4000, 'A');
    segment(play, 5000, 'A');
    segment(play, 5001, 'S');
    play.from(ONE, (eth) => ip(eth, ONE, CLIENT).tcp({ sport: 8080, dport: 5000, flags: 'A', seq: 6 }));
    play.run('ipvsadm -Lnc | sort');
    play.run('ipvsadm --stop-daemon backup');
    segment(play, 5000, 'A');
    segment(play, 5001, 'S');
    play.run('ipvsadm -Lnc | sort');
  },
};

/** Connections of a message are told on when the director is a master too, once their packets come. */
const both: Scene = {
  name: 'sync-both',
  about: 'Master and backup at once: a connection of a message is sent on with its own packets.',
  rules: [...NAT, `-A -t ${VIP}:443 -s rr -p 50`, `-a -t ${VIP}:443 -r ${ONE} -g`],
  play: (play) => {
    play.run(BACKUP);
    play.run(MASTER);
    play.run('ipvsadm -L --daemon');
    play.at(1800);
    const flags = TEMPLATE | DROUTE | NOOUT | INACTIVE;
    send(play, [conn({}), conn({ ports: [0, 443, 443], flags, state: 1, timeout: 50 })]);
    for (let i = 0; i < 50; i++) segment(play, 5000, 'PA');
    play.at(6300);
    segment(play, 5000, 'FA');
    segment(play, 5001, 'S', 443);
    look(play);
    play.end(11_000);
  },
};

const origin: Scene = {
  name: 'sync-backup-origin',
  about: '/proc/net/ip_vs_conn_sync tells which connections came by a message.',
  rules: NAT,
  play: (play) => {
    play.run(BACKUP);
    play.at(500);
    send(play, [conn({})]);
    segment(play, 5001, 'S');
    play.run('ipvsadm -Lnc | sort; cat /proc/net/ip_vs_conn_sync | sort');
  },
};

const sctp: Scene = {
  name: 'sync-backup-sctp',
  about: 'SCTP and UDP, with and without a timeout in the message.',
  rules: [`-A --sctp-service ${VIP}:90 -s rr`, `-a --sctp-service ${VIP}:90 -r ${ONE}:90 -m`],
  play: (play) => {
    play.run(BACKUP);
    play.at(500);
    send(play, [
      conn({ protocol: SCTP, state: 8, ports: [5000, 90, 90] }),
      conn({ protocol: SCTP, state: 9, ports: [5001, 90, 90], timeout: 0, flags: INACTIVE }),
      conn({ protocol: SCTP, state: 13, ports: [5002, 90, 90], timeout: 0, flags: INACTIVE }),
    ]);
    look(play);
  },
};

export const backupScenes: readonly Scene[] = [
  nat,
  methods,
  six,
  updates,
  unbound,
  templates,
  sip,
  malformed,
  only,
  both,
  origin,
  sctp,
];
