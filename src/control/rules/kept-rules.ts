/**
 * The rules that actions have made, as the shortest list of actions that makes them again: for a
 * worker that is started anew, and for the journal of a state (control/state). Slots stay
 * what they were, because connections and counters name them. A removed destination keeps its slot
 * while connections name it; so does its service.
 *
 *     actions, released slots ─► services and destinations by slot ─► addService, addDestination, removeDestination, …
 */
import type { DestinationConfig, ServiceConfig } from '../../service/config.js';
import type { Timeouts } from '../api/api.js';
import type { Action } from './actions.js';

interface KeptService {
  config: ServiceConfig;
  live: boolean;
  /** Number of its destinations, removed ones included. */
  destinations: number;
  /** Number of those that are not removed. */
  present: number;
}

interface KeptDestination {
  serviceSlot: number;
  config: DestinationConfig;
  /** The last weight above 0: mh fills its table by it while the destination is quiesced. */
  lastWeight: number;
  /** It drains: the action that made it so. Templates bind no clients to it. */
  drained: Extract<Action, { kind: 'drainDestination' }> | undefined;
  live: boolean;
}

/** The rules. */
export class KeptRules {
  /** By slot, in the order of their addition. */
  private readonly services = new Map<number, KeptService>();
  private readonly destinations = new Map<number, KeptDestination>();
  private timeouts: Timeouts | undefined;

  apply(actions: readonly Action[]): void {
    for (const action of actions) this.applyOne(action);
  }

  /** The slots of removed destinations became free. */
  release(slots: readonly number[]): void {
    for (const slot of slots) this.forget(slot);
  }

  /** Number of services and destinations, removed ones included. */
  get count(): number {
    return this.services.size + this.destinations.size;
  }

  /** Actions that make these rules of nothing. */
  actions(): Action[] {
    const bySlot = new Map<number, [number, KeptDestination][]>();
    for (const [slot, destination] of this.destinations) {
      const list = bySlot.get(destination.serviceSlot) ?? [];
      list.push([slot, destination]);
      bySlot.set(destination.serviceSlot, list);
    }
    // A deleted service may have the key of a live one: it comes and goes first.
    const ordered = [...this.services].sort(([, a], [, b]) => Number(a.live) - Number(b.live));
    const made = ordered.flatMap(([slot, service]) => serviceActions(slot, service, bySlot.get(slot) ?? []));
    return this.timeouts === undefined ? made : [...made, { kind: 'setTimeouts', timeouts: this.timeouts }];
  }

  private applyOne(action: Action): void {
    switch (action.kind) {
      case 'addService':
        this.services.delete(action.slot);
        this.services.set(action.slot, { config: action.service, live: true, destinations: 0, present: 0 });
        return;
      case 'editService':
        this.services.get(action.slot)!.config = action.service;
        return;
      case 'deleteService':
        this.deleteService(action.slot);
        return;
      case 'addDestination':
        this.addDestination(action);
        return;
      case 'editDestination':
        this.editDestination(action.slot, action.destination);
        return;
      case 'removeDestination':
        this.removeDestination(this.destinations.get(action.slot)!);
        return;
      case 'drainDestination':
        this.destinations.get(action.slot)!.drained = action.on ? action : undefined;
        return;
      case 'setTimeouts':
        this.timeouts = action.timeouts;
        return;
      case 'zeroRates':
      case 'endConnections':
        return;
    }
  }

  /** A revived destination may leave a deleted service. */
  private addDestination({ slot, serviceSlot, destination }: Extract<Action, { kind: 'addDestination' }>): void {
    const service = this.services.get(serviceSlot)!;
    service.destinations++;
    service.present++;
    this.forget(slot);
    const { weight: lastWeight } = destination;
    this.destinations.set(slot, { serviceSlot, config: destination, lastWeight, drained: undefined, live: true });
  }

  /** With it go destinations that health had taken out of the dataplane before. */
  private deleteService(slot: number): void {
    const service = this.services.get(slot)!;
    service.live = false;
    if (service.present > 0)
      for (const destination of this.destinations.values())
        if (destination.serviceSlot === slot) this.removeDestination(destination);
    this.releaseService(slot);
  }

  private editDestination(slot: number, config: DestinationConfig): void {
    const destination = this.destinations.get(slot)!;
    destination.config = config;
    if (config.weight !== 0) destination.lastWeight = config.weight;
  }

  private removeDestination(destination: KeptDestination): void {
    if (destination.live) this.services.get(destination.serviceSlot)!.present--;
    destination.live = false;
  }

  private forget(slot: number): void {
    const former = this.destinations.get(slot);
    if (former === undefined) return;
    this.removeDestination(former);
    this.destinations.delete(slot);
    this.services.get(former.serviceSlot)!.destinations--;
    this.releaseService(former.serviceSlot);
  }

  /** Forgets a deleted service that has no destination any more. */
  private releaseService(slot: number): void {
    const { live, destinations } = this.services.get(slot)!;
    if (!live && destinations === 0) this.services.delete(slot);
  }
}

function serviceActions(
  slot: number,
  service: KeptService,
  destinations: readonly [number, KeptDestination][],
): Action[] {
  const added = destinations.flatMap(([at, destination]) => destinationActions(at, slot, destination));
  const gone = destinations.filter(([, { live }]) => !live);
  const removed = gone.map(([at]): Action => ({ kind: 'removeDestination', slot: at }));
  const deleted: Action[] = service.live ? [] : [{ kind: 'deleteService', slot }];
  return [{ kind: 'addService', slot, service: service.config }, ...added, ...removed, ...deleted];
}

/** A quiesced destination is added with the weight that it had. */
function destinationActions(slot: number, serviceSlot: number, kept: KeptDestination): Action[] {
  const { config, lastWeight, drained } = kept;
  const isQuiesced = config.weight === 0 && lastWeight > 0;
  const destination = isQuiesced ? { ...config, weight: lastWeight } : config;
  const actions: Action[] = [{ kind: 'addDestination', slot, serviceSlot, destination, revived: false }];
  if (isQuiesced) actions.push({ kind: 'editDestination', slot, destination: config });
  if (drained !== undefined) actions.push(drained);
  return actions;
}
