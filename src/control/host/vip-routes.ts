/**
 * Routes for the VIPs that this director serves, from which a routing daemon announces them:
 *
 *     service that is served (rules/served.ts) ─► ip route: VIP/32 dev ulvsN table T
 *                                                    └─► BIRD learns table T ─► BGP
 *
 * No packet uses the routes: no policy rule leads to table T. The routes leave by ulvsN, so that
 * the kernel removes them when the process ends, in whatever way, and BIRD withdraws the VIPs at
 * once.
 */
import { familyOf, isFwmark } from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import type { Served } from '../rules/served.js';
import { type IpBatch, ipBatch } from './local-replies.js';

/** A route of the kernel. */
interface KnownRoute {
  readonly dst: string;
  readonly table: number;
}

export interface VipRoutesOptions {
  readonly table: number;
  /** Networks that the director accepts by mark: they are served when a fwmark service is. */
  readonly ranges: readonly string[];
}

/** RTPROT_* of the routes, a number that no other program has (rtnetlink(7)). */
const PROTOCOL = 85;

/**
 * Prefixes of the services that are served: /32 and /128 of addresses, and `ranges` of fwmark
 * services of their family.
 */
export function servedPrefixes(services: readonly Served[], ranges: readonly string[]): string[] {
  const prefixes = services.flatMap(({ key, served }) => {
    if (!served) return [];
    if (!isFwmark(key)) return [`${key.address}/${isIPv6(key.address) ? 128 : 32}`];
    return ranges.filter((range) => isIPv6(range) === (familyOf(key) === 6));
  });
  return [...new Set(prefixes)].sort();
}

/** The routes of this process in one table. */
export class VipRoutes {
  private present: readonly string[] = [];
  private services: readonly Served[] = [];
  private withheld = false;
  private warned = '';

  /** `tun`: interface into the host's stack. `warn` gets one line about what cannot be done. */
  constructor(
    private readonly tun: string,
    private options: VipRoutesOptions,
    private readonly warn: (message: string) => void,
    private readonly batch: IpBatch = ipBatch,
  ) {}

  /** Prefixes that have a route. */
  get announced(): readonly string[] {
    return this.present;
  }

  get withdrawn(): boolean {
    return this.withheld;
  }

  /** Puts the routes of these services into force. */
  update(services: readonly Served[]): void {
    this.services = services;
    this.refresh();
  }

  configure(ranges: readonly string[]): void {
    this.options = { ...this.options, ranges };
  }

  /** Removes all routes, or puts them back. */
  withdraw(withdrawn: boolean): void {
    this.withheld = withdrawn;
    this.refresh();
  }

  /** Sets the routes again that somebody has removed. `routes`: those of the kernel. */
  check(routes: readonly KnownRoute[]): void {
    const here = new Set(routes.filter(({ table }) => table === this.options.table).map(({ dst }) => dst));
    this.present = this.present.filter((prefix) => here.has(prefix));
    this.refresh();
  }

  private refresh(): void {
    const wanted = this.withheld ? [] : servedPrefixes(this.services, this.options.ranges);
    const gone = this.present.filter((prefix) => !wanted.includes(prefix));
    const added = wanted.filter((prefix) => !this.present.includes(prefix));
    for (const prefix of gone) this.route('del', prefix);
    this.present = [
      ...wanted.filter((prefix) => !added.includes(prefix)),
      ...added.filter((prefix) => this.route('replace', prefix)),
    ];
  }

  /** Returns false if the kernel refuses. */
  private route(action: 'replace' | 'del', prefix: string): boolean {
    const { tun } = this;
    const line = `route ${action} ${prefix} dev ${tun} table ${this.options.table} proto ${PROTOCOL}`;
    const why = this.batch(isIPv6(prefix) ? '-6' : '-4', [line]);
    // Somebody has removed the route, or a new director has replaced it.
    if (why === '' || (action === 'del' && /No such process/.test(why))) return true;
    const message = `announce: ${prefix} is not announced: ip ${line}: ${why}`;
    if (message !== this.warned) this.warn(message);
    this.warned = message;
    return false;
  }
}
