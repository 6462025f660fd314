/**
 * What happens by time alone: connections expire, neighbours are resolved and given up. Called once
 * a batch, and when idle.
 */

import type { Rebuild } from '../conntrack/rebuild/rebuild.js';
import { type Director, tickOf } from './director.js';
import { sendArpRequest } from './neigh/arp.js';
import { sendSolicitation } from './neigh/nd.js';
import { dropWaiting } from './output/neighbour-output.js';
import { expireFragments } from './path/defrag.js';
import { startReset } from './path/reset.js';
import { askAgain } from './path/synproxy.js';
import type { Neighbour } from './table/neighbour.js';

/** Limit of entries that the timer wheel examines in one call: it bounds the pause. */
const BUDGET = 256;
/** Lines of a table that one call rebuilds: about a millisecond. */
export const REBUILD_BUDGET = 8192;
/** Interval (ms) of neighbour checks; neighbour timers count seconds. */
const NEIGHBOURS_EVERY = 100;
/** Interval (ms) of the schedulers' clean-up (ip_vs_lblc.c: CHECK_EXPIRE_INTERVAL). */
const SWEEP_EVERY = 60_000;

export class Housekeeping {
  private nextNeighbours = 0;
  private nextSweep: number;

  /** `askKernel`: called for a neighbour on a device where the kernel resolves neighbours. */
  constructor(
    private readonly d: Director,
    private readonly askKernel: (neighbour: Neighbour) => void = () => {},
  ) {
    this.nextSweep = d.now + SWEEP_EVERY;
    d.endConns.startReset = (entry) => startReset(d, entry);
    d.endConns.askAgain = (entry) => askAgain(d, entry);
  }

  /** Sets the director's clock (ms) and does what is due. */
  tick(now: number): void {
    this.d.now = now;
    this.doDue();
  }

  /** Does what is due at the director's time. */
  doDue(): void {
    const { d } = this;
    const { now } = d;
    if (d.rebuild === undefined) this.endDue();
    else this.rebuild(d.rebuild);
    expireFragments(d);
    if (d.offload !== undefined) d.offload.tick();
    if (now >= this.nextNeighbours) this.ageNeighbours(now);
    if (now >= this.nextSweep) {
      this.nextSweep = now + SWEEP_EVERY;
      for (const service of d.services.bySlot) service?.schedule.sweep?.(now);
    }
    this.ask();
  }

  /** Ends connections: by their timers, in defence, without their destination. */
  private endDue(): void {
    const { d } = this;
    d.connections.tick(tickOf(d.now), BUDGET);
    d.defence.tick();
    d.synFloods.tick();
    d.endConns.tick();
    if (d.sync !== undefined) d.sync.tick();
  }

  /** A step of the rebuild. Until it is complete no connection ends by time. */
  private rebuild(rebuild: Rebuild): void {
    const { d } = this;
    d.connections.now = tickOf(d.now);
    if (rebuild.step(REBUILD_BUDGET)) d.rebuild = undefined;
  }

  /**
   * Separate from `tick`, which would otherwise allocate a context for these closures at each call.
   */
  private ageNeighbours(now: number): void {
    const { d } = this;
    this.nextNeighbours = now + NEIGHBOURS_EVERY;
    if (d.neighbours.collect()) {
      d.router.forgetCached();
      d.offload?.forgetHops();
    }
    d.neighbours.tick(
      now,
      (device) => d.links[device]!.resolves,
      (neighbour) => dropWaiting(d, neighbour),
    );
  }

  /**
   * Resolves the neighbours that packets need. Called after each batch, so that the first packet
   * does not wait for a tick.
   */
  ask(): void {
    const { d } = this;
    const { wanted } = d.neighbours;
    if (wanted.length === 0) return;
    for (const id of wanted) {
      const neighbour = d.neighbours.all[id]!;
      if (!d.links[neighbour.device]!.resolves) this.askKernel(neighbour);
      else if (neighbour.family === 4) sendArpRequest(d, neighbour);
      else sendSolicitation(d, neighbour);
    }
    wanted.length = 0;
  }
}
