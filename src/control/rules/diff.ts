/**
 * From the running services to the wanted ones: the requests that make the difference. Connections
 * survive.
 */
import { isDeepStrictEqual } from 'node:util';
import { type DestinationConfig, keyText, type ServiceConfig } from '../../service/config.js';
import type { ChangeRequest, DestinationEntry, ServiceEntry } from '../api/api.js';

/**
 * Requests that turn `running` into `wanted`. Removals come first, then edits and additions, oldest
 * first as they were added: the order of a list decides ties of schedulers.
 */
export function changes(running: readonly ServiceEntry[], wanted: readonly ServiceEntry[]): ChangeRequest[] {
  const now = new Map(running.map((service) => [keyText(service.key), service]));
  const then = new Set(wanted.map((service) => keyText(service.key)));
  const removed = running.filter(({ key }) => !then.has(keyText(key)));
  return [
    ...removed.map(({ key }): ChangeRequest => ({ op: 'deleteService', key })),
    ...[...wanted].reverse().flatMap((service) => serviceChanges(now.get(keyText(service.key)), service)),
  ];
}

function serviceChanges(running: ServiceEntry | undefined, wanted: ServiceEntry): ChangeRequest[] {
  const service = serviceOf(wanted);
  if (running === undefined) return [{ op: 'addService', service }, ...destinationChanges([], wanted)];
  const edit: ChangeRequest[] = isDeepStrictEqual(serviceOf(running), service) ? [] : [{ op: 'editService', service }];
  return [...edit, ...destinationChanges(running.destinations, wanted)];
}

function destinationChanges(
  running: readonly DestinationEntry[],
  { key, destinations }: ServiceEntry,
): ChangeRequest[] {
  const now = new Map(running.map((entry) => [place(entry), destinationOf(entry)]));
  const then = new Set(destinations.map(place));
  const removed = running.filter((entry) => !then.has(place(entry)));
  return [
    ...removed.map(({ address, port }): ChangeRequest => ({ op: 'deleteDestination', key, address, port })),
    ...[...destinations].reverse().flatMap((entry): ChangeRequest[] => {
      const destination = destinationOf(entry);
      const old = now.get(place(entry));
      if (old === undefined) return [{ op: 'addDestination', key, destination }];
      return isDeepStrictEqual(old, destination) ? [] : [{ op: 'editDestination', key, destination }];
    }),
  ];
}

function place({ address, port }: DestinationConfig): string {
  return `${address}|${port}`;
}

/** The whole configuration of a listed service: everything but what the listing adds. */
function serviceOf(entry: ServiceEntry): ServiceConfig {
  const { stats, destinations, ...config } = entry;
  return config;
}

function destinationOf(entry: DestinationEntry): DestinationConfig {
  const { stats, activeConns, inactConns, persistConns, health, ...config } = entry;
  return config;
}
