/** Entries of the rule table: services with their destinations, by slot. */
import { type DestinationConfig, keyText, type ServiceConfig } from '../../service/config.js';
import { parse4 } from '../../wire/address.js';
import type { DestinationEntry, ServiceEntry } from '../api/api.js';
import type { ShownCounters } from './counter-base.js';
import type { ConnectionCounts } from './counters.js';

export interface Destination {
  readonly slot: number;
  /** As the operator has configured it. */
  config: DestinationConfig;
  /** Its last weight above 0; mh counts with it while the weight is 0. */
  lastWeight: number;
  /** What the health checks make of its weight; undefined: it has no checks. */
  health?: DestinationHealth | undefined;
  /** It drains: the share of its weight that it still has, 0 to 1. */
  drain?: number | undefined;
}

/** The weight of a destination by its health. */
export interface DestinationHealth {
  /** Share of the operator's weight, 0 to 1. */
  readonly share: number;
  /** Weight in place of the operator's; -1: none. */
  readonly weight: number;
  /** It is down, and taken out of the dataplane. */
  readonly absent: boolean;
}

/**
 * The weight that the dataplane uses. An operator's 0 stays 0, whatever the checks say, and a
 * destination that is up has at least 1.
 */
export function effectiveWeight({
  config,
  health,
  drain = 1,
}: Pick<Destination, 'config' | 'health' | 'drain'>): number {
  const share = (health?.share ?? 1) * drain;
  if (share === 1 && (health?.weight ?? -1) < 0) return config.weight;
  if (config.weight === 0 || share === 0 || health?.weight === 0) return 0;
  const full = health !== undefined && health.weight > 0 ? health.weight : config.weight;
  return Math.max(1, Math.round(full * share));
}

export interface Service {
  readonly slot: number;
  config: ServiceConfig;
  /** By endpointKey, oldest first. The kernel lists and schedules in the opposite order. */
  readonly destinations: Map<EndpointKey, Destination>;
}

/** What tells the destinations of one service apart. */
export type Endpoint = Pick<DestinationConfig, 'address' | 'port'>;

/** What tells them apart in a map. A text for each of very many would be work for V8. */
export type EndpointKey = number | string;

const PORTS = 2 ** 16;

export function endpointKey({ address, port }: Endpoint): EndpointKey {
  const ipv4 = parse4(address);
  return ipv4 === undefined ? `${address}|${port}` : (ipv4 >>> 0) * PORTS + port;
}

/** Key of a destination in the trash. */
export function identity({ config }: Service, { address, port }: Endpoint): string {
  return `${keyText(config.key)} -> ${address}|${port}`;
}

export function find(service: Service, which: Endpoint): Destination | undefined {
  return service.destinations.get(endpointKey(which));
}

export function newestFirst({ destinations }: Service): Destination[] {
  return [...destinations.values()].reverse();
}

/** What is in force where that is not the operator's say alone. */
function presentOf(destination: Destination): Pick<DestinationEntry, 'present'> {
  const { health, drain } = destination;
  if (health === undefined && drain === undefined) return {};
  const absent = health?.absent === true;
  return { present: { weight: effectiveWeight(destination), absent, draining: drain !== undefined } };
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
    destinations: newestFirst(service).map((destination) => ({
      ...destination.config,
      lastWeight: destination.lastWeight,
      ...presentOf(destination),
      ...connections(destination.slot),
      stats: shown.destination(destination.slot),
    })),
  };
}
