/**
 * The host's stack beside the director: keeps intercept rules, replies of local destinations and
 * warnings about unanswered VIPs in step with the services.
 */
import type { Logger } from 'pino';
import type { ServiceEntry } from '../api/api.js';
import type { Config } from '../config/director-config.js';
import type { Attachment } from './attach.js';
import { type InterceptConfig, Interceptor } from './interceptor.js';
import type { LiveNetwork } from './live-network.js';
import { LocalReplies } from './local-replies.js';
import { unansweredVips, warningOf } from './unanswered-vips.js';
import { VipRoutes } from './vip-routes.js';

/** All that is changed in the host while a director runs. */
export class HostStack {
  private interceptor: Interceptor | undefined;
  private replies: LocalReplies | undefined;
  /** The routes of announced VIPs, with `announce`. */
  routes: VipRoutes | undefined;
  /** VIPs that a warning was given for. */
  private unanswered: readonly string[] = [];

  constructor(
    private readonly live: LiveNetwork,
    private config: InterceptConfig & Pick<Config, 'announce'>,
    private readonly log: Logger,
  ) {}

  /**
   * Installs empty intercept rules. `tun`: interface into the host's stack, '' for none. Throws a
   * DeviceError.
   */
  start({ devices, maps }: Attachment, tun: string): void {
    const { live, log } = this;
    const copied = devices.filter(({ shared, exclusive }) => shared && !exclusive).map(({ name }) => name);
    if (copied.length + maps.length > 0) {
      this.interceptor = new Interceptor(copied, maps, this.config, (address) => live.has(address));
      for (const text of this.interceptor.warnings()) log.warn(text);
    }
    if (tun === '') return this.warnUnannounced();
    this.replies = new LocalReplies(tun, live, (message) => log.warn(message));
    const { announce, accept } = this.config;
    if (announce !== undefined)
      this.routes = new VipRoutes(tun, { table: announce.table, ranges: accept.ranges }, (message) =>
        log.warn(message),
      );
  }

  /** Takes the routes of announced VIPs away, before anything else ends. */
  withdraw(): void {
    this.routes?.withdraw(true);
  }

  private warnUnannounced(): void {
    if (this.config.announce !== undefined)
      this.log.warn('announce: no VIP is announced: the director has no TUN device; it needs /dev/net/tun');
  }

  /**
   * Puts another configuration into force. Throws a DeviceError; then the old rules stay in force.
   */
  configure(services: readonly ServiceEntry[], config: InterceptConfig & Pick<Config, 'announce'>): void {
    this.interceptor?.update(services, config);
    this.routes?.configure(config.accept.ranges);
    this.config = config;
  }

  /** The host's stack stops seeing the packets of these services. Throws as `configure`. */
  intercept(services: readonly ServiceEntry[]): void {
    this.warnUnanswered(services);
    this.interceptor?.update(services);
    this.replies?.update(services);
    this.routes?.update(services);
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

  /** Removes everything. */
  end(): void {
    this.replies?.end();
    this.interceptor?.end();
  }

  /** Warns once for each VIP, until ARP for it gets an answer again. */
  private warnUnanswered(services: readonly ServiceEntry[]): void {
    // A router sends the packets of announced VIPs here.
    if (this.config.announce !== undefined) return;
    const vips = unansweredVips(services, this.config.accept, (address) => this.live.has(address));
    for (const vip of vips) if (!this.unanswered.includes(vip)) this.log.warn(warningOf(vip));
    this.unanswered = vips;
  }
}
