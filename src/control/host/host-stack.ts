/**
 * The host's stack beside the director: keeps intercept rules, replies of local destinations and
 * warnings about unanswered VIPs in step with the services.
 */
import type { Logger } from 'pino';
import type { ServiceEntry } from '../api/api.js';
import type { Attachment } from './attach.js';
import { type InterceptConfig, Interceptor } from './interceptor.js';
import type { LiveNetwork } from './live-network.js';
import { LocalReplies } from './local-replies.js';
import { unansweredVips, warningOf } from './unanswered-vips.js';

/** All that is changed in the host while a director runs. */
export class HostStack {
  private interceptor: Interceptor | undefined;
  private replies: LocalReplies | undefined;
  /** VIPs that a warning was given for. */
  private unanswered: readonly string[] = [];

  constructor(
    private readonly live: LiveNetwork,
    private config: InterceptConfig,
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
    if (tun !== '') this.replies = new LocalReplies(tun, live, (message) => log.warn(message));
  }

  /**
   * Puts another configuration into force. Throws a DeviceError; then the old rules stay in force.
   */
  configure(services: readonly ServiceEntry[], config: InterceptConfig): void {
    this.interceptor?.update(services, config);
    this.config = config;
  }

  /** The host's stack stops seeing the packets of these services. Throws as `configure`. */
  intercept(services: readonly ServiceEntry[]): void {
    this.warnUnanswered(services);
    this.interceptor?.update(services);
    this.replies?.update(services);
  }

  /** Keeps answers to health checks from the host's stack. Throws as `configure`. */
  interceptAnswers(devices: readonly string[], protocols: readonly number[]): void {
    if (this.interceptor === undefined) return;
    const addresses = () =>
      devices.flatMap((name) => this.live.addressesOf(name)).filter((text) => !text.includes(':'));
    this.interceptor.answers = () => ({ addresses: addresses().map((text) => text.split('/')[0]!), protocols });
    this.interceptor.refresh();
  }

  /** Call after the network of the host has changed. Throws as `configure`. */
  refresh(): void {
    this.replies?.refresh();
    this.interceptor?.refresh();
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
    const vips = unansweredVips(services, this.config.accept, (address) => this.live.has(address));
    for (const vip of vips) if (!this.unanswered.includes(vip)) this.log.warn(warningOf(vip));
    this.unanswered = vips;
  }
}
