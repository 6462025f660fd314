/**
 * The parts of a running director, and what several of its steps do with them:
 *
 *                    ┌─ shared (tables, counters) ── keeper (state that outlives the process)
 *     Parts ─────────┼─ requests ─ forwarding ─► host (stack), workers (dataplane)
 *     made at once   ├─ health, sync, announcement, wire, audit
 *                    └─ live, host, workers, hotplug, rawOut, metrics, console: undefined until start.ts
 *
 * start.ts starts them, reports.ts follows what the workers say, reload.ts replaces the
 * configuration, succession.ts hands them to another process and daemon.ts stops them.
 */
import type { Logger } from 'pino';
import { TICK_WORD } from '../../conntrack/entry.js';
import { compileRoutes } from '../../dataplane/table/compiled-routes.js';
import type { FlowMaps } from '../../device/flow/maps.js';
import type { InterceptMaps } from '../../device/xdp/intercept-maps.js';
import { FrameStat } from '../../stats/counters.js';
import type { AdminClient, ChangeRequest, DeviceStatus, ServiceEntry } from '../api/api.js';
import type { ControlSocket } from '../api/socket.js';
import type { Config } from '../config/config.js';
import type { ConsoleServer } from '../console/server.js';
import { offloadStatus } from '../engine/flow-offload.js';
import type { DeviceSetup } from '../engine/messages.js';
import { SharedMemory } from '../engine/shared-memory.js';
import { staticRoutes } from '../engine/static-network.js';
import type { Workers } from '../engine/workers.js';
import { Health } from '../health/health.js';
import { Announcement } from '../host/announcement.js';
import type { HostStack } from '../host/host-stack.js';
import type { Hotplug } from '../host/hotplug.js';
import type { LiveNetwork } from '../host/live-network.js';
import type { RawOut } from '../host/raw-out.js';
import { WireLog } from '../host/wire-log.js';
import type { MetricsServer } from '../metrics/server.js';
import type { Before } from '../rules/change-words.js';
import { Audit } from '../server/audit.js';
import type { Forwarding } from '../server/forwarding.js';
import { Requests } from '../server/requests.js';
import type { StateKeeper } from '../state/keeper.js';
import { openKeeper } from '../state/open.js';
import { SyncDaemons } from '../sync/daemons.js';
import { UdpNet } from '../sync/udp.js';
import type { Taker } from '../takeover/taker.js';

/** Links for the host: the TUN into its stack, and its routing. */
const HOST_DEVICES = 2;

/**
 * Sends the rule lines of a configuration to a director. Rejects with the file and line of the
 * first wrong one.
 */
export type LoadRules = (config: Config, client: AdminClient) => Promise<void>;

/**
 * Period of the check for intercept rules, which a reload of the firewall removes, for realservers
 * without a route, and of what the log says about dropped frames.
 */
export const CHECK_MS = 5000;
/** Period at which connections of the workers are sent to backups, as IPVS_SYNC_SEND_DELAY. */
const SYNC_MS = 20;

/** How to start, beside the configuration. */
export interface StartOptions {
  /** Forget the state of the director before. */
  readonly fresh?: boolean;
  /** Take over from the director that listens on the same socket. */
  readonly takeover?: boolean;
}

/** What surrounds a director: who reads its rule lines, and who hears of it. */
export interface Around {
  readonly loadRules: LoadRules;
  readonly log: Logger;
  /** Gets one line when the running director cannot go on. */
  readonly onFailure: (message: string) => void;
}

/** The parts of a director. */
export class Parts {
  readonly log: Logger;
  readonly shared: SharedMemory;
  /** What outlives the process; undefined: nothing. */
  readonly keeper: StateKeeper | undefined;
  readonly requests: Requests;
  readonly sync: SyncDaemons;
  readonly health: Health;
  readonly announcement: Announcement;
  readonly wire: WireLog;
  readonly audit: Audit;
  readonly sockets: ControlSocket[] = [];
  devices: readonly DeviceSetup[] = [];
  live: LiveNetwork | undefined;
  maps: InterceptMaps | undefined;
  /** The flow table of the programs; undefined: there is no offload. */
  flows: FlowMaps | undefined;
  workers: Workers | undefined;
  hotplug: Hotplug | undefined;
  host: HostStack | undefined;
  rawOut: RawOut | undefined;
  metrics: MetricsServer | undefined;
  console: ConsoleServer | undefined;
  /** The services of the configuration when it was read last. */
  loaded: readonly ServiceEntry[] = [];
  /** Number of workers that still rebuild their tables. */
  rebuilding = 0;
  whenRebuilt: () => void = () => {};
  /** A takeover by another process goes on: rules must not change. */
  isHandingOver: () => boolean = () => false;
  private readonly timers: NodeJS.Timeout[] = [];
  private syncTimer: NodeJS.Timeout | undefined;

  constructor(
    public config: Config,
    readonly around: Around,
    options: StartOptions,
    /** The process that this one takes over from. */
    readonly taker: Taker | undefined,
  ) {
    const { log } = around;
    this.log = log;
    this.keeper = openKeeper(config, { ...options, taker }, log);
    const links = config.devices.length + HOST_DEVICES;
    this.shared = new SharedMemory(config.workers, config.connections.max, links, this.keeper?.store.workers);
    this.wire = new WireLog(log);
    this.sync = this.newSync();
    this.health = this.newHealth();
    this.announcement = new Announcement(
      config.announce?.table,
      () => this.host?.routes,
      () => this.requests,
      () => this.sync.isSettled,
    );
    this.requests = new Requests(config, this.shared.sum.counters, this.forwarding(), this.keeper);
    this.audit = new Audit(log, () => ({ before: this.before(), settings: this.requests.settings }));
  }

  /** Does `work` every `ms` until `stopTimers`. */
  every(ms: number, work: () => void): void {
    this.timers.push(setInterval(work, ms));
  }

  /** The same until `work` returns true. */
  until(ms: number, work: () => boolean): void {
    const timer = setInterval(() => {
      if (work()) clearInterval(timer);
    }, ms);
    this.timers.push(timer);
  }

  stopTimers(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.pollSync(false);
  }

  /** Takes a step. Logs its error: the others are still to be taken. */
  async attempt(step: () => Promise<void> | void): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.log.error((error as Error).message);
    }
  }

  /**
   * Applies changes that a dry run has accepted. The rule table refuses them only when it is full.
   */
  change(timeouts: Config['timeouts'], requests: readonly ChangeRequest[]): void {
    const replies = this.requests.change([{ op: 'setTimeouts', timeouts }, ...requests]);
    const refused = replies.filter(({ ok }) => !ok).length;
    if (refused > 0)
      this.log.error(`${refused} of ${requests.length} changes of rules were refused: the rule table is full`);
  }

  /** The rules as they are, for words about a change. */
  before(): Before {
    const { rules } = this.requests;
    return { count: rules.serviceCount, find: (key) => rules.find(key) };
  }

  /** Tells the workers the network. */
  sendNetwork(): void {
    if (this.live === undefined) this.workers?.send({ kind: 'routes', ...compileRoutes(staticRoutes(this.config)) });
    else this.live.refresh();
  }

  private newSync(): SyncDaemons {
    return new SyncDaemons({
      net: new UdpNet((message) => this.log.warn(message)),
      send: (message) => this.workers?.send(message),
      now: () => performance.now(),
      sysctl: () => this.requests.sysctl,
      workers: this.config.workers,
      polling: (needed) => this.pollSync(needed),
    });
  }

  /** Only while a daemon runs: an idle director sleeps. */
  private pollSync(needed: boolean): void {
    clearInterval(this.syncTimer);
    this.syncTimer = needed ? setInterval(() => this.sync.poll(), SYNC_MS) : undefined;
  }

  private newHealth(): Health {
    const rules = {
      counters: this.shared.sum.memories[0]!,
      slots: () => this.requests.rules.slotted(),
      apply: (says: Parameters<Requests['applyHealth']>[0]) =>
        this.isHandingOver() ? undefined : this.requests.applyHealth(says),
      failed: this.around.onFailure,
    };
    return new Health(rules, this.log);
  }

  private forwarding(): Forwarding {
    return {
      health: this.health,
      intercept: (changes) => this.intercept(changes),
      send: (message) => this.workers?.send(message),
      devices: () => this.deviceStatus(),
      routes: () => this.live?.routing ?? staticRoutes(this.config),
      now: () => performance.now(),
      tables: this.shared.tables,
      tick: (table) => table[TICK_WORD]!,
      gather: (services, destinations) => this.shared.sum.gather(services, destinations),
      processed: (i) => this.shared.sum.of(i, FrameStat.in),
      loop: (i) => this.shared.loopOf(i),
      census: (i) => this.shared.censusOf(i),
      sync: this.sync,
      changed: () => this.announcement.refresh(),
      announce: () => this.announcement.status,
      readFlows: this.config.offload === 'off' ? undefined : () => this.workers?.readFlows() ?? Promise.resolve(),
      flows: () => this.flows && offloadStatus(this.flows, this.devices),
      withdraw: (withdrawn) => this.host?.routes?.withdraw(withdrawn),
    };
  }

  /** As of Forwarding: the host's stack first, then the steering of the workers. */
  private intercept(changes: readonly ChangeRequest[]): void {
    this.host?.intercept(changes);
    const services = () => this.requests.rules.configs();
    for (const message of this.workers?.steer(changes, services, this.config.helpers.ftp) ?? [])
      if (message.kind === 'steering') this.keeper?.stagesAre(message.stages);
  }

  private deviceStatus(): DeviceStatus[] {
    const devices = this.live?.current() ?? this.devices;
    return devices.map(({ name, kind, mac, mtu, addresses }, i) => {
      return { name, kind, mac, mtu, addresses, stats: this.shared.statsOf(i) };
    });
  }
}
