/** The commands and options of ipvsadm 1.31, and which option is legal with which command. */
import type { Command, OptionName } from './options/names.js';
import { ADDRESS_OPTIONS, DAEMON_OPTIONS, LIST_OPTIONS } from './options/other.js';
import type { OptionRow } from './options/row.js';
import { SERVER_OPTIONS } from './options/server.js';
import { SERVICE_OPTIONS } from './options/service.js';
import { type Option, Spellings } from './scanner.js';

const command = (id: Command | 'help' | 'version', long: string, short?: string): Option =>
  short ? { id, long, short, argument: 'none' } : { id, long, argument: 'none' };
const daemon = (id: Command): Option => ({ id, long: id, argument: 'required' });

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

/** Every option that may follow a command. */
export const ROWS: readonly OptionRow[] = [
  ...ADDRESS_OPTIONS,
  ...SERVICE_OPTIONS,
  ...SERVER_OPTIONS,
  ...LIST_OPTIONS,
  ...DAEMON_OPTIONS,
];

/** Everything that the scanner knows. */
export const OPTIONS: readonly Option[] = [...COMMANDS, ...ROWS];
export const SPELLINGS = new Spellings(OPTIONS);

/**
 * The options of a command or a tunnel type. Options in no list are illegal; of the exclusive ones
 * only one may be given.
 */
export interface Legal {
  readonly required?: readonly OptionName[];
  readonly optional?: readonly OptionName[];
  readonly exclusive?: readonly OptionName[];
}

const SERVICE: Legal = { required: ['service-address'], optional: namesOf(SERVICE_OPTIONS) };
const SERVER: Legal = { required: ['service-address', 'real-server'], optional: namesOf(SERVER_OPTIONS) };

function namesOf(rows: readonly OptionRow[]): OptionName[] {
  return [...new Set(rows.flatMap(({ name }) => name ?? []))];
}

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
