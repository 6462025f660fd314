/**
 * What the request server needs of whoever forwards.
 *
 *     request ─► Rules ─ actions ─► take (host first: its stack leaves the traffic alone) ─► send (then the dataplane) ─► reply
 *
 * The order matters: between the two the director gets packets that it does not know yet, and passes them back. The other way round
 * the host's stack would refuse clients of a service that the director serves already.
 */
import type { DeviceStatus, ServiceEntry } from '../api/api.js';
import type { Order } from '../engine/messages.js';

/** The forwarding side, as the control side uses it. */
export interface Forwarding {
  /** From now on the host's stack leaves alone what these services want. Throws an Error with one line. */
  take(services: readonly ServiceEntry[]): void;
  send(order: Order): void;
  devices(): DeviceStatus[];
  /** ms, of the clock that the dataplane is turned by. */
  now(): number;
  /** A connection table a worker, and its clock in ticks. */
  readonly tables: readonly Int32Array[];
  tick(table: Int32Array): number;
  /** Frames that worker `i` has processed. */
  processed(i: number): number;
  /** Brings the counters up to date, where several workers count. */
  gather(): void;
}
