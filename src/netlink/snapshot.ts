/** Reads the whole routing configuration of the kernel. */
import type { Address } from './address.js';
import type { Link } from './link.js';
import type { Neighbour } from './neighbour.js';
import type { Route } from './route.js';
import type { RouteSocket } from './route-socket.js';
import type { Rule } from './rule.js';

/** All records of the kernel's routing, by kind. */
export interface Snapshot {
  readonly links: readonly Link[];
  readonly addresses: readonly Address[];
  readonly rules: readonly Rule[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
}

/**
 * Dumps all kinds, one after the other. Start the monitor first: then it reports changes that
 * happen meanwhile.
 */
export function readSnapshot(socket: RouteSocket): Snapshot {
  return {
    links: socket.dump('link'),
    addresses: socket.dump('address'),
    rules: socket.dump('rule'),
    routes: socket.dump('route'),
    neighbours: socket.dump('neighbour'),
  };
}
