/**
 * Health in the rule table: the weight in force follows from the operator's weight and from what
 * the checks say. A destination that failed is kept at weight 0, or taken out of the dataplane and
 * the intercept rules while the rule table keeps it (absent).
 *
 *     operator's weight ─┬─ health says nothing ────────► that weight
 *                        ├─ share of it, or a weight ───► 1 at least; an operator's 0 stays 0
 *                        └─ down ───────────────────────► 0, or absent
 */
import type { DestinationConfig, ServiceConfig } from '../../service/config.js';
import type { ChangeRequest } from '../api/api.js';
import type { Action } from './actions.js';
import { type Destination, type DestinationHealth, effectiveWeight, newestFirst, type Service } from './entries.js';

export type { DestinationHealth };

/** A service with the slots of its destinations. */
export interface SlottedService {
  readonly slot: number;
  readonly config: ServiceConfig;
  readonly destinations: readonly Destination[];
}

/** A destination whose weight follows its health. */
export interface HealthTarget {
  readonly destination: Destination;
  readonly service: Service;
}

/** What the host and the dataplane do. */
export interface HealthOutcome {
  readonly changes: readonly ChangeRequest[];
  readonly actions: readonly Action[];
}

export function findSlot(services: Iterable<Service>, slot: number): HealthTarget | undefined {
  for (const service of services)
    for (const destination of service.destinations.values())
      if (destination.slot === slot) return { destination, service };
  return undefined;
}

export function isAbsent({ health }: Pick<Destination, 'health'>): boolean {
  return health?.absent === true;
}

/** The destinations that the dataplane has, newest first. */
export function present(service: Service): DestinationConfig[] {
  return newestFirst(service)
    .filter((destination) => !isAbsent(destination))
    .map(({ config }) => config);
}

/** The action for a destination whose configuration or weight has changed. */
export function edited(destination: Destination): Action {
  return { kind: 'editDestination', slot: destination.slot, destination: effective(destination) };
}

/**
 * The destination drains, or no longer (`share` undefined). Returns what the dataplane does, and
 * what a state keeps.
 */
export function applyDrain(destination: Destination, share: number | undefined): { actions: Action[]; kept: Action[] } {
  const { slot } = destination;
  const before = effectiveWeight(destination);
  const on = share !== undefined;
  const drained: Action = { kind: 'drainDestination', slot, on, ...(on && { share }) };
  const isNew = on !== (destination.drain !== undefined);
  destination.drain = share;
  const kept = [drained];
  if (isAbsent(destination)) return { actions: [], kept };
  const same = before === effectiveWeight(destination);
  return { actions: [...(same ? [] : [edited(destination)]), ...(isNew ? kept : [])], kept };
}

/** Sets what health says of a destination. */
export function applyHealth(
  { destination, service }: HealthTarget,
  health: DestinationHealth | undefined,
): HealthOutcome {
  const before = effectiveWeight(destination);
  const wasAbsent = isAbsent(destination);
  destination.health = health;
  if (wasAbsent !== isAbsent(destination))
    return wasAbsent ? comeBack(destination, service) : leave(destination, service);
  const same = wasAbsent || before === effectiveWeight(destination);
  return { changes: [], actions: same ? [] : [edited(destination)] };
}

function comeBack(destination: Destination, service: Service): HealthOutcome {
  const { slot, config } = destination;
  const action: Action = {
    kind: 'addDestination',
    slot,
    serviceSlot: service.slot,
    destination: effective(destination),
    revived: true,
  };
  return { changes: [{ op: 'addDestination', key: service.config.key, destination: config }], actions: [action] };
}

function leave({ slot, config }: Destination, service: Service): HealthOutcome {
  const { address, port } = config;
  return {
    changes: [{ op: 'deleteDestination', key: service.config.key, address, port }],
    actions: [{ kind: 'removeDestination', slot }],
  };
}

/** The configuration that the dataplane uses. */
function effective(destination: Destination): DestinationConfig {
  return { ...destination.config, weight: effectiveWeight(destination) };
}
