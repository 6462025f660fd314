/** ipvsadm 1.31's commands and options, and which option is legal with which command. */
import type { Option } from './scanner.js';

/** A command of ipvsadm. */
export type Command =
  | 'add-service'
  | 'edit-service'
  | 'delete-service'
  | 'flush'
  | 'list'
  | 'add-server'
  | 'delete-server'
  | 'edit-server'
  | 'set'
  | 'start-daemon'
  | 'stop-daemon'
  | 'restore'
  | 'save'
  | 'zero';

/** The options in the order in which ipvsadm checks them. */
export const OPTION_NAMES = [
  'numeric',
  'connection',
  'service-address',
  'scheduler',
  'persistent',
  'netmask',
  'real-server',
  'forwarding-method',
  'weight',
  'u-threshold',
  'l-threshold',
  'mcast-interface',
  'timeout',
  'daemon',
  'stats',
  'rate',
  'thresholds',
  'persistent-conn',
  'nosort',
  'syncid',
  'exact',
  'ops',
  'pe',
  'sched-flags',
  'mcast-group',
  'mcast-port',
  'mcast-ttl',
  'sync-maxlen',
  'tun-info',
  'tun-type',
  'tun-port',
  'tun-nocsum',
  'tun-csum',
  'tun-remcsum',
] as const;
export type OptionName = (typeof OPTION_NAMES)[number];

const command = (id: Command | 'help' | 'version', long: string, short?: string): Option =>
  short ? { id, long, short, argument: 'none' } : { id, long, argument: 'none' };
const daemon = (id: Command): Option => ({ id, long: id, argument: 'required' });
const flag = (long: string, short?: string): Option =>
  short ? { id: long, long, short, argument: 'none' } : { id: long, long, argument: 'none' };
const value = (long: string, short?: string): Option => ({ ...flag(long, short), argument: 'required' });

export const COMMANDS: readonly Option[] = [
  command('add-service', 'add-service', 'A'),
  command('edit-service', 'edit-service', 'E'),
  command('delete-service', 'delete-service', 'D'),
  command('flush', 'clear', 'C'),
  command('list', 'list', 'L'),
  command('list', 'list', 'l'),
  command('zero', 'zero', 'Z'),
  command('add-server', 'add-server', 'a'),
  command('edit-server', 'edit-server', 'e'),
  command('delete-server', 'delete-server', 'd'),
  command('set', 'set'),
  command('help', 'help', 'h'),
  command('version', 'version', 'v'),
  command('restore', 'restore', 'R'),
  command('save', 'save', 'S'),
  daemon('start-daemon'),
  daemon('stop-daemon'),
];

export const OPTIONS: readonly Option[] = [
  ...COMMANDS,
  value('tcp-service', 't'),
  value('udp-service', 'u'),
  value('sctp-service'),
  value('fwmark-service', 'f'),
  value('scheduler', 's'),
  { ...value('persistent', 'p'), argument: 'optional' },
  value('netmask', 'M'),
  value('real-server', 'r'),
  flag('masquerading', 'm'),
  flag('ipip', 'i'),
  flag('gatewaying', 'g'),
  // Full NAT: an option of ulvs that ipvsadm does not have.
  flag('full-nat'),
  value('weight', 'w'),
  value('u-threshold', 'x'),
  value('l-threshold', 'y'),
  flag('numeric', 'n'),
  flag('connection', 'c'),
  value('mcast-interface'),
  value('syncid'),
  flag('timeout'),
  flag('daemon'),
  flag('stats'),
  flag('rate'),
  flag('thresholds'),
  flag('persistent-conn'),
  flag('nosort'),
  flag('sort'),
  flag('exact', 'X'),
  flag('ipv6', '6'),
  flag('ops', 'o'),
  value('pe'),
  value('sched-flags', 'b'),
  value('mcast-group'),
  value('mcast-port'),
  value('mcast-ttl'),
  value('sync-maxlen'),
  flag('tun-info'),
  value('tun-type'),
  value('tun-port'),
  flag('tun-nocsum'),
  flag('tun-csum'),
  flag('tun-remcsum'),
];

/**
 * The options of a command or a tunnel type. Options in no list are illegal; of the exclusive ones
 * only one may be given.
 */
export interface Legal {
  readonly required?: readonly OptionName[];
  readonly optional?: readonly OptionName[];
  readonly exclusive?: readonly OptionName[];
}

const SERVICE: Legal = {
  required: ['service-address'],
  optional: ['scheduler', 'persistent', 'netmask', 'ops', 'pe', 'sched-flags'],
};
const SERVER: Legal = {
  required: ['service-address', 'real-server'],
  optional: [
    'forwarding-method',
    'weight',
    'u-threshold',
    'l-threshold',
    'tun-type',
    'tun-port',
    'tun-nocsum',
    'tun-csum',
    'tun-remcsum',
  ],
};

export const LEGAL: Readonly<Record<Command, Legal>> = {
  'add-service': SERVICE,
  'edit-service': SERVICE,
  'delete-service': { required: ['service-address'] },
  flush: {},
  list: {
    optional: ['numeric', 'stats', 'rate', 'thresholds', 'persistent-conn', 'nosort', 'syncid', 'exact', 'tun-info'],
    exclusive: ['connection', 'service-address', 'timeout', 'daemon'],
  },
  'add-server': SERVER,
  'delete-server': { required: ['service-address', 'real-server'] },
  'edit-server': SERVER,
  set: {},
  'start-daemon': {
    optional: ['mcast-interface', 'syncid', 'mcast-group', 'mcast-port', 'mcast-ttl', 'sync-maxlen'],
  },
  'stop-daemon': { optional: ['syncid'] },
  restore: {},
  save: { optional: ['numeric'] },
  zero: { optional: ['service-address'] },
};

export const TUNNEL_OPTIONS = ['tun-port', 'tun-nocsum', 'tun-csum', 'tun-remcsum'] as const;

export const TUNNEL_LEGAL: Readonly<Record<'ipip' | 'gue' | 'gre', Legal>> = {
  ipip: {},
  gue: { required: ['tun-port'], exclusive: ['tun-nocsum', 'tun-csum', 'tun-remcsum'] },
  gre: { exclusive: ['tun-nocsum', 'tun-csum'] },
};
