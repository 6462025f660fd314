/** Orders to the program that is a wire (lab/programs/impaired-wire.ts). */
import type { FaultShares } from './fault-injector.js';

export interface Order {
  /** Number of the wire. */
  readonly wire: number;
  /** From the director; otherwise to it. */
  readonly outward: boolean;
  readonly shares: FaultShares;
}
