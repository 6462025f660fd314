/**
 * All forms of a Call-ID, right and wrong. The scene shows which packets pass, and in which
 * dialogue.
 */
import { ip, type Scene, VIP } from '../stage.js';

const CLIENT = '10.0.0.1';
const START = 'OPTIONS sip:bob SIP/2.0';

/** After the start line; `\r\n` before and after unless the text brings its own. */
const HEADERS: readonly string[] = [
  'Call-ID: plain@host',
  'call-id:plain@host',
  'CALL-ID :\tplain@host',
  'i: plain@host',
  'I:plain@host',
  'i plain@host',
  'Call-ID plain@host',
  'Call-ID-Too: plain@host',
  'Call-IDs: plain@host',
  'Identity: x\r\nCall-ID: after-identity',
  'i-x: no\r\nCall-ID: after-dash',
  'Call-ID:\r\n folded@host',
  'Call-ID\r\n : folded@name',
  'Subject: x\r\n Call-ID: continued\r\nCall-ID: real',
  'Call-ID: ',
  'Call-ID: \r\nCall-ID: second-of-two',
  'Call-ID: @host',
  'Call-ID: user@',
  'Call-ID: user@\r\nCall-ID: behind-a-bad-one\r\nX: y',
  'Call-ID: a@b@c',
  'Call-ID: space after ',
  'Call-ID: trailing ',
  'Call-ID: comma,',
  'Call-ID: -.!%*_+`\'~()<>:\\"/[]?{}',
  'Call-ID: umlaut\u00c3\u00a4',
  'Call-ID: =sign',
  'Call-ID: 0',
  'X: y\r\n\r\nCall-ID: in-the-body',
  'X: y\n\nCall-ID: in-the-body-lf',
  'X: y\n\n\nCall-ID: in-the-body-lf3',
];

const WHOLE: readonly string[] = [
  '',
  '\r\n\r\n',
  'Call-ID: first-line\r\n\r\n',
  '\r\nCall-ID: after-nothing\r\n\r\n',
  `${START}\nCall-ID: lf-lines\nX: y\n\n`,
  `${START}\rCall-ID: cr-lines\rX: y\r\r`,
  `${START}\r\nCall-ID: no-end`,
  `${START}\r\nCall-ID: cr-at-the-end\r`,
  `${START}\r\nCall-ID:`,
  `${START}\r\nCall-ID`,
  `${START}\r\ni`,
  `${START}\r\ni:`,
  `${START}\r\nCall-ID: \r`,
  `${START}\r\nCall-ID: \r\n `,
  `${START}\r\nX: y\r\n\r\n`,
  `\r\r\nCall-ID: odd-ends\r\n`,
  `OPTIONS\r\nCall-ID: early\r\n\r\n`,
];

const LENGTHS = [1, 47, 48, 49, 56, 103, 104, 105, 128, 200, 254, 255, 256, 300];

function scene(name: string, about: string, texts: readonly string[], commands: readonly string[]): Scene {
  return {
    name,
    about,
    rules: [
      `-A -u ${VIP}:5060 -s rr -p 50 --pe sip -o`,
      `-a -u ${VIP}:5060 -r 192.168.1.11:5060 -m`,
      `-a -u ${VIP}:5060 -r 192.168.1.12:5060 -m`,
    ],
    play: (play) => {
      for (const text of texts)
        for (let i = 0; i < 2; i++)
          play.from(CLIENT, (eth) =>
            ip(eth, CLIENT, VIP).udp({ sport: 5060, dport: 5060 }).payload(Buffer.from(text, 'latin1')),
          );
      for (const command of commands) play.run(command);
    },
  };
}

export const headerScenes: Scene[] = [
  scene(
    'sip-headers',
    'Ways to write, and to spoil, a Call-ID; each packet comes twice.',
    [...HEADERS.map((header) => `${START}\r\nTo: x\r\n${header}\r\nFrom: y\r\n\r\n`), ...WHOLE],
    ['ipvsadm -Lnc --persistent-conn | sort', 'ipvsadm -Ln --persistent-conn'],
  ),
  // No -Lnc here: ipvsadm does not survive long ones.
  scene(
    'sip-lengths',
    'Call-IDs up to the longest, which is 255 bytes; each comes twice, and then each with another end.',
    ['', 'x'].flatMap((end) => LENGTHS.map((n) => `${START}\r\nCall-ID: ${'l'.repeat(n - end.length)}${end}\r\n\r\n`)),
    ['ipvsadm -Ln --persistent-conn'],
  ),
];
