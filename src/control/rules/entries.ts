/** Entries of the rule table: services with their destinations, by slot. */
import { type DestinationConfig, keyText, type ServiceConfig } from '../../service/config.js';
import type { ServiceEntry } from '../api/api.js';
import type { ShownCounters } from './counter-base.js';
import type { ConnectionCounts } from './counters.js';

export interface Destination {
  readonly slot: number;
  config: DestinationConfig;
  /** Its last weight above 0; mh counts with it while the weight is 0. */
  lastWeight: number;
}

export interface Service {
  readonly slot: number;
  config: ServiceConfig;
  /** By address and port, oldest first. The kernel lists and schedules in the opposite order. */
  readonly destinations: Map<string, Destination>;
}

/** What tells the destinations of one service apart. */
export type Endpoint = Pick<DestinationConfig, 'address' | 'port'>;

/** Key of a destination in its service. */
export function endpointText({ address, port }: Endpoint): string {
  return `${address}|${port}`;
}

/** Key of a destination in the trash. */
export function identity({ config }: Service, which: Endpoint): string {
  return `${keyText(config.key)} -> ${endpointText(which)}`;
}

export function find(service: Service, which: Endpoint): Destination | undefined {
  return service.destinations.get(endpointText(which));
}

export function newestFirst({ destinations }: Service): Destination[] {
  return [...destinations.values()].reverse();
}

/** A service as a listing shows it. `connections`: the gauges of a destination by slot. */
export function entryOf(
  service: Service,
  shown: ShownCounters,
  connections: (slot: number) => ConnectionCounts,
): ServiceEntry {
  return {
    ...service.config,
    stats: shown.service(service.slot),
    destinations: newestFirst(service).map(({ slot, config, lastWeight }) => ({
      ...config,
      lastWeight,
      ...connections(slot),
      stats: shown.destination(slot),
    })),
  };
}
