/**
 * Whether a service has something to serve: the signal by which a director of a fleet announces or
 * withdraws its VIP.
 *
 *     a destination is up ─┬─ its weight is above 0 ──────────────────────► served
 *                          └─ quiesced or draining, with connections ─────► served until they end
 *     all are down (health checks), or there is none ─────────────────────► not served
 */
import type { ServiceKey } from '../../service/config.js';
import { type Destination, effectiveWeight } from './entries.js';
import { isAbsent, type SlottedService } from './health-weight.js';

/** A service, and whether it is served. */
export interface Served {
  readonly key: ServiceKey;
  readonly served: boolean;
}

/** `active`: number of active connections of a destination, by slot. */
export function servedOf({ config, destinations }: SlottedService, active: (slot: number) => number): Served {
  return {
    key: config.key,
    served: destinations.some((one) => isUp(one) && (takesClients(one) || active(one.slot) > 0)),
  };
}

/** The health checks, if there are any, do not say that it is down. */
function isUp({ health, ...destination }: Destination): boolean {
  const config = { ...destination.config, weight: 1 };
  return !isAbsent({ health }) && effectiveWeight({ config, health }) > 0;
}

function takesClients(destination: Destination): boolean {
  return effectiveWeight(destination) > 0;
}
