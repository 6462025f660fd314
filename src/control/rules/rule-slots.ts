/**
 * The slots of services and destinations, by which dataplane and counters know them.
 *
 *     openService ──► live ──► releaseService ──► free, when its last destination is
 *     openDestination ──► live ──► bury ──► in the trash ──► free, when no connection names it
 *                           ▲                    │
 *                           └────── revive ──────┘
 */
import { MAX_DESTINATIONS, MAX_SERVICES } from '../../stats/counters.js';
import type { ChangeRequest } from '../api/api.js';
import type { Action } from './actions.js';
import { ShownCounters, type ZeroPoints } from './counter-base.js';
import type { CountersView } from './counters.js';
import { DestTrash } from './dest-trash.js';
import type { Service } from './entries.js';
import { type RestoredSlots, restoreRules } from './restore.js';
import type { ServiceMap } from './service-map.js';
import { CountedSlots, Slots } from './slots.js';

/** Numbers of services and destinations. */
export interface Room {
  readonly services: number;
  readonly destinations: number;
}

const WHOLE_ROOM: Room = { services: MAX_SERVICES, destinations: MAX_DESTINATIONS };

/** What the slots need to know. */
export interface SlotsOptions {
  readonly counters: CountersView;
  /** Zero points of the counters, where they outlive the process. */
  readonly zeroPoints?: ZeroPoints | undefined;
  /** Number of slots; by default as many as the counters have. */
  readonly room?: Room;
}

export class RuleSlots {
  /**
   * A service has one reference to its slot, and so has each of its destinations, live or in the
   * trash.
   */
  private readonly services: CountedSlots;
  private readonly destinations: Slots;
  private readonly trash = new DestTrash();
  readonly shown: ShownCounters;

  constructor({ counters, zeroPoints, room = WHOLE_ROOM }: SlotsOptions) {
    this.services = new CountedSlots(room.services);
    this.destinations = new Slots(room.destinations);
    this.shown = new ShownCounters(counters, zeroPoints);
  }

  /** A slot with counters of zero; undefined: all are in use. */
  openService(): number | undefined {
    const slot = this.services.allocate();
    if (slot !== undefined) this.shown.zeroService(slot);
    return slot;
  }

  releaseService(slot: number): void {
    if (this.services.release(slot)) this.shown.forgetService(slot);
  }

  /** A slot with counters of zero; undefined: all are in use. */
  openDestination(serviceSlot: number): number | undefined {
    const slot = this.destinations.allocate();
    if (slot === undefined) return undefined;
    this.services.addReference(serviceSlot);
    this.shown.zeroDestination(slot);
    return slot;
  }

  /** The destination was removed. `identity`: service and destination as text. */
  bury(identity: string, slot: number, serviceSlot: number): void {
    this.trash.put(identity, slot, serviceSlot);
  }

  /** No destination can be taken back. */
  get isTrashEmpty(): boolean {
    return this.trash.isEmpty;
  }

  /**
   * Takes a destination back from the trash; undefined: it is not there. Its counters go on only if
   * its service is the same (ip_vs_zero_stats in __ip_vs_update_dest).
   */
  revive(identity: string, serviceSlot: number): number | undefined {
    const found = this.trash.takeOut(identity);
    if (!found) return undefined;
    if (found.serviceSlot !== serviceSlot) this.shown.zeroDestination(found.slot);
    this.services.addReference(serviceSlot);
    this.releaseService(found.serviceSlot);
    return found.slot;
  }

  /**
   * Frees removed destinations that no connection names any more. Call it every few seconds,
   * `nowMs` in ms. `refs`: number of connections and templates that name a slot. Returns the slots
   * that became free.
   */
  tick(nowMs: number, refs: (destinationSlot: number) => number): number[] {
    const gone = this.trash.tick(nowMs, refs);
    for (const { slot, serviceSlot } of gone) {
      this.destinations.release(slot);
      this.shown.forgetDestination(slot);
      this.releaseService(serviceSlot);
    }
    return gone.map((entry) => entry.slot);
  }

  /** As Rules.restore; fills `services`. */
  restore(actions: readonly Action[], services: ServiceMap<Service>): RestoredSlots['timeouts'] {
    const { serviceSlots, destinationSlots, timeouts } = restoreRules(actions, { services, trash: this.trash });
    this.services.restore(serviceSlots);
    this.destinations.restore(destinationSlots);
    this.shown.restore(serviceSlots.keys(), destinationSlots);
    return timeouts;
  }

  /** No slot of a service and of a destination from these on was ever used. */
  get high(): Room {
    return { services: this.services.high, destinations: this.destinations.high };
  }

  /**
   * What is missing for all of these requests to be accepted, in words; undefined: nothing. Slots
   * of removed destinations and their services stay in use for two minutes, or longer while
   * connections name them.
   */
  lackOfRoom(requests: readonly ChangeRequest[]): string | undefined {
    const count = (op: ChangeRequest['op']) => requests.filter((request) => request.op === op).length;
    return (
      lack('services', count('addService'), this.services.free) ??
      lack('destinations', count('addDestination'), this.destinations.free)
    );
  }
}

function lack(what: string, wanted: number, free: number): string | undefined {
  if (wanted <= free) return undefined;
  return `${wanted} new ${what}, but there is room for ${free} only: removed ones keep their place for two minutes, or while they have connections`;
}
