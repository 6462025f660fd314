/**
 * Options that name a service or a real server, and those of listings and of the synchronisation
 * daemon.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { SCTP, TCP, UDP } from '../../service/config.js';
import type { Draft } from '../draft.js';
import { type ParsedEndpoint, parseEndpoint, setServer, setService } from '../endpoint.js';
import { fail } from '../errors.js';
import type { Names } from '../names.js';
import type { Option } from '../scanner.js';
import { bounded, fwmarkValue } from '../values.js';
import type { OptionName } from './names.js';
import { flag, note, type OptionRow, value } from './row.js';

const MAX_SYNC = 65535 - 20 - 8;
/** Letters of an interface's name, IP_VS_IFNAME_MAXLEN. */
const INTERFACE_NAME = 15;

/** Options that say which service, and which real server. */
export const ADDRESS_OPTIONS: readonly OptionRow[] = [
  service(value('tcp-service', 't'), TCP),
  service(value('udp-service', 'u'), UDP),
  service(value('sctp-service'), SCTP),
  {
    ...value('fwmark-service', 'f'),
    name: 'service-address',
    set: (draft, text) => {
      draft.virtual.family = 4;
      draft.protocol = TCP;
      draft.fwmark = fwmarkValue(text);
    },
  },
  {
    ...value('real-server', 'r'),
    name: 'real-server',
    set: (draft, text, names) => withEndpoint(draft, text, names, 'real', (endpoint) => setServer(draft, endpoint)),
  },
  { ...flag('ipv6', '6'), set: setFamilySix },
];

export const LIST_OPTIONS: readonly OptionRow[] = [
  note('numeric', 'n'),
  note('connection', 'c'),
  note('timeout'),
  note('daemon'),
  note('stats'),
  note('rate'),
  note('thresholds'),
  note('persistent-conn'),
  note('nosort'),
  flag('sort'),
  note('exact', 'X'),
  note('tun-info'),
];

/** Options of --start-daemon and --stop-daemon. */
export const DAEMON_OPTIONS: readonly OptionRow[] = [
  {
    ...value('mcast-interface'),
    name: 'mcast-interface',
    set: ({ daemon }, text) => {
      daemon.interface = text.slice(0, INTERFACE_NAME);
    },
  },
  number('syncid', 0, 255, ({ daemon }, n) => {
    daemon.syncid = n;
  }),
  {
    ...value('mcast-group'),
    name: 'mcast-group',
    set: ({ daemon }, text) => {
      checkGroup(text);
      daemon.group = text;
    },
  },
  number('mcast-port', 1, 65535, ({ daemon }, n) => {
    daemon.port = n;
  }),
  number('mcast-ttl', 1, 255, ({ daemon }, n) => {
    daemon.ttl = n;
  }),
  number('sync-maxlen', 1, MAX_SYNC, ({ daemon }, n) => {
    daemon.maxlen = n;
  }),
];

function service(spelling: Option, protocol: number): OptionRow {
  return {
    ...spelling,
    name: 'service-address',
    set: (draft, text, names) => {
      draft.protocol = protocol;
      return withEndpoint(draft, text, names, 'virtual', (endpoint) => setService(draft, endpoint));
    },
  };
}

function withEndpoint(
  draft: Draft,
  text: string,
  names: Names,
  kind: 'virtual' | 'real',
  set: (endpoint: ParsedEndpoint) => void,
): void | Promise<void> {
  const done = (endpoint: ParsedEndpoint | undefined) =>
    set(endpoint ?? fail(`illegal ${kind} server address[:port] specified`));
  const endpoint = parseEndpoint(text, draft.protocol, draft.virtual.port, names);
  return endpoint instanceof Promise ? endpoint.then(done) : done(endpoint);
}

function setFamilySix(draft: Draft): void {
  if (draft.fwmark === 0) fail('-6 used before -f\n');
  draft.virtual.family = 6;
  draft.service.netmask = 128;
}

function number(name: OptionName, min: number, max: number, put: (draft: Draft, n: number) => void): OptionRow {
  return { ...value(name), name, set: (draft, text) => put(draft, bounded(text, min, max, name)) };
}

function checkGroup(text: string): void {
  if (text.includes(':')) {
    if (!isIPv6(text) || !/^ff/i.test(text)) fail(`invalid IPv6 mcast-group \`${text}'`);
  } else if (!isIPv4(text) || Number.parseInt(text, 10) >> 4 !== 14) fail(`invalid IPv4 mcast-group \`${text}'`);
}
