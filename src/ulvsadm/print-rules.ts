/** `-S`: rules as lines for `-R`. Each option writes its own words. */
import type { DestinationEntry, ServiceEntry } from '../control/api/api.js';
import { isFwmark, SCTP, TCP, UDP } from '../service/config.js';
import type { Label } from './labels.js';
import { SERVER_OPTIONS } from './options/server.js';
import { SERVICE_OPTIONS } from './options/service.js';

const OPTION: Readonly<Record<number, string>> = { [TCP]: '-t', [UDP]: '-u', [SCTP]: '--sctp-service' };

export function printRules(service: ServiceEntry, label: Label, destinations: readonly DestinationEntry[]): string {
  const name = serviceName(service, label);
  const lines = destinations.map((destination) => destinationRule(service, name, destination, label));
  return [serviceRule(service, name), ...lines].map((line) => `${line}\n`).join('');
}

/**
 * A mark of 2^31 or more is saved unsigned. ipvsadm writes a negative number, which its own -R
 * refuses.
 */
function serviceName({ key }: ServiceEntry, label: Label): string {
  if (isFwmark(key)) return `-f ${key.fwmark}${key.family === 6 ? ' -6' : ''}`;
  return `${OPTION[key.protocol] ?? '--xxx-service'} ${label(key.address, key.port, key.protocol)}`;
}

function serviceRule(service: ServiceEntry, name: string): string {
  return [`-A ${name}`, ...SERVICE_OPTIONS.map(({ save }) => save?.(service) ?? '')].join('');
}

function destinationRule(service: ServiceEntry, name: string, destination: DestinationEntry, label: Label): string {
  const { address, port } = destination;
  const protocol = isFwmark(service.key) ? 0 : service.key.protocol;
  const words = SERVER_OPTIONS.map(({ save }) => save?.(destination) ?? '');
  return [`-a ${name} -r ${label(address, port, protocol)}`, ...words].join('');
}
