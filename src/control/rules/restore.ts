/**
 * The rule table of a former process, from the actions that made it (kept-rules.ts). Every
 * action names its slots, so that connections, which name slots, find their destinations again.
 */
import type { DestinationConfig } from '../../service/config.js';
import type { Timeouts } from '../api/api.js';
import type { Action } from './actions.js';
import type { DestTrash } from './dest-trash.js';
import { type Destination, type EndpointKey, endpointKey, identity, type Service } from './entries.js';
import type { ServiceMap } from './service-map.js';

/** What is filled. */
export interface RestoredTables {
  readonly services: ServiceMap<Service>;
  readonly trash: DestTrash;
}

/**
 * The slots in use. A service has one reference for itself and one for each of its destinations.
 */
export interface RestoredSlots {
  readonly serviceSlots: ReadonlyMap<number, number>;
  readonly destinationSlots: ReadonlySet<number>;
  readonly timeouts: Timeouts | undefined;
}

/** Fills the tables, which are empty. */
export function restoreRules(actions: readonly Action[], tables: RestoredTables): RestoredSlots {
  const restoring = new Restoring(tables);
  for (const action of actions) restoring.apply(action);
  return restoring;
}

class Restoring implements RestoredSlots {
  readonly serviceSlots = new Map<number, number>();
  readonly destinationSlots = new Set<number>();
  timeouts: Timeouts | undefined;
  private readonly bySlot = new Map<number, Service>();
  /** The service and the key of a destination, by its slot. */
  private readonly owners = new Map<number, { service: Service; endpoint: EndpointKey }>();

  constructor(private readonly tables: RestoredTables) {}

  apply(action: Action): void {
    switch (action.kind) {
      case 'addService':
        return this.addService(action.slot, action.service);
      case 'deleteService':
        return this.deleteService(action.slot);
      case 'addDestination':
        return this.addDestination(action);
      case 'editDestination':
        return this.editDestination(action.slot, action.destination);
      case 'removeDestination':
        return this.removeDestination(action.slot);
      case 'drainDestination':
        this.destination(action.slot).drain = action.share ?? 0;
        return;
      case 'setTimeouts':
        this.timeouts = action.timeouts;
        return;
      default:
        throw new Error(`no action of a kept rule table: ${action.kind}`);
    }
  }

  private addService(slot: number, config: Service['config']): void {
    const service: Service = { slot, config, destinations: new Map() };
    this.tables.services.set(config.key, service);
    this.bySlot.set(slot, service);
    this.serviceSlots.set(slot, 1);
  }

  private deleteService(slot: number): void {
    this.tables.services.delete(this.bySlot.get(slot)!.config.key);
    this.serviceSlots.set(slot, this.serviceSlots.get(slot)! - 1);
  }

  private addDestination({ slot, serviceSlot, destination }: Extract<Action, { kind: 'addDestination' }>): void {
    const service = this.bySlot.get(serviceSlot)!;
    const endpoint = endpointKey(destination);
    service.destinations.set(endpoint, { slot, config: destination, lastWeight: destination.weight });
    this.owners.set(slot, { service, endpoint });
    this.destinationSlots.add(slot);
    this.serviceSlots.set(serviceSlot, this.serviceSlots.get(serviceSlot)! + 1);
  }

  private editDestination(slot: number, config: DestinationConfig): void {
    const destination = this.destination(slot);
    destination.config = config;
    if (config.weight !== 0) destination.lastWeight = config.weight;
  }

  private destination(slot: number): Destination {
    const { service, endpoint } = this.owners.get(slot)!;
    return service.destinations.get(endpoint)!;
  }

  private removeDestination(slot: number): void {
    const { service, endpoint } = this.owners.get(slot)!;
    const { config } = service.destinations.get(endpoint)!;
    service.destinations.delete(endpoint);
    this.tables.trash.put(identity(service, config), slot, service.slot);
  }
}
