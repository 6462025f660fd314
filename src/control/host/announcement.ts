/**
 * What a director announces: follows the rule table, and keeps the routes of the VIPs that are
 * served (vip-routes.ts). It begins when synchronisation has brought the connections of others:
 * before, packets in the middle of them would be sent to it, and it would not know them.
 */
import type { AnnounceStatus } from '../api/api.js';
import type { CountersView } from '../rules/counters.js';
import type { Rules } from '../rules/rules.js';
import { servedOf } from '../rules/served.js';
import type { VipRoutes } from './vip-routes.js';

/** Period, in ms, in which to see that the last connections of quiesced destinations have ended. */
export const ANNOUNCE_MS = 2000;
/** Period, in ms, in which to see that it may begin. */
export const BEGIN_MS = 100;

export class Announcement {
  private hasBegun = false;
  /**
   * `table`: of the routes; undefined: the director announces nothing. `routes`: undefined without
   * a TUN device.
   */
  constructor(
    private readonly table: number | undefined,
    private readonly routes: () => VipRoutes | undefined,
    private readonly rules: () => { readonly rules: Rules; readonly view: CountersView },
    private readonly mayBegin: () => boolean = () => true,
  ) {}

  /** Announces at last, when it could not before. Call it often, until it returns true. */
  begin(): boolean {
    if (!this.hasBegun) this.refresh();
    return this.hasBegun;
  }

  /** Announces the VIPs that are served, and withdraws the others. */
  refresh(): void {
    const routes = this.routes();
    if (routes === undefined || !(this.hasBegun || this.mayBegin())) return;
    this.hasBegun = true;
    const { rules, view } = this.rules();
    const active = (slot: number) => view.connections(slot).activeConns;
    routes.update(rules.slotted().map((service) => servedOf(service, active)));
  }

  get status(): AnnounceStatus | undefined {
    const routes = this.routes();
    if (this.table === undefined || routes === undefined) return undefined;
    return { table: this.table, withdrawn: routes.withdrawn, prefixes: routes.announced };
  }
}
