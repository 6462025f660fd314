/**
 * The forwarding side, as the request server uses it.
 *
 *     Daemon ─ request ─► Requests ─► Rules ─ actions ─► Forwarding ─┬─ 1. intercept: the host's stack stops seeing the traffic
 *                                                                    └─ 2. send: the dataplane applies the actions
 *
 * The host comes first, then the dataplane. Between the two steps the dataplane gets packets of
 * services that it does not know yet, and passes them back to the host. In the opposite order the
 * host's stack would refuse clients of a service that the director already serves, and both would
 * answer.
 */
import type { RouteData } from '../../dataplane/table/route-data.js';
import type { ServiceStatus } from '../../health/spec.js';
import type { LoopReading } from '../../stats/loop-stats.js';
import type { AnnounceStatus, ChangeRequest, DeviceStatus, OffloadStatus } from '../api/api.js';
import type { FrameCensus } from '../engine/frame-census.js';
import type { Message } from '../engine/messages.js';
import type { SyncDaemons } from '../sync/daemons.js';

/** The health checks, as the request server sees them. */
export interface HealthChecks {
  /** At most a second old. */
  readonly status: readonly ServiceStatus[];
  /** Services or destinations may have changed. */
  rulesChanged(): void;
}

/** Implemented by Daemon with threads and devices, and by InProcessDirector without. */
export interface Forwarding {
  /**
   * The host's stack follows changes that the rule table has accepted: it stops seeing packets of
   * new services. Throws an Error of one line; the next change tries again.
   */
  intercept(changes: readonly ChangeRequest[]): void;
  /** Sends a message to every worker. */
  send(message: Message): void;
  devices(): DeviceStatus[];
  /** The routes that the dataplane follows; undefined in a replay. */
  routes?(): RouteData;
  /** Time of the dataplane's clock, ms. */
  now(): number;
  /** The connection table of each worker. */
  readonly tables: readonly Int32Array[];
  /** Time of a connection table, in ticks. */
  tick(table: Int32Array): number;
  /** Number of frames that worker `i` has processed. */
  processed(i: number): number;
  /** What the loop of worker `i` does with its time; undefined in a replay. */
  loop?(i: number): LoopReading;
  /** Where the frames of worker `i` are; undefined in a replay. */
  census?(i: number): FrameCensus;
  /** The daemons of synchronisation. */
  readonly sync: SyncDaemons;
  /** The health checks; undefined in a replay. */
  readonly health?: HealthChecks;
  /** Rules, weights or health have changed, and the dataplane knows. */
  changed?(): void;
  /** What is announced; undefined: the director announces nothing. */
  announce?(): AnnounceStatus | undefined;
  /** Takes the routes of announced VIPs away, or puts them back. */
  withdraw?(withdrawn: boolean): void;
  /**
   * Brings the sums of the workers' counters up to date, for the slots of services and destinations
   * below these numbers.
   */
  gather(services: number, destinations: number): void;
  /** Counters and timers follow what XDP programs have forwarded; undefined: no offload. */
  readonly readFlows?: (() => Promise<void>) | undefined;
  /** The offload; undefined: there is none. */
  flows?(): OffloadStatus | undefined;
}
