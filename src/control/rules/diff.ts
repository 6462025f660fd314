/**
 * From the running services to the wanted ones: the requests that make the difference. Connections
 * survive.
 */
import { isDeepStrictEqual } from 'node:util';
import { schedulerNamed } from '../../schedulers/index.js';
import { type DestinationConfig, keyText, type ServiceConfig, type ServiceKey } from '../../service/config.js';
import type { ChangeRequest, DestinationEntry, ServiceEntry } from '../api/api.js';

/**
 * Requests that turn `running` into `wanted`. Removals come first, then edits and additions, oldest
 * first as they were added: the order of a list decides ties of schedulers. Where a scheduler's
 * table depends on the order, destinations are removed and added again until the order is that of
 * `wanted`; they keep their connections, because no packet comes in between.
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
  { key, destinations, scheduler }: ServiceEntry,
): ChangeRequest[] {
  const then = new Set(destinations.map(place));
  const stay = running.filter((entry) => then.has(place(entry)));
  const wanted = [...destinations].reverse();
  const kept = new Map(
    (schedulerNamed(scheduler)?.ordered ? inOrder([...stay].reverse(), wanted) : stay).map((entry) => [
      place(entry),
      entry,
    ]),
  );
  const removed = running.filter((entry) => !kept.has(place(entry)));
  return [
    ...removed.map(({ address, port }): ChangeRequest => ({ op: 'deleteDestination', key, address, port })),
    ...wanted.flatMap((entry) => destinationChange(key, kept.get(place(entry)), entry)),
  ];
}

/**
 * Those of `stay` that need not be removed and added again so that the list gets the order of
 * `wanted`; both oldest first. A destination that is added comes behind all others.
 */
function inOrder(stay: readonly DestinationEntry[], wanted: readonly DestinationEntry[]): readonly DestinationEntry[] {
  const end = stay.findIndex((entry, i) => place(entry) !== place(wanted[i]!));
  return end < 0 ? stay : stay.slice(0, end);
}

/** A quiesced destination gets its last weight first, so that mh counts with it. */
function destinationChange(
  key: ServiceKey,
  old: DestinationEntry | undefined,
  entry: DestinationEntry,
): ChangeRequest[] {
  const destination = destinationOf(entry);
  const before = entry.weight === 0 && entry.lastWeight > 0 && old?.lastWeight !== entry.lastWeight;
  const first = before ? { ...destination, weight: entry.lastWeight } : destination;
  const quiesce: ChangeRequest[] = before ? [{ op: 'editDestination', key, destination }] : [];
  if (old === undefined) return [{ op: 'addDestination', key, destination: first }, ...quiesce];
  if (before) return [{ op: 'editDestination', key, destination: first }, ...quiesce];
  return isDeepStrictEqual(destinationOf(old), destination) ? [] : [{ op: 'editDestination', key, destination }];
}

function place({ address, port }: DestinationConfig): string {
  return `${address}|${port}`;
}

/** The whole configuration of a listed service: everything but what the listing adds. */
function serviceOf(entry: ServiceEntry): ServiceConfig {
  const { stats, destinations, ...config } = entry;
  return config;
}

/** The whole configuration of a listed destination: everything but what the listing adds. */
export function destinationOf(entry: DestinationEntry): DestinationConfig {
  const { stats, activeConns, inactConns, persistConns, lastWeight, present, ...config } = entry;
  return config;
}
