/**
 * The host's stack beside the director: keeps intercept rules, replies of local destinations and
 * warnings about unanswered VIPs in step with the services.
 */
import type { Logger } from 'pino';
import { isFwmark, type ServiceConfig, type ServiceRules } from '../../service/config.js';
import type { ChangeRequest } from '../api/api.js';
import type { Config } from '../config/director-config.js';
import { AddressWarnings } from './address-warnings.js';
import type { Attachment } from './attach.js';
import { type InterceptConfig, Interceptor } from './interceptor.js';
import type { LiveNetwork } from './live-network.js';
import { LocalReplies } from './local-replies.js';
import { unansweredVips, warningOf } from './unanswered-vips.js';
import { unroutedDestinations, unroutedWarning } from './unrouted.js';
import { VipRoutes } from './vip-routes.js';

/**
 * Changes after which a realserver may be none: one that came is not to be warned of, and a warning
 * may be due again when it comes back.
 */
const REMOVALS: ReadonlySet<ChangeRequest['op']> = new Set(['deleteDestination', 'deleteService', 'flush']);

/** All that is changed in the host while a director runs. */
export class HostStack {
  private interceptor: Interceptor | undefined;
  private replies: LocalReplies | undefined;
  /**
   * Realservers that a warning was given for, those that came since, and the routes in which all
   * others were looked up.
   */
  private unrouted = new Set<string>();
  private came: string[] = [];
  private checked: LiveNetwork['routes'] | undefined;
  /** The routes of announced VIPs, with `announce`. */
  routes: VipRoutes | undefined;
  /** VIPs that a warning was given for. */
  private readonly unanswered = new Set<string>();
  private readonly unroutedWarnings: AddressWarnings;
  private readonly unansweredWarnings: AddressWarnings;

  constructor(
    private readonly live: LiveNetwork,
    private config: InterceptConfig & Pick<Config, 'announce'>,
    private readonly log: Logger,
    /** The present services. */
    private readonly services: () => readonly ServiceRules[],
    /** The connections outlive the process (control/state). */
    private readonly isKept: boolean,
  ) {
    const warn = (line: string) => log.warn(line);
    this.unroutedWarnings = new AddressWarnings(warn, unroutedWarning, 'realserver', 'to which no route leads');
    this.unansweredWarnings = new AddressWarnings(warn, warningOf, 'VIP', 'for which nobody answers ARP');
  }

  /** Installs empty intercept rules. Throws a DeviceError. */
  start({ devices, maps }: Attachment): void {
    const { live, log } = this;
    const copied = devices.filter(({ shared, exclusive }) => shared && !exclusive).map(({ name }) => name);
    if (copied.length === 0 && maps === undefined) return;
    const guarded = this.isKept ? devices.filter(({ shared }) => shared).map(({ name }) => name) : [];
    const has = (address: string) => live.has(address);
    this.interceptor = new Interceptor(copied, maps, this.config, has, this.services, guarded);
    for (const text of this.interceptor.warnings()) log.warn(text);
  }

  /**
   * Call when the dataplane runs: routes the replies of this machine's destinations; VIPs can be
   * announced from then on. `tun`: interface into the host's stack, '' for none.
   */
  useTun(tun: string): void {
    const { announce, accept } = this.config;
    const warn = (message: string) => this.log.warn(message);
    if (tun === '' && announce !== undefined)
      warn('announce: no VIP is announced: the director has no TUN device; it needs /dev/net/tun');
    if (tun === '') return;
    this.replies = new LocalReplies(tun, this.live, warn);
    this.replies.update(this.services());
    if (announce === undefined) return;
    this.routes = new VipRoutes(tun, { table: announce.table, ranges: accept.ranges }, warn);
  }

  /** Takes the routes of announced VIPs away, before anything else ends. */
  withdraw(): void {
    this.routes?.withdraw(true);
  }

  /**
   * Puts another configuration with these services into force. Throws a DeviceError; then the old
   * rules stay in force.
   */
  configure(services: readonly ServiceRules[], config: InterceptConfig & Pick<Config, 'announce'>): void {
    this.interceptor?.configure(services, config);
    this.routes?.configure(config.accept.ranges);
    this.config = config;
  }

  /**
   * Follows accepted changes of the rule table: the host's stack stops seeing the packets of these
   * services. Throws a DeviceError.
   */
  intercept(changes: readonly ChangeRequest[]): void {
    for (const change of changes)
      if ('destination' in change) this.came.push(change.destination.address);
      else if (REMOVALS.has(change.op) && this.unrouted.size + this.came.length > 0) this.checked = undefined;
    this.warnUnanswered(changes);
    this.interceptor?.follow(changes);
    if (changes.some((change) => this.concernsReplies(change))) this.replies?.update(this.services());
  }

  /** Keeps answers to health checks from the host's stack. Throws as `configure`. */
  interceptAnswers(devices: readonly string[], protocols: readonly number[]): void {
    if (this.interceptor === undefined) return;
    const addresses = () => devices.flatMap((name) => this.live.addressesOf(name));
    this.interceptor.answers = () => ({ addresses: addresses().map((text) => text.split('/')[0]!), protocols });
    this.interceptor.refresh();
  }

  /** Interfaces have gone or come. `away`: those that are not attached. Throws as `configure`. */
  followDevices(away: readonly string[]): void {
    this.interceptor?.followDevices(away);
  }

  /** Call after the network of the host has changed. Throws as `configure`. */
  refresh(): void {
    this.replies?.refresh();
    this.interceptor?.refresh();
    this.routes?.check(this.live.routes);
  }

  /** Installs intercept rules again that were removed from outside. Rejects with a DeviceError. */
  async check(): Promise<void> {
    if (await this.interceptor?.check())
      this.log.warn('nft: the intercept rules were removed from outside; they are installed again');
  }

  /**
   * Warns once for each realserver without a route, until it has one again. While the routes stay,
   * only realservers that came are looked up.
   */
  warnUnrouted(): void {
    const { routes } = this.live;
    const isNew = routes !== this.checked;
    if (!isNew && this.came.length === 0) return;
    this.checked = routes;
    const addresses = isNew ? this.realservers() : new Set(this.came);
    const without = unroutedDestinations(addresses, routes, (address) => this.live.has(address));
    const fresh = without.filter((address) => !this.unrouted.has(address));
    this.unroutedWarnings.add(fresh);
    if (isNew) this.unrouted = new Set(without);
    else for (const address of fresh) this.unrouted.add(address);
    this.came = [];
  }

  private realservers(): Set<string> {
    return new Set(this.services().flatMap(({ destinations }) => destinations.map(({ address }) => address)));
  }

  /** Removes everything. */
  end(guarded = false): void {
    this.unroutedWarnings.end();
    this.unansweredWarnings.end();
    this.replies?.end();
    this.interceptor?.end(guarded);
  }

  endGuard(): void {
    this.interceptor?.endGuard();
  }

  /** The change may be one of a destination on this machine. */
  private concernsReplies(change: ChangeRequest): boolean {
    if (this.replies?.isEmpty === false) return true;
    return 'destination' in change && this.live.has(change.destination.address);
  }

  /**
   * Warns once for each VIP that comes, until it goes, or comes while ARP for it gets an answer.
   * What it costs does not depend on the number of services.
   */
  private warnUnanswered(changes: readonly ChangeRequest[]): void {
    // A router sends the packets of announced VIPs here.
    if (this.config.announce !== undefined) return;
    const came: ServiceConfig[] = [];
    for (const change of changes)
      if (change.op === 'addService') came.push(change.service);
      else if (change.op === 'flush') this.unanswered.clear();
      else if (change.op === 'deleteService' && !isFwmark(change.key)) this.unanswered.delete(change.key.address);
    if (came.length === 0) return;
    const { accept, snat } = this.config;
    const vips = new Set(unansweredVips(came, accept, (address) => this.live.has(address), snat));
    const fresh = [...vips].filter((vip) => !this.unanswered.has(vip));
    this.unansweredWarnings.add(fresh);
    for (const { key } of came) if (!isFwmark(key)) this.unanswered.delete(key.address);
    for (const vip of vips) this.unanswered.add(vip);
  }
}
