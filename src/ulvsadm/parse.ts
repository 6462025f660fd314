/** Reads a command line into a Draft, with ipvsadm's grammar and complaints. */
import { isIPv4, isIPv6 } from 'node:net';
import { SCTP, SVC_ONEPACKET, SVC_PERSISTENT, TCP, type Tunnel, UDP } from '../service/config.js';
import { type Draft, emptyDraft } from './draft.js';
import { type ParsedEndpoint, parseEndpoint, setServer, setService } from './endpoint.js';
import { BadLine, Exit, FAILED, fail } from './errors.js';
import type { Names } from './names.js';
import { COMMANDS, type Command, OPTIONS, type OptionName } from './options.js';
import { type Found, Scanner } from './scanner.js';
import { bounded, fwmarkValue, inetAton, leadingNumber, schedulerFlags, timeoutValue } from './values.js';

/** The result of parsing; `help` and `version` have no draft. */
export type Parsed = Draft | 'help' | 'version';

export interface Words {
  readonly program: string;
  readonly names: Names;
}

const INT_MAX = 2147483647;
const MAX_SYNC = 65535 - 20 - 8;

/**
 * Reads a command line without the program's name. Throws an Exit with ipvsadm's sentence and exit
 * code.
 */
export async function parse(argv: readonly string[], words: Words): Promise<Parsed> {
  const scanner = new Scanner(argv, OPTIONS);
  const command = readCommand(scanner, words.program);
  if (command === 'help' || command === 'version') return command;
  const draft = emptyDraft(command);
  for (let found = scanner.read(); found; found = scanner.read()) await apply(draft, found, scanner, words.names);
  if (scanner.error) throw new BadLine(FAILED, `${scanner.word}: ${scanner.error}`);
  readWords(draft, scanner.leftovers);
  if (draft.schedulerFlags) draft.flags |= schedulerFlags(draft.schedulerFlags, draft.scheduler);
  return draft;
}

export function tryHelp(program: string): never {
  throw new Exit(FAILED, `Try \`${program} -h' or '${program} --help' for more information.`);
}

function readCommand(scanner: Scanner, program: string): Command | 'help' | 'version' {
  const found = scanner.read();
  if (!found || !COMMANDS.includes(found.option)) return tryHelp(program);
  const { id } = found.option;
  if (id === 'start-daemon') checkRole(found.argument, 'illegal start-daemon parameter specified');
  if (id === 'stop-daemon') checkRole(found.argument, 'illegal start_daemon specified');
  return id as Command | 'help' | 'version';
}

function checkRole(role: string | undefined, complaint: string): void {
  if (role !== 'master' && role !== 'backup') fail(complaint);
}

/** The words that are not options: three for --set, none for other commands. */
function readWords(draft: Draft, leftovers: readonly string[]): void {
  const rest = [...leftovers];
  if (draft.command === 'set') {
    if (rest.length < 3) fail('--set option requires 3 timeout values');
    const [tcp, tcpfin, udp] = rest.splice(0, 3).map((text) => timeoutValue(text, 0));
    draft.timeouts = { tcp: tcp!, tcpfin: tcpfin!, udp: udp! };
  }
  if (rest.length > 0) fail(`unexpected argument ${rest[0]}`);
}

async function apply(draft: Draft, { option, argument }: Found, scanner: Scanner, names: Names): Promise<void> {
  const endpoint = ENDPOINTS[option.id];
  const plain = PLAIN[option.id];
  if (endpoint) {
    once(draft, endpoint.name);
    await endpoint.set(draft, argument ?? '', names);
  } else if (plain) {
    if (plain.name) once(draft, plain.name);
    plain.set?.(draft, argument);
  } else fail(`invalid option \`${scanner.word}'`);
}

function once({ options }: Draft, name: OptionName): void {
  if (options.has(name)) fail(`multiple '${name}' options specified`);
  options.add(name);
}

interface EndpointOption {
  readonly name: OptionName;
  set(draft: Draft, text: string, names: Names): Promise<void>;
}

const serviceOption = (protocol: number): EndpointOption => ({
  name: 'service-address',
  async set(draft, text, names) {
    draft.protocol = protocol;
    setService(draft, await endpointOf(draft, text, names, 'virtual'));
  },
});

const ENDPOINTS: Readonly<Record<string, EndpointOption>> = {
  'tcp-service': serviceOption(TCP),
  'udp-service': serviceOption(UDP),
  'sctp-service': serviceOption(SCTP),
  'real-server': {
    name: 'real-server',
    async set(draft, text, names) {
      setServer(draft, await endpointOf(draft, text, names, 'real'));
    },
  },
};

async function endpointOf(draft: Draft, text: string, names: Names, kind: 'virtual' | 'real'): Promise<ParsedEndpoint> {
  const endpoint = await parseEndpoint(text, draft.protocol, draft.service.port, names);
  return endpoint ?? fail(`illegal ${kind} server address[:port] specified`);
}

interface PlainOption {
  /** The name in checks. Absent: the option may be repeated and is legal everywhere. */
  readonly name?: OptionName;
  set?(draft: Draft, argument: string | undefined): void;
}

type Setter = (draft: Draft, text: string) => void;
const sets = (name: OptionName, set: Setter): PlainOption => ({ name, set: (draft, text) => set(draft, text ?? '') });
const notes = (name: OptionName): PlainOption => ({ name });
const checks = (name: OptionName, min: number, max: number): PlainOption =>
  sets(name, (_, text) => bounded(text, min, max, name));
const forwards = (method: Draft['method']): PlainOption => ({
  name: 'forwarding-method',
  set: (draft) => {
    draft.method = method;
  },
});
const tunnels = (name: OptionName, set: (text: string) => Partial<Tunnel>): PlainOption =>
  sets(name, (draft, text) => {
    draft.tunnel = { ...draft.tunnel, ...set(text) };
  });

const PLAIN: Readonly<Record<string, PlainOption>> = {
  'fwmark-service': sets('service-address', (draft, text) => {
    draft.service.family = 4;
    draft.protocol = TCP;
    draft.fwmark = fwmarkValue(text);
  }),
  scheduler: sets('scheduler', (draft, text) => {
    draft.scheduler = text.slice(0, 15);
  }),
  persistent: {
    name: 'persistent',
    set: (draft, text) => {
      draft.flags |= SVC_PERSISTENT;
      draft.timeout = timeoutValue(text, 1);
    },
  },
  netmask: sets('netmask', (draft, text) => {
    draft.netmask = draft.service.family === 6 ? prefixOf(text) : maskOf(text);
  }),
  masquerading: forwards('masq'),
  ipip: forwards('ipip'),
  gatewaying: forwards('gatewaying'),
  'full-nat': forwards('fullnat'),
  weight: sets('weight', (draft, text) => {
    draft.weight = bounded(text, 0, INT_MAX, 'weight');
  }),
  'u-threshold': sets('u-threshold', (draft, text) => {
    draft.upperThreshold = bounded(text, 0, INT_MAX, 'u_threshold');
  }),
  'l-threshold': sets('l-threshold', (draft, text) => {
    draft.lowerThreshold = bounded(text, 0, INT_MAX, 'l_threshold');
  }),
  numeric: notes('numeric'),
  connection: notes('connection'),
  timeout: notes('timeout'),
  daemon: notes('daemon'),
  stats: notes('stats'),
  rate: notes('rate'),
  thresholds: notes('thresholds'),
  'persistent-conn': notes('persistent-conn'),
  nosort: notes('nosort'),
  sort: {},
  exact: notes('exact'),
  'tun-info': notes('tun-info'),
  ipv6: { set: setFamilySix },
  ops: sets('ops', (draft) => {
    draft.flags |= SVC_ONEPACKET;
  }),
  pe: sets('pe', (draft, text) => {
    draft.pe = text.slice(0, 16);
  }),
  'sched-flags': sets('sched-flags', (draft, text) => {
    draft.schedulerFlags = text.slice(0, 127);
  }),
  'mcast-interface': notes('mcast-interface'),
  syncid: checks('syncid', 0, 255),
  'mcast-group': sets('mcast-group', (_, text) => checkGroup(text)),
  'mcast-port': checks('mcast-port', 1, 65535),
  'mcast-ttl': checks('mcast-ttl', 1, 255),
  'sync-maxlen': checks('sync-maxlen', 1, MAX_SYNC),
  'tun-type': tunnels('tun-type', (text) => ({ type: tunnelType(text) })),
  'tun-port': tunnels('tun-port', (text) => ({ port: bounded(text, 1, 65535, 'tunnel port') })),
  'tun-nocsum': notes('tun-nocsum'),
  'tun-csum': tunnels('tun-csum', () => ({ checksum: 'csum' })),
  'tun-remcsum': tunnels('tun-remcsum', () => ({ checksum: 'remcsum' })),
};

function setFamilySix(draft: Draft): void {
  if (draft.fwmark === 0) fail('-6 used before -f\n');
  draft.service.family = 6;
  draft.netmask = 128;
}

function prefixOf(text: string): number {
  const prefix = leadingNumber(text);
  return prefix >= 1 && prefix <= 128 ? prefix : fail('illegal ipv6 netmask specified');
}

function maskOf(text: string): number {
  return inetAton(text) ?? fail('illegal virtual server persistent mask specified');
}

function tunnelType(text: string): Tunnel['type'] {
  return text === 'ipip' || text === 'gue' || text === 'gre' ? text : fail('illegal tunnel type specified');
}

function checkGroup(text: string): void {
  if (text.includes(':')) {
    if (!isIPv6(text) || !/^ff/i.test(text)) fail(`invalid IPv6 mcast-group \`${text}'`);
  } else if (!isIPv4(text) || Number.parseInt(text, 10) >> 4 !== 14) fail(`invalid IPv4 mcast-group \`${text}'`);
}
