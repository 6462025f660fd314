/**
 * What a program asks after a listing of all services: the destinations of one service after the
 * other, a thousand requests. The director's answer to the listing has had them all.
 *
 *   dump of the services ──────► asked, and kept for the thread, KEPT_MS at most
 *   dump of one's destinations ► from there, each service once; else the director is asked
 *   a change by any program ───► forgotten
 *
 * The rates of a service are estimated every 2 s, so a listing is never much older than what it
 * shows. Changes by others than the programs under this `ulvs exec` are seen after that time, or by
 * the next listing.
 */
import type { AdminClient, AdminReply, AdminRequest, ServiceEntry } from '../../control/api/api.js';
import { READING } from '../../control/api/reading.js';
import { keyText, type ServiceKey } from '../../service/config.js';
import type { ProgramClient } from '../ask.js';

const KEPT_MS = 2000;

export class ListingMemory implements AdminClient {
  private readonly byKey = new Map<string, ServiceEntry>();
  private thread = 0;
  private until = 0;

  /** `now`: a clock in ms. */
  constructor(
    private readonly director: AdminClient,
    private readonly now: () => number = () => performance.now(),
  ) {}

  request(request: AdminRequest): Promise<AdminReply> {
    if (!READING.has(request.op)) this.byKey.clear();
    return this.director.request(request);
  }

  /** Asks for a thread of a program. */
  clientOf(thread: number): ProgramClient {
    return {
      request: (request) => this.request(request),
      keepListing: (services) => this.keep(thread, services),
      takeListed: (key) => this.take(thread, key),
    };
  }

  private keep(thread: number, services: readonly ServiceEntry[]): void {
    this.byKey.clear();
    for (const service of services) this.byKey.set(keyText(service.key), service);
    this.thread = thread;
    this.until = this.now() + KEPT_MS;
  }

  private take(thread: number, key: ServiceKey): ServiceEntry | undefined {
    if (this.byKey.size === 0 || thread !== this.thread) return undefined;
    if (this.now() > this.until) this.byKey.clear();
    const name = keyText(key);
    const service = this.byKey.get(name);
    this.byKey.delete(name);
    return service;
  }
}
