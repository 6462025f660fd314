/** Target: the doctor's parsers of what other programs print. */

import { findDrop, redirects } from '../../../src/doctor/firewall.js';
import {
  parseChecksums,
  parseFirewall,
  parseLinks,
  parseListeners,
  parsePolicy,
  parseRoutes,
  parseSysctls,
} from '../../../src/doctor/parse.js';
import { readConnections, readStats } from '../../../src/lab/watch/listing.js';
import { readTcpdump } from '../../../src/lab/watch/tcpdump.js';
import { CommandError } from '../../../src/sys/command.js';
import { mutate } from '../engine/mutate.js';
import { allowing, bytesOf, type Target, textOf } from '../engine/target.js';
import { PRINTED } from './texts.js';

const TCPDUMP =
  '12:00:00.000001 02:00:00:00:c0:01 > 02:00:00:00:0d:00, ethertype IPv4 (0x0800), length 74: 10.0.0.1.40001 > 10.0.0.100.80: Flags [S]\n' +
  '12:00:00.000002 02:00:00:00:c0:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Request who-has 10.0.0.100 tell 10.0.0.1\n';
const LISTING = 'IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port\nTCP  10.0.0.100:80  1 2 3 4 5\n';
const CONNS =
  'IPVS connection entries\npro expire state source virtual destination\nTCP 14:59 ESTABLISHED 10.0.0.1:1 10.0.0.100:80 1.1.1.1:80\n';

const PACKET = {
  six: false,
  words: '',
  fields: { 'tcp dport': 80, 'ip saddr': '10.0.0.1' },
  protocol: 'tcp',
  iif: 'eth0',
};
const PARSERS: readonly ((text: string) => unknown)[] = [
  parseLinks,
  (text) => [parseRoutes(text), parseRoutes(text, true)],
  (text) => [parsePolicy(text), parsePolicy(text, true)],
  parseListeners,
  parseSysctls,
  parseChecksums,
  (text) => {
    const chains = parseFirewall(text);
    return [redirects(chains), findDrop(chains, 'input', PACKET)];
  },
  readTcpdump,
  readStats,
  readConnections,
];

/** The first byte says which parser reads the others. */
function seeds(): Uint8Array[] {
  return [...PRINTED, TCPDUMP, LISTING, CONNS].map((text, i) => bytesOf(String.fromCharCode(i) + text));
}

export const DOCTOR: Target = {
  name: 'doctor',
  about: "the doctor's and the labs' parsers of other programs' output",
  covers: [
    'doctor/parse.ts',
    'doctor/firewall.ts',
    'doctor/address.ts',
    'lab/watch/listing.ts',
    'lab/watch/tcpdump.ts',
  ],
  epoch: 1,
  words: [
    'null',
    '{}',
    '[]',
    '""',
    '0',
    '-1',
    '1e99',
    ',',
    ':',
    '"',
    '{"',
    '[{',
    '}]',
    '"expr":',
    '"dst":',
    'default',
    '::/0',
  ],
  seeds,
  mutate: (random, input, other) => {
    const kind = random.below(20) === 0 ? random.below(PARSERS.length) : (input[0] ?? 0);
    const changed = mutate(random, input.subarray(1), other.subarray(1), WORDS);
    const numbered = new Uint8Array(1 + changed.length);
    numbered[0] = kind;
    numbered.set(changed, 1);
    return numbered;
  },
  begin: () => ({
    run: (input) =>
      allowing([CommandError], () => void PARSERS[(input[0] ?? 0) % PARSERS.length]!(textOf(input.subarray(1)))),
  }),
};
const WORDS = (DOCTOR.words ?? []).map(bytesOf);
