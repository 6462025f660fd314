/** From the running services to the wanted ones, as the requests that make the difference. Connections survive. */
import { keyText } from '../../service/config.js';
import type { ChangeRequest, DestinationEntry, ServiceEntry } from '../api/api.js';

/** Removals first, then edits and additions, each list in the wanted order (oldest first: list order decides ties). */
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
  const { key, scheduler, flags, timeout, netmask, pe } = wanted;
  const service = { key, scheduler, flags, timeout, netmask, pe };
  if (running === undefined) return [{ op: 'addService', service }, ...destinationChanges([], wanted)];
  const { scheduler: s, flags: f, timeout: t, netmask: n, pe: p } = running;
  const same = JSON.stringify([s, f, t, n, p]) === JSON.stringify([scheduler, flags, timeout, netmask, pe]);
  return [
    ...(same ? [] : [{ op: 'editService' as const, service }]),
    ...destinationChanges(running.destinations, wanted),
  ];
}

function destinationChanges(
  running: readonly DestinationEntry[],
  { key, destinations }: ServiceEntry,
): ChangeRequest[] {
  const now = new Map(running.map((dest) => [place(dest), dest]));
  const then = new Set(destinations.map(place));
  const removed = running.filter((dest) => !then.has(place(dest)));
  return [
    ...removed.map(({ address, port }): ChangeRequest => ({ op: 'deleteDestination', key, address, port })),
    ...[...destinations].reverse().flatMap((dest): ChangeRequest[] => {
      const old = now.get(place(dest));
      if (old === undefined) return [{ op: 'addDestination', key, destination: configOf(dest) }];
      if (JSON.stringify(configOf(old)) === JSON.stringify(configOf(dest))) return [];
      return [{ op: 'editDestination', key, destination: configOf(dest) }];
    }),
  ];
}

function place({ address, port }: DestinationEntry): string {
  return `${address}|${port}`;
}

function configOf({ address, port, method, weight, upperThreshold, lowerThreshold, tunnel }: DestinationEntry) {
  return { address, port, method, weight, upperThreshold, lowerThreshold, tunnel };
}
