import type { DestinationConfig, ServiceConfig } from '../../service/config.js';
import type { Timeouts } from '../api/api.js';

/**
 * What the dataplane has to do about an accepted request: plain data (it crosses to the worker by structured clone),
 * to be applied in order, between batches.
 *
 * Slots are small integers (services < 4096, destinations < 65536). A slot's counters only ever grow: neither a new
 * tenant nor `-Z` sets them to zero, the control side subtracts a base (counter-base.ts). A removed destination keeps its slot, and
 * its connections go on naming it, until Rules.tick finds it unreferenced; an `addDestination` of a slot that was
 * removed before (`revived`) makes those connections its own again.
 */
export type Action =
  | { kind: 'addService'; slot: number; service: ServiceConfig }
  | { kind: 'editService'; slot: number; service: ServiceConfig }
  | { kind: 'deleteService'; slot: number }
  | {
      kind: 'addDestination';
      slot: number;
      serviceSlot: number;
      destination: DestinationConfig;
      /** Taken back from the trash, with its connections and connection counts. */
      revived: boolean;
    }
  | { kind: 'editDestination'; slot: number; destination: DestinationConfig }
  | { kind: 'removeDestination'; slot: number }
  | { kind: 'setTimeouts'; timeouts: Timeouts }
  /** `-Z` sets the shown rates to zero until the estimator's next turn (its counters stay). `total`: the whole director's too. */
  | { kind: 'zeroRates'; services: number[]; destinations: number[]; total: boolean };
