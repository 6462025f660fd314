/**
 * Changes of rules and settings in words, with what was there before: for the log and for reload.
 */
import { isDeepStrictEqual } from 'node:util';
import { endpoint, isFwmark, SCTP, type ServiceKey, type ServiceRules, UDP } from '../../service/config.js';
import type { ChangeRequest } from '../api/api.js';
import type { Settings } from '../config/director-config.js';
import { counted } from '../text/counted.js';

/** The services before the change. */
export interface Before {
  readonly count: number;
  find(key: ServiceKey): ServiceRules | undefined;
}

/** One line. */
export function changeInWords(request: ChangeRequest, before: Before): string {
  switch (request.op) {
    case 'addService':
      return `${serviceName(request.service.key)} added: scheduler ${request.service.scheduler}`;
    case 'editService':
      return `${serviceName(request.service.key)}: ${edits(before.find(request.service.key), request.service)}`;
    case 'deleteService': {
      const count = before.find(request.key)?.destinations.length ?? 0;
      return `${serviceName(request.key)} deleted, with ${counted(count, 'destination')}`;
    }
    case 'addDestination':
      return `${destinationName(request.key, request.destination)} added: ${request.destination.method}, weight ${request.destination.weight}`;
    case 'editDestination': {
      const old = destination(before, request.key, request.destination);
      return `${destinationName(request.key, request.destination)}: ${edits(old, request.destination)}`;
    }
    case 'deleteDestination': {
      const old = destination(before, request.key, request);
      return `${destinationName(request.key, request)} deleted${old === undefined ? '' : `: weight was ${old.weight}`}`;
    }
    case 'flush':
      return `${counted(before.count, 'service')} deleted`;
    case 'zero':
      return `counters set to 0: ${request.key === undefined ? 'all' : serviceName(request.key)}`;
    case 'setTimeouts':
      return `timeouts set to ${Object.values(request.timeouts).join(' ')} (0: as before)`;
  }
}

/** A line for each setting that is different. */
export function settingsInWords(before: Settings, after: Settings): string[] {
  const { sysctl, timeouts, ...rest } = after;
  const others = Object.keys(rest) as (keyof typeof rest)[];
  return [
    ...fields('sysctl.', before.sysctl, sysctl),
    ...fields('timeouts.', before.timeouts, timeouts),
    ...others.flatMap((name) =>
      Array.isArray(after[name])
        ? fields('', { [name]: before[name] }, { [name]: after[name] })
        : fields(`${name}.`, before[name], after[name]),
    ),
  ];
}

/** The service in the words of ulvsadm. */
export function serviceName(key: ServiceKey): string {
  if (isFwmark(key)) return `-f ${key.fwmark}${key.family === 6 ? ' -6' : ''}`;
  const option = { [UDP]: '-u', [SCTP]: '--sctp-service' }[key.protocol] ?? '-t';
  return `${option} ${endpoint(key.address, key.port)}`;
}

function destinationName(key: ServiceKey, { address, port }: { readonly address: string; readonly port: number }) {
  return `${endpoint(address, port)} of ${serviceName(key)}`;
}

function destination(before: Before, key: ServiceKey, { address, port }: { address: string; port: number }) {
  return before.find(key)?.destinations.find((one) => one.address === address && one.port === port);
}

const NOT_EDITED = ['key', 'address', 'port', 'destinations'];

function edits(before: object | undefined, after: object): string {
  const { key, address, port, ...config } = after as Record<string, unknown>;
  const changed = fields('', (before ?? {}) as Record<string, unknown>, config);
  return changed.length === 0 ? 'as before' : changed.join(', ');
}

function fields(prefix: string, before: object, after: object): string[] {
  const old = before as Record<string, unknown>;
  return Object.entries(after)
    .filter(([name, value]) => !NOT_EDITED.includes(name) && !isDeepStrictEqual(old[name], value))
    .map(([name, value]) => `${prefix}${name} ${text(old[name])} -> ${text(value)}`);
}

function text(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
}
