/**
 * Options of virtual services: one row for each, in the order in which -S writes them. A new option
 * is a row here, its name in options/names.ts and its field in service/config.ts.
 */
import { familyOf, type ServiceConfig, SVC_ONEPACKET, SVC_PERSISTENT } from '../../service/config.js';
import { format4 } from '../../wire/address.js';
import { fail } from '../errors.js';
import { schedulerFlagNames } from '../flags.js';
import { DEFAULT_PERSISTENCE, inetAton, leadingNumber, timeoutValue } from '../values.js';
import { flag, type ServiceOption, value } from './row.js';

/** Longest names, in characters, that ipvsadm keeps. */
const SCHEDULER_NAME = 15;
const ENGINE_NAME = 16;
const FLAGS_TEXT = 127;

export const SERVICE_OPTIONS: readonly ServiceOption[] = [
  {
    ...value('scheduler', 's'),
    name: 'scheduler',
    set: ({ service }, text) => {
      service.scheduler = text.slice(0, SCHEDULER_NAME);
    },
    save: ({ scheduler }) => ` -s ${scheduler}`,
  },
  {
    ...value('persistent', 'p'),
    argument: 'optional',
    name: 'persistent',
    set: ({ service }, text) => {
      service.flags |= SVC_PERSISTENT;
      service.timeout = timeoutValue(text, 1);
    },
    setDefault: ({ service }) => {
      service.flags |= SVC_PERSISTENT;
      service.timeout = DEFAULT_PERSISTENCE;
    },
    save: ({ flags, timeout }) => (flags & SVC_PERSISTENT ? ` -p ${timeout}` : ''),
  },
  {
    ...value('netmask', 'M'),
    name: 'netmask',
    set: ({ service, virtual }, text) => {
      service.netmask = virtual.family === 6 ? prefixOf(text) : maskOf(text);
    },
    save: (service) => (service.flags & SVC_PERSISTENT ? maskWord(service, ' -M ') : ''),
  },
  {
    ...value('pe'),
    name: 'pe',
    set: ({ service }, text) => {
      service.pe = text.slice(0, ENGINE_NAME);
    },
    save: ({ pe }) => (pe ? ` --pe ${pe}` : ''),
  },
  {
    ...flag('ops', 'o'),
    name: 'ops',
    set: ({ service }) => {
      service.flags |= SVC_ONEPACKET;
    },
    save: ({ flags }) => (flags & SVC_ONEPACKET ? ' -o' : ''),
  },
  {
    ...value('sched-flags', 'b'),
    name: 'sched-flags',
    set: (draft, text) => {
      draft.schedulerFlags = text.slice(0, FLAGS_TEXT);
    },
    save: (service) => {
      const names = schedulerFlagNames(service);
      return names === undefined ? '' : ` -b ${names}`;
    },
  },
];

/** The netmask of persistence, after `word`; '' if it is that of a single host. */
export function maskWord({ key, netmask }: ServiceConfig, word: string): string {
  if (familyOf(key) === 6) return netmask === 128 ? '' : `${word}${netmask}`;
  return netmask >>> 0 === 0xffffffff ? '' : `${word}${format4(netmask)}`;
}

function prefixOf(text: string): number {
  const prefix = leadingNumber(text);
  return prefix >= 1 && prefix <= 128 ? prefix : fail('illegal ipv6 netmask specified');
}

function maskOf(text: string): number {
  return inetAton(text) ?? fail('illegal virtual server persistent mask specified');
}
