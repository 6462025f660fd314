/**
 * Scenes about the FTP helper: rewritten addresses, expected connections, sequence numbers
 * (docs/ipvs-reference.md section 13).
 */

import { packet } from '../../support/packet.js';
import { segment, Talk } from './plays/ftp-talk.js';
import { type Play, type Scene, VIP, VIP6 } from './stage.js';

const NAT = { client: '10.0.0.1', vip: VIP, server: '192.168.1.11' };
const NAT6 = { client: '2001:db8::1', vip: VIP6, server: '2001:db8:1::11' };
const RULES = ['-A -t 10.0.0.100:21 -s rr', '-a -t 10.0.0.100:21 -r 192.168.1.11:21 -m'];
const RULES6 = ['-A -t [2001:db8::100]:21 -s rr', '-a -t [2001:db8::100]:21 -r [2001:db8:1::11]:21 -m'];
/** Where the real server has another address. */
const OTHER = '192.168.1.12';

const list = (play: Play) => play.run('ipvsadm -Lnc | sort');
function stats(play: Play, at: number): void {
  play.at(at);
  play.run('ipvsadm -Ln');
  play.run('ipvsadm -Ln --stats');
}
const pasv = (port: number, address = '192,168,1,11') =>
  `227 Entering Passive Mode (${address},${port >> 8},${port & 255}).\r\n`;
const epsv = (port: number | string) => `229 Entering Extended Passive Mode (|||${port}|)\r\n`;
const port = (n: number, address = '10,0,0,1') => `PORT ${address},${n >> 8},${n & 255}\r\n`;

function passive(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  talk.answer('220 ready\r\n');
  talk.say('USER x\r\n');
  talk.answer('230 in\r\n');
  for (const [i, n] of [30001, 30002, 30003].entries()) {
    talk.say('PASV\r\n');
    talk.answer(pasv(n), -2);
    if (i === 0) list(play);
    talk.passive(5000 + i, n);
    talk.say('RETR f\r\n');
    talk.answer('226 done\r\n');
    if (i === 0) list(play);
  }
  stats(play, 4000);
  talk.close();
  list(play);
  play.at(124_000);
  list(play);
  play.at(200_000);
  list(play);
}

/**
 * No client connects to the announced port. LISTEN ends after 120 s. Until then the control
 * connection stays.
 */
function unheard(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  talk.say('PASV\r\n');
  talk.answer(pasv(30001), -2);
  talk.say('PASV\r\n');
  talk.answer(pasv(30001), -2);
  talk.say('PASV\r\n');
  talk.answer(pasv(30002), -2);
  talk.close();
  list(play);
  play.at(60_000);
  list(play);
  segment(play, NAT.client, VIP, 5000, 30002, { flags: 'S', seq: 1, ack: 0 });
  segment(play, NAT.client, VIP, 5001, 30002, { flags: 'S', seq: 1, ack: 0 });
  segment(play, '10.0.0.2', VIP, 5000, 30001, { flags: 'S', seq: 1, ack: 0 });
  list(play);
  play.at(140_000);
  list(play);
  segment(play, NAT.client, VIP, 5001, 30001, { flags: 'S', seq: 1, ack: 0 });
  play.at(250_000);
  list(play);
}

function active(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  for (const n of [5000, 5001, 5000]) {
    talk.say(port(n));
    if (n === 5000) list(play);
    talk.answer('200 ok\r\n');
    talk.say('RETR f\r\n');
    talk.active(n);
    talk.answer('226 done\r\n');
  }
  talk.say(port(5002, '10,0,0,2'));
  talk.active(5002, '10.0.0.2');
  talk.say(port(5003));
  list(play);
  stats(play, 4000);
  talk.close();
  play.at(130_000);
  list(play);
  play.at(260_000);
  list(play);
}

/** Service and destination have other ports than 21: their data ports are one below theirs. */
function ports(play: Play): void {
  const talk = new Talk(play, NAT, 4000, 21, 2121).open();
  talk.say(port(5000));
  list(play);
  talk.active(5000);
  talk.say('PASV\r\n');
  talk.answer(pasv(30001), -2);
  talk.passive(5001, 30001);
  list(play);
}

function extended(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  talk.say('EPSV\r\n');
  talk.answer(epsv(30001));
  list(play);
  talk.passive(5000, 30001);
  talk.say('EPSV 1\r\n');
  talk.answer(epsv(30002));
  talk.passive(5001, 30002);
  talk.say('epsv\r\n');
  talk.answer('229 ok (!1!192.168.1.11!30003!)\r\n', -'!1!192.168.1.11!'.length + 3);
  talk.passive(5002, 30003);
  talk.say('EPSV 2\r\n');
  talk.answer(epsv(30004));
  talk.say('EPSV ALL\r\n');
  talk.answer(epsv(30005));
  talk.say('EPRT |1|10.0.0.1|5003|\r\n');
  talk.active(5003);
  talk.say('eprt !1!10.0.0.1!5004!\r\n');
  talk.active(5004);
  list(play);
  stats(play, 4000);
}

function extended6(play: Play): void {
  const talk = new Talk(play, NAT6, 4000).open();
  talk.say('EPSV\r\n');
  talk.answer(epsv(30001));
  list(play);
  talk.passive(5000, 30001);
  talk.say('EPSV 2\r\n');
  talk.answer('229 ok (|2|2001:db8:1::11|30002|)\r\n', -'|2|2001:db8:1::11|'.length + 3);
  talk.passive(5001, 30002);
  talk.say('EPSV 1\r\n');
  talk.answer(epsv(30003));
  talk.say('PASV\r\n');
  talk.answer(pasv(30004));
  talk.say('EPRT |2|2001:db8::1|5002|\r\n');
  talk.active(5002);
  talk.say('EPRT |2|2001:DB8:0:0:0:0:0:1|5003|\r\n');
  talk.active(5003);
  talk.say('EPRT |1|10.0.0.1|5004|\r\n');
  talk.say(port(5005));
  talk.say('EPRT |2|2001:db8::0.0.0.1|5006|\r\n');
  list(play);
  stats(play, 4000);
}

/** Lines that get longer, shorter and back: what came before, late or twice keeps its place. */
function sequence(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  const sack = (...edges: number[]) => [
    { kind: 1, data: new Uint8Array() },
    { kind: 1, data: new Uint8Array() },
    { kind: 5, data: Uint8Array.from(edges.flatMap((n) => [n >>> 24, n >>> 16, n >>> 8, n])) },
  ];
  talk.answer('220 ready\r\n');
  talk.say('PASV\r\n');
  const first = talk.sseq;
  talk.answer(pasv(30001), -2);
  talk.answer('150 here it comes\r\n');
  talk.say('PASV\r\n');
  const second = talk.sseq;
  talk.answer(pasv(30002, '10,20,0,9'), 1);
  talk.answer('150 here it comes\r\n');
  talk.say('PASV\r\n');
  const third = talk.sseq;
  talk.answer(pasv(30003), -2);
  const end = talk.sseq;
  talk.answer('226 that was it\r\n');
  for (const seq of [first - 1, first, first + 1, second - 1, second, second + 1, third, third + 1, end]) {
    talk.fromServer({ seq, flags: 'PA', data: '226 again\r\n' });
    talk.fromClient({ ack: seq });
    talk.fromClient({ ack: seq - 1 });
    talk.fromClient({ ack: seq - 2 });
    talk.fromClient({ ack: seq - 3 });
    talk.fromClient({ ack: seq - 4 });
  }
  talk.fromClient({ ack: second, options: sack(third - 1, end - 3) });
  talk.fromClient({ ack: first, options: sack(first + 5, second - 2, third - 2, end) });
  talk.fromServer({ options: sack(talk.cseq + 10, talk.cseq + 20) });
  talk.say('PASV\r\n');
  talk.fromServer({ flags: 'PA', data: pasv(30004) });
  talk.fromServer({ flags: 'PA', data: pasv(30004) });
  talk.say('PASV\r\n');
  talk.fromServer({ flags: 'PA', data: pasv(30004) });
  talk.fromServer({ flags: 'RA' });
  list(play);
}

/** Spellings: what is understood, what is let through as it is. */
const SERVER_LINES: readonly (readonly [string, number])[] = [
  ['227 192,168,1,11,117,49\r\n', -2],
  ['227 =192,168,1,11,117,50\r\n', -2],
  ['227 ok ((192,168,1,11,117,51))\r\n', -2],
  ['227 2 ways (192,168,1,11,117,52)\r\n', 0],
  ['227-ok (192,168,1,11,117,53)\r\n', 0],
  ['227 ok (192,168,1,11,117)\r\n', 0],
  ['227 ok (192,168,1,11,117,54,55)\r\n', -2],
  ['227 ok (192.168.1.11,117,55)\r\n', 0],
  ['227 ok (192,168,1,11,117,56', 0],
  ['227 ok (448,168,1,11,117,57)\r\n', 0],
  ['227 ok (192,168,1,11,373,58)\r\n', 0],
  ['227 ok (192,168,1,11,117,0059)\r\n', -4],
  ['227 ok (192, 168,1,11,117,60)\r\n', 0],
  ['227 ok (,168,1,11,117,61)\r\n', 0],
  ['227 ok (192,168,1,11,0,0)\r\n', -2],
  [' 227 ok (192,168,1,11,117,62)\r\n', 0],
  ['200 hi\r\n227 ok (192,168,1,11,117,63)\r\n', 0],
  ['227 ok (192,168,1,11,117,64)', -2],
  ['22', 0],
];

function spelling(play: Play): void {
  let cport = 4000;
  for (const [line, grown] of SERVER_LINES) {
    const talk = new Talk(play, NAT, cport++).open();
    talk.say('PASV\r\n');
    talk.answer(line, grown);
    talk.answer('200 ok\r\n');
  }
  list(play);
}

const EXTENDED_LINES: readonly (readonly [string, number])[] = [
  ['229 ok |||30001|\r\n', 0],
  ['229 ok (|||30002)\r\n', 0],
  ['229 ok (|||65536|)\r\n', 0],
  ['229 ok (|||95541|)\r\n', 0],
  ['229 ok (|||0|)\r\n', 0],
  ['229 ok (|||00030003|)\r\n', -3],
  ['229 ok (###30004#)\r\n', 0],
  ['229 ok (|1||30005|)\r\n', 0],
  ['229 ok (||192.168.1.11|30006|)\r\n', 0],
  ['229 ok (|2|192.168.1.11|30007|)\r\n', 0],
  ['229 ok (|1|192.168.1.256|30008|)\r\n', 0],
  ['229 ok (|1|192.168.1|30009|)\r\n', 0],
  ['229 ok (|1|192.168.001.011|30010|)\r\n', -16],
  ['229 ok (|||30011', 0],
  ['229 ok ( ||30012|)\r\n', 0],
  ['229 ok (((|||30013|)))\r\n', 0],
  ['229 ok (|1|192.168.1.12|30014|)\r\n', -13],
  ['229 ok (111300151)\r\n', 0],
  ['229 ok (|||+30016|)\r\n', 0],
  ['227 ok (192,168,1,11,117,57)\r\n', 0],
];

function extendedSpelling(play: Play): void {
  let cport = 4000;
  for (const [line, grown] of EXTENDED_LINES) {
    const talk = new Talk(play, NAT, cport++).open();
    talk.say('EPSV\r\n');
    talk.answer(line, grown);
  }
  list(play);
}

const CLIENT_LINES: readonly string[] = [
  'port 10,0,0,1,78,1\r\n',
  'PORT10,0,0,1,78,2\r\n',
  'PORT   10,0,0,1,78,3\r\n',
  'PORT 10,0,0,1,78,4',
  'PORT 10,0,0,1,78,5\n',
  'PORT 10,0,0,1,78\r\n',
  'PORT 266,0,0,1,78,6\r\n',
  'PORT 10,0,0,1,334,7\r\n',
  'PORT 10,0,0,1,78,264\r\n',
  'PORT 10,0,0,1,078,009\r\n',
  'PORT 10.0.0.1,78,10\r\n',
  'PORT x 10,0,0,1,78,11\r\n',
  'NOOP\r\nPORT 10,0,0,1,78,12\r\n',
  'PORT 10,0,0,1,78,13,14\r\n',
  'PORT ,,,,,\r\n',
  'EPRT |1|10.0.0.1|20001|\r\n',
  'EPRT|1|10.0.0.1|20002|\r\n',
  'EPRT  |1|10.0.0.1|20003|\r\n',
  'EPRT |1|10.0.0.1|20004\r\n',
  'EPRT |1|10.0.0.1|85541|\r\n',
  'EPRT |1|10.0.0.256|20006|\r\n',
  'EPRT |2|2001:db8::1|20007|\r\n',
  'EPRT |||20008|\r\n',
  'EPRT |1|010.0.0.01|20009|\r\n',
  'EPRT |1|10.0.0.1|20010|',
  'EPRT |1|10.0.0.1|200',
  'EPSV \r\n',
  'EPSV 1 \r\n',
  'EPSV 1\n',
  'XXEPSV\r\n',
  'NOOP\r\nPASV\r\n',
  'PASV \r\n',
  'PASV\n',
  'pAsV\r\n',
  'PORT 10,0,0,1,78,32 PASV\r\n',
];

/** After each, both kinds of answer: the one that was asked for is understood. */
function clientSpelling(play: Play): void {
  let cport = 4000;
  for (const [i, line] of CLIENT_LINES.entries()) {
    const talk = new Talk(play, NAT, cport++).open();
    talk.say(line);
    talk.fromServer({ flags: 'PA', data: pasv(31000 + i) });
    talk.fromServer({ flags: 'PA', data: epsv(32000 + i) });
  }
  list(play);
}

/** Commands cut in two by segments, and lines before the connection is established. */
function split(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  talk.say('PA');
  talk.say('SV\r\n');
  talk.answer(pasv(30001));
  talk.say('PASV\r\n');
  talk.answer('227 Entering Passive Mode (192,168,1,');
  talk.answer('11,117,50).\r\n');
  talk.answer(pasv(30003), -2);
  talk.say('POR');
  talk.say('T 10,0,0,1,78,1\r\n');
  talk.say(port(20002).slice(0, -4));
  talk.say(port(20002).slice(-4));
  talk.say('PASV\r\n');
  talk.say(port(20003));
  talk.answer(pasv(30004));
  list(play);
  const early = new Talk(play, NAT, 4001);
  early.fromClient({ flags: 'S', ack: 0, data: port(20004) });
  early.cseq += 1 + port(20004).length;
  early.fromServer({ flags: 'SA' });
  early.sseq++;
  early.fromClient({ flags: 'PA', data: port(20005) });
  early.cseq += port(20005).length;
  early.fromServer({ flags: 'FPA', data: pasv(30005) });
  early.fromClient({ flags: 'PA', data: port(20006) });
  const late = new Talk(play, NAT, 4002).open();
  late.say('PASV\r\n');
  late.fromClient({ flags: 'FA' });
  late.cseq++;
  late.fromServer({ flags: 'PA', data: pasv(30006) });
  list(play);
}

function broken(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  talk.fromClient({ flags: 'PA', data: 'NOOP\r\n', checksum: 0x1234 });
  talk.fromServer({ flags: 'PA', data: '200 ok\r\n', checksum: 0x1234 });
  talk.fromServer({ checksum: 0x1234 });
  talk.fromClient({ checksum: 0x1234 });
  talk.say(port(5000));
  const { client, server } = NAT;
  segment(play, server, client, 20, 5000, { flags: 'S', seq: 1, ack: 0, checksum: 0x1234 });
  segment(play, client, VIP, 5000, 20, { flags: 'SA', seq: 1, ack: 2, checksum: 0x1234 });
  list(play);
  stats(play, 4000);
}

/** The server announces another of its addresses. */
function elsewhere(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  talk.say('PASV\r\n');
  talk.answer(pasv(30001, OTHER.replaceAll('.', ',')), -2);
  list(play);
  talk.fromClient({ flags: 'PA', data: 'NOOP\r\n' });
  segment(play, NAT.client, VIP, 5000, 30001, { flags: 'S', seq: 1, ack: 0 });
  talk.say('EPSV\r\n');
  talk.answer(`229 ok (|1|${OTHER}|30002|)\r\n`, -`|1|${OTHER}|`.length + 3);
  segment(play, NAT.client, VIP, 5001, 30002, { flags: 'S', seq: 1, ack: 0 });
  list(play);
}

/** Lines that nearly or just fill the MTU, and grow. */
function full(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  const line = (n: number) => pasv(n, '10,20,0,9');
  const fill = (n: number, size: number) => line(n) + 'x'.repeat(size - 40 - line(n).length);
  talk.say('PASV\r\n');
  talk.answer(fill(30001, 1499), 1);
  talk.say('PASV\r\n');
  talk.answer(fill(30002, 1500), 1, { df: false });
  talk.answer('200 ok\r\n');
  list(play);
  stats(play, 4000);
}

/**
 * The destination is removed, quiesced or added again while data connections are expected or open.
 */
function removed(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  talk.say('PASV\r\n');
  talk.answer(pasv(30001), -2);
  talk.say('PASV\r\n');
  talk.answer(pasv(30002), -2);
  talk.say(port(5009));
  talk.passive(5000, 30001, NAT.server, false);
  play.run('ipvsadm -e -t 10.0.0.100:21 -r 192.168.1.11:21 -m -w 0');
  talk.passive(5001, 30002, NAT.server, false);
  talk.say('PASV\r\n');
  talk.answer(pasv(30003), -2);
  play.run('ipvsadm -d -t 10.0.0.100:21 -r 192.168.1.11:21');
  segment(play, NAT.client, VIP, 5002, 30003, { flags: 'S', seq: 1, ack: 0 });
  talk.active(5009);
  list(play);
  play.run('ipvsadm -a -t 10.0.0.100:21 -r 192.168.1.11:21 -m');
  segment(play, NAT.client, VIP, 5002, 30003, { flags: 'S', seq: 1, ack: 0 });
  talk.say('NOOP\r\n');
  talk.answer(pasv(30004));
  list(play);
  stats(play, 6000);
}

/** Without the helper, and by methods that have none. */
function unhelped(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  talk.say('PASV\r\n');
  talk.answer(pasv(30001));
  talk.say(port(5000));
  segment(play, NAT.client, VIP, 5001, 30001, { flags: 'S', seq: 1, ack: 0 });
  segment(play, NAT.server, NAT.client, 20, 5000, { flags: 'S', seq: 1, ack: 0 });
  list(play);
}

function direct(play: Play): void {
  const { client } = NAT;
  const c = (words: Parameters<typeof segment>[5]) => segment(play, client, VIP, 4000, 21, words);
  c({ flags: 'S', ack: 0 });
  c({ seq: 2 });
  c({ flags: 'PA', seq: 2, data: 'PASV\r\n' });
  c({ flags: 'PA', seq: 8, data: port(5000) });
  segment(play, client, VIP, 5001, 30001, { flags: 'S', ack: 0 });
  segment(play, client, VIP, 5000, 20, { flags: 'SA' });
  list(play);
}

/** A client port used again while its old control connection has children, or has none. */
function again(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  talk.close();
  const second = new Talk(play, NAT, 4000).open();
  second.say('PASV\r\n');
  second.answer(pasv(30001), -2);
  second.close();
  list(play);
  const third = new Talk(play, NAT, 4000);
  third.cseq = 900_000;
  third.sseq = 1_900_000;
  third.open();
  third.say('PASV\r\n');
  third.answer(pasv(30001), -2);
  third.passive(5000, 30001);
  list(play);
}

/**
 * Several control connections of one client and of two clients, at two servers that announce the
 * same port.
 */
function crowd(play: Play): void {
  const other = { ...NAT, server: '192.168.1.12' };
  const neighbour = { ...NAT, client: '10.0.0.2' };
  const talks = [
    new Talk(play, other, 4000),
    new Talk(play, NAT, 4001),
    new Talk(play, { ...neighbour, server: other.server }, 4000),
  ];
  for (const talk of talks) {
    talk.open();
    talk.say('PASV\r\n');
    talk.answer(pasv(30001, talk.ends.server.replaceAll('.', ',')), -2);
  }
  list(play);
  talks[1]!.passive(5000, 30001);
  talks[0]!.passive(5001, 30001);
  talks[2]!.passive(5000, 30001);
  list(play);
  stats(play, 4000);
}

function marked(play: Play): void {
  const ends = { ...NAT, vip: '10.20.7.7' };
  const talk = new Talk(play, ends, 4000).open();
  talk.say('PASV\r\n');
  talk.answer(pasv(30001), -3);
  talk.passive(5000, 30001);
  talk.say(port(5001));
  talk.active(5001);
  list(play);
}

/** A line in IP fragments that grows, and one that shrinks. */
function fragments(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  const sendCut = (id: number, seq: number, text: string, at: number) => {
    const words = { sport: 21, dport: 4000, flags: 'PA', seq, ack: talk.cseq };
    const whole = packet()
      .ipv4({ src: NAT.server, dst: NAT.client })
      .tcp(words)
      .payload(new TextEncoder().encode(text));
    const data = whole.bytes().slice(20);
    const piece = (offset: number, end: number) =>
      play.from(NAT.server, (eth) =>
        eth
          .ipv4({ src: NAT.server, dst: NAT.client, id, offset, mf: end < data.length, protocol: 6 })
          .payload(data.slice(offset, end)),
      );
    piece(at, data.length);
    piece(0, at);
  };
  for (const [i, [line, grown]] of [[pasv(30001), -2] as const, [pasv(30002, '10,20,0,9'), 1] as const].entries()) {
    talk.say('PASV\r\n');
    sendCut(700 + i, talk.sseq, line, 48);
    talk.sseq += line.length;
    talk.shift += grown;
    talk.fromClient({});
  }
  list(play);
}

/** Each answer of IPv6 gets shorter. */
function sequence6(play: Play): void {
  const talk = new Talk(play, NAT6, 4000).open();
  for (let n = 30001; n < 30004; n++) {
    talk.say('EPSV\r\n');
    talk.answer(`229 ok (|2|2001:db8:1::11|${n}|)\r\n`, -'|2|2001:db8:1::11|'.length + 3);
    talk.answer('150 here it comes\r\n');
  }
  talk.fromServer({ flags: 'PA', seq: talk.sseq - 20, data: '150 again\r\n' });
  talk.fromClient({ ack: talk.sseq + talk.shift - 20 });
  talk.close();
  list(play);
}

/** Data connections count towards the thresholds. */
function thresholds(play: Play): void {
  const talk = new Talk(play, NAT, 4000).open();
  talk.say('PASV\r\n');
  talk.answer(pasv(30001), -2);
  talk.say(port(5000));
  play.run('ipvsadm -Ln --thresholds');
  segment(play, '10.0.0.2', VIP, 4001, 21, { flags: 'S', seq: 1, ack: 0 });
  list(play);
  play.at(125_000);
  segment(play, '10.0.0.2', VIP, 4002, 21, { flags: 'S', seq: 1, ack: 0 });
  list(play);
}

function scene(name: string, about: string, play: (play: Play) => void, more: Partial<Scene> = {}): Scene {
  return { name, about, rules: RULES, ftpHelper: 'loaded', play, ...more };
}
const PERSISTENT = ['-A -t 10.0.0.100:21 -s rr -p 300', '-a -t 10.0.0.100:21 -r 192.168.1.11:21 -m'];
const TWO = [...RULES, '-a -t 10.0.0.100:21 -r 192.168.1.12:21 -m'];

export const ftpScenes: readonly Scene[] = [
  scene('ftp-passive', 'FTP by NAT: PASV three times, data, listings, expiry.', passive),
  scene('ftp-passive-unheard', 'FTP: announced ports that nobody, or a stranger, comes to.', unheard),
  scene('ftp-passive-persistent', 'FTP by NAT, persistent: PASV.', passive, { rules: PERSISTENT }),
  scene('ftp-active', 'FTP by NAT: PORT, data, listings, expiry.', active),
  scene('ftp-active-persistent', 'FTP by NAT, persistent: PORT.', active, { rules: PERSISTENT }),
  scene('ftp-port', 'FTP by NAT to another port than 21.', ports, {
    rules: ['-A -t 10.0.0.100:21 -s rr', '-a -t 10.0.0.100:21 -r 192.168.1.11:2121 -m'],
  }),
  scene('ftp-extended', 'FTP by NAT: EPSV and EPRT.', extended),
  scene('ftp6-extended', 'FTP by IPv6 NAT: EPSV and EPRT.', extended6, { rules: RULES6, six: true }),
  scene('ftp-sequence', 'FTP: sequence numbers, acknowledgements and SACK after lines that changed length.', sequence),
  scene('ftp-spelling', 'FTP: ways to write a PASV answer.', spelling),
  scene('ftp-spelling-extended', 'FTP: ways to write an EPSV answer.', extendedSpelling),
  scene('ftp-spelling-client', "FTP: ways to write the client's commands.", clientSpelling),
  scene('ftp-split', 'FTP: commands cut by segments; lines before and after ESTABLISHED.', split),
  scene('ftp-broken', 'FTP: wrong TCP checksums.', broken),
  scene('ftp-elsewhere', 'FTP: the server announces another of its addresses.', elsewhere),
  scene('ftp-full', 'FTP: an answer as long as the MTU, which grows.', full),
  scene('ftp-removed', 'FTP: the destination is quiesced, removed, and comes back.', removed),
  scene('ftp-removed-expire', 'FTP: the same with expire_nodest_conn.', removed, { sysctl: { expire_nodest_conn: 1 } }),
  scene('ftp-fragments', 'FTP: answers in IP fragments.', fragments),
  scene('ftp6-sequence', 'FTP by IPv6: sequence numbers after lines that got shorter.', sequence6, {
    rules: RULES6,
    six: true,
  }),
  scene('ftp-thresholds', 'FTP: data connections and the upper threshold.', thresholds, {
    rules: ['-A -t 10.0.0.100:21 -s rr', '-a -t 10.0.0.100:21 -r 192.168.1.11:21 -m -x 3'],
  }),
  scene('ftp-again', 'FTP: a client port used again.', again),
  scene('ftp-crowd', 'FTP: two servers announce the same port.', crowd, { rules: TWO }),
  scene('ftp-direct', 'FTP by DR, persistent: no helper.', direct, {
    rules: ['-A -t 10.0.0.100:21 -s rr -p 300', '-a -t 10.0.0.100:21 -r 192.168.1.11:21 -g'],
  }),
  scene('ftp-marked', 'FTP by NAT of a marked address that no interface has.', marked, {
    rules: ['-A -f 1 -s rr -p 300', '-a -f 1 -r 192.168.1.11 -m'],
    mark: { words: '-i eth0 -d 10.20.7.0/24', nft: 'iif eth0 ip daddr 10.20.7.0/24', mark: 1 },
  }),
  scene('ftp-unhelped', 'FTP by NAT without the helper.', unhelped, { ftpHelper: 'absent' }),
];
