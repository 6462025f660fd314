import type { Address } from './address.js';
import type { Link } from './link.js';
import type { Neighbour } from './neighbour.js';
import type { Route } from './route.js';
import type { RouteSocket } from './route-socket.js';
import type { Rule } from './rule.js';

/** What `lookupRoute` needs. */
export interface RoutingSnapshot {
  readonly links: readonly Link[];
  readonly rules: readonly Rule[];
  readonly routes: readonly Route[];
}

export interface Snapshot extends RoutingSnapshot {
  readonly addresses: readonly Address[];
  readonly neighbours: readonly Neighbour[];
}

/** Everything, read one kind after the other. Start the monitor first: what changes meanwhile is then announced. */
export function readSnapshot(socket: RouteSocket): Snapshot {
  return {
    links: socket.dump('link'),
    addresses: socket.dump('address'),
    rules: socket.dump('rule'),
    routes: socket.dump('route'),
    neighbours: socket.dump('neighbour'),
  };
}
