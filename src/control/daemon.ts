/**
 * `ulvs run`: everything that must be there for a director on a live machine, started in order and taken down in reverse.
 *
 *     rules checked ─► network read ─► dataplane (devices) ─► kernel's copies dropped, rules applied ─► control socket
 */
import type { Logger } from 'pino';
import { TICK_WORD } from '../conntrack/entry.js';
import { kindOf } from '../device/kinds.js';
import type { InterceptMaps } from '../device/xdp/intercept-maps.js';
import { ineffective, withoutEffect } from '../service/sysctl.js';
import { FrameStat } from '../stats/counters.js';
import type { AdminClient, AdminReply, AdminRequest, ChangeRequest, DeviceStatus, ServiceEntry } from './api/api.js';
import { type ControlSocket, refuseTaken, serve } from './api/socket.js';
import type { Config } from './config/config.js';
import { refuseFixed } from './config/restart-only.js';
import type { DeviceSetup, Report } from './engine/messages.js';
import { SharedMemory } from './engine/shared-memory.js';
import { staticRoutes } from './engine/static-network.js';
import { type Dataplane, startInline, startWorker } from './engine/worker-handle.js';
import { setupsFor, WorkerPool } from './engine/worker-pool.js';
import { type Attachment, attach, checkDestinations } from './host/attach.js';
import { Interceptor, removeOrphans } from './host/interceptor.js';
import type { Listener, LiveNetwork } from './host/live-network.js';
import { LocalReplies } from './host/local-replies.js';
import { RawOut } from './host/raw-out.js';
import { unansweredVips, warningOf } from './host/unanswered-vips.js';
import { changes } from './rules/diff.js';
import { reloadDiff } from './rules/reload-diff.js';
import type { Rules } from './rules/rules.js';
import { dryClient, newRules, Requests } from './server/requests.js';

/** Puts a configuration's rule lines into a director, or throws with the line that is wrong. */
export type LoadRules = (config: Config, client: AdminClient) => Promise<void>;

const HOUSEKEEPING_MS = 500;
/** So often the rules that keep the host's stack away are looked for: who reloads his firewall takes them away. */
const THEFT_CHECK_MS = 5000;
/** Where the host's stack shares the devices: the TUN into it, and the host's routing. */
const HOST_DEVICES = 2;

export class Daemon implements AdminClient {
  private readonly shared: SharedMemory;
  private readonly team: WorkerPool | undefined;
  private readonly requests: Requests;
  private devices: readonly DeviceSetup[] = [];
  private live: LiveNetwork | undefined;
  private maps: readonly InterceptMaps[] = [];
  private dataplane: Dataplane | undefined;
  private theft: Interceptor | undefined;
  private replies: LocalReplies | undefined;
  private tun = '';
  private originator: RawOut | undefined;
  private socket: ControlSocket | undefined;
  private readonly timers: NodeJS.Timeout[] = [];
  /** VIPs that were warned of. */
  private unanswered: readonly string[] = [];
  /** As the configuration had them when it was read last. */
  private loaded: readonly ServiceEntry[] = [];

  private constructor(
    private config: Config,
    private readonly loadRules: LoadRules,
    private readonly log: Logger,
    private readonly onFailure: (message: string) => void,
  ) {
    this.shared = new SharedMemory(config.workers, config.connections.max, config.devices.length + HOST_DEVICES);
    this.team = config.workers === 1 ? undefined : new WorkerPool(this.shared);
    this.requests = new Requests(config, this.shared.sum.counters, {
      take: (services) => this.take(services),
      send: (order) => this.dataplane?.send(order),
      devices: () => this.deviceStatus(),
      now: () => performance.now(),
      tables: this.shared.tables,
      tick: (table) => table[TICK_WORD]!,
      gather: () => this.shared.sum.gather(),
      processed: (i) => this.shared.sum.of(i, FrameStat.in),
    });
  }

  /**
   * Starts everything. When something cannot be had, what was started is undone and the error (one line) thrown.
   * `onFailure`: the director cannot go on; `stop` it.
   */
  static async start(
    config: Config,
    loadRules: LoadRules,
    log: Logger,
    onFailure: (message: string) => void,
  ): Promise<Daemon> {
    const daemon = new Daemon(config, loadRules, log, onFailure);
    try {
      await daemon.begin();
    } catch (error) {
      await daemon.stop();
      throw error;
    }
    return daemon;
  }

  request(request: AdminRequest): Promise<AdminReply> {
    return this.requests.request(request);
  }

  /**
   * A new configuration in place of the running one: rules, marks, acceptance, sysctls, timeouts, helpers and routes. All or
   * nothing: what can fail comes first. One without rules leaves the services as they are; one with rules undoes what ulvsadm
   * has changed since, and the log says what.
   */
  async reload(config: Config): Promise<void> {
    refuseFixed(this.config, config);
    const wanted = await this.dryRun(config);
    if (this.live === undefined) checkDestinations(config, wanted.entries());
    const { rules } = this.requests;
    const services = hasRules(config) ? wanted.entries() : rules.entries();
    const lost = reloadDiff(this.loaded, rules.entries(), services);
    this.theft?.update(services, config);
    this.config = config;
    this.loaded = services;
    this.requests.set({ ...config, timeouts: timeoutsOf(wanted) });
    this.change(timeoutsOf(wanted), changes(rules.entries(), services));
    if (this.live === undefined) this.dataplane?.send({ kind: 'routes', ...staticRoutes(config) });
    else this.live.refresh();
    for (const text of lost) this.log.warn(`undone by the reload: ${text}`);
    this.warnIneffective();
    this.log.info({ services: services.length }, 'configuration reloaded');
  }

  /** In reverse; each step is taken whatever became of the others. */
  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.attempt(() => this.socket?.close());
    await this.attempt(() => this.live?.close());
    await this.attempt(() => this.dataplane?.stop());
    await this.attempt(() => this.theft?.end());
    this.replies?.end();
    for (const maps of this.maps) maps.close();
    this.team?.close();
    await this.attempt(() => this.originator?.close());
  }

  private async begin(): Promise<void> {
    const wanted = await this.dryRun(this.config);
    // Before anything is touched: a second director would take the first one's packets.
    await refuseTaken(this.config.socket);
    const attachment = attach(this.config, wanted.entries());
    this.live = attachment.live;
    this.maps = attachment.maps;
    this.devices = attachment.devices;
    await this.startDataplane(attachment);
    this.startTheft(attachment);
    this.every(HOUSEKEEPING_MS, () => this.requests.tick());
    this.loaded = wanted.entries();
    this.warnIneffective();
    this.change(timeoutsOf(wanted), changes([], this.loaded));
    // Last: who sees the socket may use the director.
    this.socket = await serve(this.config.socket, (request) => this.request(request));
    this.log.info({ socket: this.config.socket, services: wanted.entries().length }, 'director is up');
  }

  /** Sysctls of the file that change nothing, one line each. */
  private warnIneffective(): void {
    const { file, sysctl } = this.config;
    for (const name of ineffective(sysctl)) this.log.warn(`${file}: sysctl.${name}: ${withoutEffect(name)}`);
  }

  /** What the rule table of a dry run took, the running one refuses only for want of room. */
  private change(timeouts: Config['timeouts'], requests: readonly ChangeRequest[]): void {
    const replies = this.requests.change([{ op: 'setTimeouts', timeouts }, ...requests]);
    const refused = replies.filter(({ ok }) => !ok).length;
    if (refused > 0) this.log.error(`${refused} of ${requests.length} changes of rules were refused: no room for more`);
  }

  /** The rule table that the configuration's lines make, or their error. */
  private async dryRun(config: Config): Promise<Rules> {
    const wanted = newRules(config, this.requests.view);
    await this.loadRules(config, dryClient(wanted));
    return wanted;
  }

  private async startDataplane({ devices, live, reasons, maps }: Attachment): Promise<void> {
    for (const reason of reasons) this.log.info(reason);
    const start = devices.some(({ kind }) => kindOf(kind).thread === 'main') ? startInline : startWorker;
    if (live !== undefined) this.originator = new RawOut((message) => this.log.error(message));
    const heard = (report: Report) => this.heard(report);
    const base = { config: this.config, devices, live: live !== undefined };
    const setups = setupsFor(this.shared, base);
    this.dataplane = await (this.team?.start(setups, maps, heard) ?? start(setups[0]!, heard));
  }

  /** The host's stack lets go of what the services want, and the workers agree on whose it is. */
  private take(services: readonly ServiceEntry[]): void {
    this.warnUnheard(services);
    this.theft?.update(services);
    this.replies?.update(services);
    for (const order of this.team?.update(services, this.config.helpers.ftp) ?? []) this.dataplane?.send(order);
  }

  /** Once for each VIP, until it can be found again. */
  private warnUnheard(services: readonly ServiceEntry[]): void {
    const { live } = this;
    if (live === undefined) return;
    const vips = unansweredVips(services, this.config.accept, (address) => live.has(address));
    for (const vip of vips) if (!this.unanswered.includes(vip)) this.log.warn(warningOf(vip));
    this.unanswered = vips;
  }

  private startTheft({ devices, live, maps }: Attachment): void {
    for (const pid of removeOrphans())
      this.log.warn(`another director (pid ${pid}) is at work here: see that no service is in both`);
    const copied = devices.filter(({ shared, exclusive }) => shared && !exclusive).map(({ name }) => name);
    if (live !== undefined && copied.length + maps.length > 0) {
      this.theft = new Interceptor(copied, maps, this.config, (address) => live.has(address));
      for (const text of this.theft.warnings()) this.log.warn(text);
      this.every(THEFT_CHECK_MS, () => void this.checkTheft());
    }
    if (live !== undefined && this.tun !== '')
      this.replies = new LocalReplies(this.tun, live, (message) => this.log.warn(message));
    live?.feed(devices, this.listener());
  }

  private listener(): Listener {
    return {
      send: (order) => this.dataplane?.send(order),
      changed: () => {
        this.replies?.refresh();
        void this.attempt(() => this.theft?.refresh());
      },
      failed: this.onFailure,
      warned: (message) => this.log.warn(message),
      routes: (devices) => (this.config.routes === undefined ? undefined : staticRoutes({ ...this.config, devices })),
    };
  }

  private async checkTheft(): Promise<void> {
    const restored = await this.theft?.check().catch((error: Error) => void this.log.error(error.message));
    if (restored) this.log.warn('nft: the rules that keep the host from our packets were gone; they are back');
  }

  private heard(report: Report): void {
    if (report.kind === 'ready') {
      this.tun = report.tun;
      for (const reason of report.reasons) this.log.info(reason);
    } else if (report.kind === 'wanted') this.live?.want(report.device, report.ip);
    else if (report.kind === 'traced') this.requests.tracing.add(report.record);
    else if (report.kind === 'originate') this.originator?.send(report.packet);
    else if (report.kind === 'warned') this.log.warn(report.message);
    else if (report.kind === 'failed') this.onFailure(report.message);
  }

  private deviceStatus(): DeviceStatus[] {
    const devices = this.live?.current() ?? this.devices;
    return devices.map(({ name, kind, mac, mtu, addresses }, i) => {
      return { name, kind, mac, mtu, addresses, stats: this.shared.statsOf(i) };
    });
  }

  private every(ms: number, work: () => void): void {
    this.timers.push(setInterval(work, ms));
  }

  private async attempt(step: () => Promise<void> | void): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.log.error((error as Error).message);
    }
  }
}

function hasRules({ ruleLines, rulesFile }: Config): boolean {
  return ruleLines.length > 0 || rulesFile !== undefined;
}

/** As the configuration has them, or a `--set` among its rules. */
function timeoutsOf(rules: Rules): Config['timeouts'] {
  const { reply } = rules.request({ op: 'getTimeouts' });
  if (!reply.ok || reply.timeouts === undefined) throw new Error('a rule table without timeouts');
  return reply.timeouts;
}
