/** Targets that read bytes and text from files, the kernel and other programs, and keep no state. */
import { readFileSync } from 'node:fs';
import { parseScript } from '../../../src/capture/jsonl.js';
import { parseCapture } from '../../../src/capture/pcap.js';
import { LvsConfError, parseLvsConf } from '../../../src/cli/configure/lvsconf.js';
import { HostNames } from '../../../src/cli/configure/names.js';
import { ConfigError, parseConfig } from '../../../src/control/config/config.js';
import { DeviceError } from '../../../src/device/error.js';
import { decodeDone, decodeError } from '../../../src/netlink/ack.js';
import { decodeChange } from '../../../src/netlink/change.js';
import { MalformedMessage } from '../../../src/netlink/error.js';
import { messages } from '../../../src/netlink/message.js';
import { PortNames } from '../../../src/ulvsadm/names.js';
import { printFrame } from '../../../src/wire/print.js';
import { SyncConn } from '../../../src/wire/sync.js';
import { readConns, readHeader } from '../../../src/wire/sync-message.js';
import { allowing, bytesOf, type Target, textOf } from '../engine/target.js';
import { hexOf, netlinkSeeds, pcapngSeed, pcapSeeds } from './bytes.js';
import { CONF, KEYS, LVSCONF } from './texts.js';

/** No reader keeps state. */
const EPOCH = 1;
const SCRIPT = '{"t":0,"if":"eth0","hex":"020000000d00"}\n{"t":5,"cmd":"ipvsadm -Ln"}\n{"t":9000,"end":1}\n';

function reader(allowed: readonly (new (...args: never[]) => Error)[], read: (input: Uint8Array) => void) {
  const session = { run: (input: Uint8Array) => allowing(allowed, () => read(input)) };
  return () => session;
}

/** A frame of a capture lies in the file. */
function pcap(input: Uint8Array): void {
  const { frames } = parseCapture(input, 'file');
  for (const { bytes, t } of frames) {
    if (bytes.byteOffset < input.byteOffset || bytes.byteOffset + bytes.length > input.byteOffset + input.length)
      throw new Error('a frame outside the file');
    if (Number.isNaN(t)) throw new Error('a time that is not a number');
  }
}

function netlink(input: Uint8Array): void {
  for (const message of messages(input)) {
    allowing([MalformedMessage], () => decodeChange(message));
    allowing([MalformedMessage], () => decodeError(message));
    allowing([MalformedMessage], () => decodeDone(message));
  }
}

const conn = new SyncConn();
function sync(input: Uint8Array): void {
  if (readHeader(input) !== undefined) readConns(input, conn, () => {});
}

/** A configuration that is taken is taken again from the same text, and mistakes are whole sentences. */
function config(input: Uint8Array): void {
  try {
    parseConfig(textOf(input), 'director.yaml');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.message.split('\n'))
      if (line.length > 2000 || !line.startsWith('director.yaml'))
        throw new Error(`a bad sentence: ${line.slice(0, 300)}`);
  }
}

const ports = new PortNames('http 80/tcp\ndomain 53/udp\nftp 21/tcp\n');
const hosts = new HostNames('10.0.0.1 lvs rs1\n192.168.1.11 rs2 rs1\n');

export const READERS: readonly Target[] = [
  {
    name: 'pcap',
    about: 'readers of pcap and pcapng files',
    covers: ['capture/pcap.ts', 'capture/pcapng.ts', 'capture/frame.ts'],
    epoch: EPOCH,
    seeds: () => [...pcapSeeds(), pcapngSeed()],
    begin: reader([DeviceError], pcap),
  },
  {
    name: 'jsonl',
    about: 'the reader of frames.jsonl',
    covers: ['capture/jsonl.ts'],
    epoch: EPOCH,
    words: ['"t":', '"if":', '"hex":', '"cmd":', '"end":', '\n', 'null', '1e999', '-1', '[]', '{}', '"__proto__":'],
    seeds: () => [bytesOf(SCRIPT)],
    begin: reader([DeviceError], (input) => void parseScript(textOf(input), 'file')),
  },
  {
    name: 'netlink',
    about: 'messages of rtnetlink',
    covers: ['netlink'],
    epoch: EPOCH,
    seeds: netlinkSeeds,
    begin: reader([MalformedMessage], netlink),
  },
  {
    name: 'sync',
    about: 'messages of connection synchronisation',
    covers: ['wire/sync.ts', 'wire/sync-message.ts', 'wire/sync-v0.ts'],
    epoch: EPOCH,
    seeds: () => hexOf('sync'),
    begin: reader([], sync),
  },
  {
    name: 'print',
    about: 'frames in words, as traces show them',
    covers: ['wire/print.ts', 'wire/decoded.ts'],
    epoch: EPOCH,
    seeds: () => hexOf('frames'),
    begin: reader([], (input) => void printFrame(input)),
  },
  {
    name: 'config',
    about: 'director.yaml',
    covers: ['control/config', 'control/mark', 'control/text'],
    epoch: EPOCH,
    words: KEYS,
    seeds: () => [
      bytesOf(CONF),
      ...['all-keys', 'nat', 'dr', 'tun', 'fwmark'].map((name) => readFileSync(`examples/${name}.yaml`)),
    ],
    begin: reader([], config),
  },
  {
    name: 'lvsconf',
    about: "lvs.conf of the HOWTO's configure script",
    covers: ['cli/configure/lvsconf.ts', 'cli/configure/names.ts'],
    epoch: EPOCH,
    words: [
      'SERVICE=',
      'VIP=',
      'DIP=',
      'LVS_TYPE=',
      'VS_TUN',
      'TP:',
      'netmask',
      '#',
      '\n',
      ',',
      ':',
      ' t ',
      ' u ',
      'rr',
    ],
    seeds: () => [bytesOf(LVSCONF)],
    begin: reader([LvsConfError], (input) => void parseLvsConf(textOf(input), 'lvs.conf', hosts, ports)),
  },
];
