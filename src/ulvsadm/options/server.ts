/**
 * Options of real servers: one row for each, in the order in which -S writes them. -S does not
 * write thresholds, as in ipvsadm.
 */
import type { DestinationConfig, ForwardingMethod, Tunnel } from '../../service/config.js';
import { fail } from '../errors.js';
import type { Option } from '../scanner.js';
import { bounded } from '../values.js';
import type { OptionName } from './names.js';
import { flag, type ServerOption, value } from './row.js';

const INT_MAX = 2147483647;

export const SERVER_OPTIONS: readonly ServerOption[] = [
  method(flag('masquerading', 'm'), 'masq', ' -m', 'bypass'),
  method(flag('ipip', 'i'), 'ipip', ' -i'),
  method(flag('gatewaying', 'g'), 'gatewaying', ' -g', 'local'),
  {
    ...method(flag('full-nat'), 'fullnat', ' --full-nat'),
    help: [
      "a forwarding method: both addresses rewritten, the source from director.yaml's",
      'accept.sources; the client is told by the TOA option of TCP',
    ],
  },
  { ...number('weight', 'w', 'weight', 'weight'), save: ({ weight }) => ` -w ${weight}` },
  number('u-threshold', 'x', 'upperThreshold', 'u_threshold'),
  number('l-threshold', 'y', 'lowerThreshold', 'l_threshold'),
  {
    ...tunnel(value('tun-type'), 'tun-type', (text) => ({ type: typeOf(text) })),
    save: saved(({ type }) => ` --tun-type ${type}`),
  },
  {
    ...tunnel(value('tun-port'), 'tun-port', (text) => ({ port: bounded(text, 1, 65535, 'tunnel port') })),
    save: saved(({ type, port }) => (type === 'gue' ? ` --tun-port ${port}` : '')),
  },
  { ...flag('tun-nocsum'), name: 'tun-nocsum', save: savedChecksum('', ' --tun-nocsum') },
  {
    ...tunnel(flag('tun-csum'), 'tun-csum', () => ({ checksum: 'csum' })),
    save: savedChecksum('csum', ' --tun-csum'),
  },
  {
    ...tunnel(flag('tun-remcsum'), 'tun-remcsum', () => ({ checksum: 'remcsum' })),
    save: savedChecksum('remcsum', ' --tun-remcsum'),
  },
];

/** A forwarding method. -S writes `word` for it and for `alias`, which no option sets. */
function method(spelling: Option, wanted: ForwardingMethod, word: string, alias?: ForwardingMethod): ServerOption {
  return {
    ...spelling,
    name: 'forwarding-method',
    set: ({ server }) => {
      server.method = wanted;
    },
    save: (destination) => (destination.method === wanted || destination.method === alias ? word : ''),
  };
}

type NumberField = 'weight' | 'upperThreshold' | 'lowerThreshold';

function number(name: OptionName, short: string, field: NumberField, what: string): ServerOption {
  return {
    ...value(name, short),
    name,
    set: ({ server }, text) => {
      server[field] = bounded(text, 0, INT_MAX, what);
    },
  };
}

function tunnel(spelling: Option, name: OptionName, read: (text: string) => Partial<Tunnel>): ServerOption {
  return {
    ...spelling,
    name,
    set: ({ server }, text) => {
      server.tunnel = { ...server.tunnel, ...read(text) };
    },
  };
}

/** The words of the method ipip alone. */
function saved(words: (tunnel: Tunnel) => string): (destination: DestinationConfig) => string {
  return (destination) => (destination.method === 'ipip' ? words(destination.tunnel) : '');
}

function savedChecksum(wanted: Tunnel['checksum'], word: string): (destination: DestinationConfig) => string {
  return saved(({ type, checksum }) => (type !== 'ipip' && checksum === wanted ? word : ''));
}

function typeOf(text: string): Tunnel['type'] {
  return text === 'ipip' || text === 'gue' || text === 'gre' ? text : fail('illegal tunnel type specified');
}
