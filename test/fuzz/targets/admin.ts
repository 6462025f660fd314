/** Targets: command lines, restore texts and requests, against a director without devices. */

import { Lines } from '../../../src/control/api/lines.js';
import { readEnvelope } from '../../../src/control/api/schema.js';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { offlineNames, PortNames } from '../../../src/ulvsadm/names.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import { inProcess } from '../../ulvsadm/director.js';
import { bytesOf, type Session, type Target, textOf } from '../engine/target.js';
import { COMMAND_WORDS, COMMANDS } from './texts.js';

const names = offlineNames(new PortNames('http 80/tcp\nftp 21/tcp\ndomain 53/udp\n'));
const CODES = new Set([0, 1, 2, 254, 255]);

/** A command line, split at blanks, never fails in another way than ipvsadm's. */
function commandLines(): Session {
  const client = inProcess();
  return {
    run: async (input) => {
      const argv = textOf(input)
        .split(/[ \n]+/)
        .filter(Boolean); // prettier-ignore
      const { rc } = await ulvsadm(argv, () => '', client, { names });
      if (!CODES.has(rc)) throw new Error(`exit code ${rc}`);
    },
  };
}

/** What -S prints after a restore restores the same. */
function restores(): Session {
  return {
    run: async (input) => {
      const client = inProcess();
      await ulvsadm(['-R'], () => textOf(input), client, { names });
      const { out } = await ulvsadm(['-S', '-n'], () => '', client, { names });
      const again = inProcess();
      const { err } = await ulvsadm(['-R'], () => out, again, { names });
      const second = await ulvsadm(['-S', '-n'], () => '', again, { names });
      if (second.out !== out) throw new Error(`saved\n${out}restored\n${second.out}${err}`);
    },
  };
}

const CONFIG = parseConfig(
  'devices: [ { name: eth0, addresses: [10.0.0.254/24] } ]\nconnections: { max: 1000 }\n',
  'x',
);
const REQUESTS = [
  '{"v":1,"id":1}',
  '{"v":1,"id":2,"request":{"op":"addService","service":{"key":{"protocol":6,"address":"10.0.0.100","port":80},"scheduler":"rr","flags":0,"timeout":0,"netmask":4294967295,"pe":""}}}',
  '{"v":1,"id":3,"request":{"op":"addDestination","key":{"protocol":6,"address":"10.0.0.100","port":80},"destination":{"address":"192.168.1.11","port":8080,"method":"masq","weight":1,"upperThreshold":0,"lowerThreshold":0,"tunnel":{"type":"ipip","port":0,"checksum":""}}}}',
  '{"v":1,"id":4,"request":{"op":"batch","requests":[{"op":"flush"},{"op":"zero"},{"op":"setTimeouts","timeouts":{"tcp":0,"tcpfin":1,"udp":2}}]}}',
  '{"v":1,"id":5,"request":{"op":"editService","service":{"key":{"fwmark":7,"family":6},"scheduler":"sh","flags":9,"timeout":300,"netmask":64,"pe":"sip"}}}',
  '{"v":1,"id":6,"request":{"op":"deleteDestination","key":{"fwmark":7,"family":4},"address":"::1","port":0}}',
  '{"v":1,"id":7,"request":{"op":"list"}}',
  '{"v":1,"id":8,"request":{"op":"connections","from":5}}',
  '{"v":1,"id":9,"request":{"op":"setSysctl","name":"drop_entry","value":1}}',
  '{"v":1,"id":10,"request":{"op":"startDaemon","role":"master","options":{"interface":"eth0","syncid":7,"maxlen":1400}}}',
  '{"v":1,"id":11,"request":{"op":"traceStart","filter":"host 10.0.0.1 and tcp port 80","dropsOnly":false,"count":4}}',
  '{"v":1,"id":12,"request":{"op":"drain","key":{"fwmark":7,"family":4},"address":"10.0.0.1","port":1,"share":0.5}}',
  ...['getSysctls', 'status', 'daemons', 'health', 'reload', 'tracePoll', 'traceStop', 'getTimeouts'].map(
    (op) => `{"v":1,"id":13,"request":{"op":"${op}"}}`,
  ),
];

/** A line of the control socket gets a reply that is JSON; the director lists its rules afterwards. */
function control(): Session {
  const director = new InProcessDirector(CONFIG, () => {});
  return {
    run: async (input) => {
      for (const line of new Lines(4096).push(Buffer.from(input)) ?? []) await answer(director, line);
      await answer(director, textOf(input));
    },
  };
}

async function answer(director: InProcessDirector, line: string): Promise<void> {
  const envelope = readEnvelope(line);
  if ('problem' in envelope || envelope.request === undefined) return;
  const reply = await director.request(envelope.request);
  if (JSON.stringify(reply) === undefined) throw new Error('no reply');
  const list = await director.request({ op: 'list' });
  if (!list.ok) throw new Error('no listing');
}

export const ADMIN: readonly Target[] = [
  {
    name: 'ulvsadm',
    about: "ipvsadm's command lines",
    covers: ['ulvsadm'],
    epoch: 4096,
    words: COMMAND_WORDS,
    seeds: () => COMMANDS.split('\n').filter(Boolean).map(bytesOf), // prettier-ignore
    begin: commandLines,
  },
  {
    name: 'restore',
    about: 'texts for ulvsadm -R',
    covers: ['ulvsadm', 'control/rules'],
    epoch: 4096,
    words: COMMAND_WORDS,
    seeds: () => [bytesOf(COMMANDS), ...COMMANDS.split('\n').filter(Boolean).map(bytesOf)],
    begin: restores,
  },
  {
    name: 'control',
    about: 'lines of the control socket',
    covers: [
      'control/api/schema.ts',
      'control/api/lines.ts',
      'control/server',
      'control/rules',
      'control/engine/apply.ts',
    ],
    epoch: 2048,
    words: [
      '"op":',
      '"key":',
      '"protocol":6',
      '"fwmark":1',
      '"address":',
      '"port":',
      'null',
      '-1',
      '1e99',
      '{}',
      '[]',
      '\n',
      '"::1"',
    ],
    seeds: () => REQUESTS.map(bytesOf),
    begin: control,
  },
];
