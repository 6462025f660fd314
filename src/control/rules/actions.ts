/**
 * Actions: what the dataplane does for an accepted request. They are plain data, which crosses to
 * the worker by structured clone, and are applied in order, between batches.
 *
 * Slots are integers from 0 on (MAX_SERVICES, MAX_DESTINATIONS). The counters of a slot only grow:
 * neither a new owner nor `-Z` sets them to zero; the control thread subtracts a base
 * (counter-base.ts). A removed destination keeps its slot, and its connections go on naming it,
 * until Rules.tick finds no references. An `addDestination` for such a slot (`revived`) gives
 * those connections their destination back.
 */
import type { DestinationConfig, ServiceConfig } from '../../service/config.js';
import type { Timeouts } from '../api/api.js';

/** One change, applied by engine/apply.ts. */
export type Action =
  | { kind: 'addService'; slot: number; service: ServiceConfig }
  | { kind: 'editService'; slot: number; service: ServiceConfig }
  | { kind: 'deleteService'; slot: number }
  | {
      kind: 'addDestination';
      slot: number;
      serviceSlot: number;
      destination: DestinationConfig;
      /** It comes from the trash, with its connections and gauges. */
      revived: boolean;
    }
  | { kind: 'editDestination'; slot: number; destination: DestinationConfig }
  | { kind: 'removeDestination'; slot: number }
  /** Templates bind clients to it no longer, or again. `share` is 0 to 1, of its weight. */
  | { kind: 'drainDestination'; slot: number; on: boolean; share?: number }
  /** Ends its connections: TCP by RST to both sides, UDP at once. */
  | { kind: 'endConnections'; slot: number; tcp: boolean; udp: boolean }
  | { kind: 'setTimeouts'; timeouts: Timeouts }
  /**
   * `-Z`: rates are 0 until the next turn of the estimator. `total`: also those of the whole
   * director.
   */
  | { kind: 'zeroRates'; services: number[]; destinations: number[]; total: boolean };
