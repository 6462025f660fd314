/**
 * The director of `ulvs run` on a live machine: starts all its parts in order and stops them in
 * reverse.
 *
 *     rules checked ─► network read ─► intercept rules ─► dataplane: rules, then devices ─► control socket
 *
 * The dataplane has all rules, routes and settings before it opens a device: what comes before its
 * rules would be refused. The host's stack has the intercept rules before that.
 *
 * A request goes from the socket to Requests (server/requests.ts), and what it changes to the
 * host's stack and the dataplane by Forwarding (server/forwarding.ts).
 */
import { rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import { TICK_WORD } from '../conntrack/entry.js';
import type { InterceptMaps } from '../device/xdp/intercept-maps.js';
import type { ServiceKey } from '../service/config.js';
import { ineffective, withoutEffect } from '../service/sysctl.js';
import { FrameStat } from '../stats/counters.js';
import { DROP_NAMES, DROP_TEXTS } from '../stats/drops.js';
import type { Peer } from '../sys/peer.js';
import type {
  AdminClient,
  AdminReply,
  AdminRequest,
  ChangeRequest,
  DeviceStatus,
  ReloadReport,
  ServiceEntry,
} from './api/api.js';
import { openSockets } from './api/open-sockets.js';
import { type ControlSocket, refuseInUse } from './api/socket.js';
import { readersSocket } from './api/socket-path.js';
import { type Config, ConfigError } from './config/config.js';
import { settingsOf } from './config/director-config.js';
import { refuseFixed } from './config/restart-only.js';
import type { DeviceSetup, Message, Report } from './engine/messages.js';
import { tooManyWorkers } from './engine/processors.js';
import { SharedMemory } from './engine/shared-memory.js';
import { staticRoutes } from './engine/static-network.js';
import { Workers } from './engine/workers.js';
import { CheckPath } from './health/check-path.js';
import { Health } from './health/health.js';
import { ANNOUNCE_MS, Announcement } from './host/announcement.js';
import { type Attachment, attach, checkDestinations } from './host/attach.js';
import { HostStack } from './host/host-stack.js';
import { Hotplug } from './host/hotplug.js';
import { removeOrphans } from './host/interceptor.js';
import type { Listener, LiveNetwork } from './host/live-network.js';
import { RawOut } from './host/raw-out.js';
import { WireLog } from './host/wire-log.js';
import { type MetricsServer, serveMetrics } from './metrics/server.js';
import { changes } from './rules/diff.js';
import { reloadDiff } from './rules/reload-diff.js';
import { logReload, reloadWords, replyWords } from './rules/reload-words.js';
import type { Rules } from './rules/rules.js';
import { Audit } from './server/audit.js';
import type { Forwarding } from './server/forwarding.js';
import { Heartbeat } from './server/heartbeat.js';
import { dryClient, newRules, Requests } from './server/requests.js';
import type { StateKeeper } from './state/keeper.js';
import { openKeeper } from './state/open.js';
import { resume } from './state/resume.js';
import { baseOf, hasRules, timeoutsOf } from './state/start.js';
import { SyncDaemons } from './sync/daemons.js';
import { UdpNet } from './sync/udp.js';
import { Giver, type GivingDirector } from './takeover/giver.js';
import { notOffered, offerOf } from './takeover/offer.js';
import { refusedMeanwhile } from './takeover/refused.js';
import { Taker } from './takeover/taker.js';

/**
 * Sends the rule lines of a configuration to a director. Rejects with the file and line of the
 * first wrong one.
 */
export type LoadRules = (config: Config, client: AdminClient) => Promise<void>;

/** Period of rates, trash and traces. */
const HOUSEKEEPING_MS = 500;
/**
 * Period of the check for intercept rules, which a reload of the firewall removes, for realservers
 * without a route, and of what the log says about dropped frames.
 */
const CHECK_MS = 5000;
/** Period of the check for devices that receive nothing any more, and of tries to attach them. */
const DEVICE_CHECK_MS = 1000;
/** Period at which connections of the workers are sent to backups, as IPVS_SYNC_SEND_DELAY. */
const SYNC_MS = 20;
/** Time for the workers of a takeover to begin, ms. */
const FORWARDS_MS = 4000;
/** Time for the last answer to a successor, ms. */
const LEAVE_MS = 50;
/** Links for the host: the TUN into its stack, and its routing. */
const HOST_DEVICES = 2;

/** The director itself, as one that asks. */
const OWN: Peer = { pid: process.pid, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** How to start, beside the configuration. */
export interface StartOptions {
  /** Forget the state of the director before. */
  readonly fresh?: boolean;
  /** Take over from the director that listens on the same socket. */
  readonly takeover?: boolean;
}

/** A running director. */
export class Daemon implements AdminClient {
  readonly heartbeat: Heartbeat;
  private readonly shared: SharedMemory;
  /** What outlives the process; undefined: nothing. */
  private readonly keeper: StateKeeper | undefined;
  private readonly requests: Requests;
  private readonly sync: SyncDaemons;
  private readonly health: Health;
  private readonly announcement: Announcement;
  private metrics: MetricsServer | undefined;
  private devices: readonly DeviceSetup[] = [];
  private live: LiveNetwork | undefined;
  private maps: readonly InterceptMaps[] = [];
  private workers: Workers | undefined;
  private hotplug: Hotplug | undefined;
  private host: HostStack | undefined;
  private readonly wire: WireLog;
  /** Another process takes over from this one; this one takes over from another. */
  private readonly giver: Giver;
  private readonly taker: Taker | undefined;
  private readonly successor: Promise<number>;
  private leaveTo: (pid: number) => void = () => {};
  private standby: SharedArrayBuffer | undefined;
  private whenRebuilt: () => void = () => {};
  private rawOut: RawOut | undefined;
  private readonly sockets: ControlSocket[] = [];
  private readonly audit: Audit;
  private reloader: (() => Promise<AdminReply>) | undefined;
  private readonly timers: NodeJS.Timeout[] = [];
  /** Number of workers that still rebuild their tables. */
  private rebuilding = 0;
  /** The services of the configuration when it was read last. */
  private loaded: readonly ServiceEntry[] = [];

  private constructor(
    private config: Config,
    private readonly loadRules: LoadRules,
    private readonly log: Logger,
    private readonly onFailure: (message: string) => void,
    options: StartOptions & { taker?: Taker | undefined },
  ) {
    this.taker = options.taker;
    this.successor = new Promise((resolve) => {
      this.leaveTo = resolve;
    });
    this.giver = new Giver(this.giving(), log);
    this.keeper = openKeeper(config, options, (message) => log.warn(message));
    const links = config.devices.length + HOST_DEVICES;
    this.shared = new SharedMemory(config.workers, config.connections.max, links, this.keeper?.store.workers);
    this.wire = new WireLog(log);
    this.sync = new SyncDaemons({
      net: new UdpNet((message) => this.log.warn(message)),
      send: (message) => this.workers?.send(message),
      now: () => performance.now(),
      sysctl: () => this.requests.sysctl,
      workers: config.workers,
    });
    this.health = new Health(
      {
        slots: () => this.requests.rules.slots(),
        apply: (says) => (this.giver.isBusy ? undefined : this.requests.applyHealth(says)),
        failed: onFailure,
      },
      log,
    );
    this.announcement = new Announcement(
      config.announce?.table,
      () => this.host?.routes,
      () => this.requests,
    );
    const forwarding: Forwarding = {
      health: this.health,
      intercept: (changes) => this.intercept(changes),
      send: (message) => this.workers?.send(message),
      devices: () => this.deviceStatus(),
      now: () => performance.now(),
      tables: this.shared.tables,
      tick: (table) => table[TICK_WORD]!,
      gather: (services, destinations) => this.shared.sum.gather(services, destinations),
      processed: (i) => this.shared.sum.of(i, FrameStat.in),
      sync: this.sync,
      changed: () => this.announcement.refresh(),
      announce: () => this.announcement.status,
      withdraw: (withdrawn) => this.host?.routes?.withdraw(withdrawn),
    };
    this.requests = new Requests(config, this.shared.sum.counters, forwarding, this.keeper);
    const { rules } = this.requests;
    this.heartbeat = new Heartbeat(this.shared.tables, rules);
    this.audit = new Audit(log, () => ({
      before: { count: rules.serviceCount, find: (key) => rules.find(key) },
      settings: this.requests.settings,
    }));
  }

  /**
   * Starts a director. On a failure it stops what it has started and rejects with an Error of one
   * line. `onFailure` gets one line when the running director cannot go on; the caller stops it.
   */
  static async start(
    config: Config,
    loadRules: LoadRules,
    log: Logger,
    onFailure: (message: string) => void,
    options: StartOptions = {},
  ): Promise<Daemon> {
    const taker = options.takeover === true ? await Taker.of(config) : undefined;
    // Before anything changes: a second director would intercept the packets of the first.
    if (taker === undefined) await refuseInUse(config.socket);
    const daemon = new Daemon(taker?.config ?? config, loadRules, log, onFailure, { ...options, taker });
    try {
      await daemon.begin();
    } catch (error) {
      // What was taken from a running director is left as it is: that one goes on.
      if (taker === undefined) await daemon.stop();
      else await daemon.leave();
      throw error;
    }
    return daemon;
  }

  /** `peer`: who asks. */
  async request(request: AdminRequest, peer: Peer = OWN): Promise<AdminReply> {
    if (request.op === 'takeover') return this.giver.answer(request.step, request.pid);
    const refusal = this.giver.isBusy ? refusedMeanwhile(request) : undefined;
    if (refusal !== undefined) return refusal;
    const note = this.audit.begin(request, peer);
    const reply =
      request.op === 'reload' && this.reloader !== undefined
        ? await this.reloader()
        : await this.requests.request(request);
    note(reply);
    return reply;
  }

  /** From now on a client may ask for a reload. */
  reloadBy(reloader: () => Promise<AdminReply>): void {
    this.reloader = reloader;
  }

  /** Resolves with the process that has taken over. This director then ends by `leave`. */
  get succeeded(): Promise<number> {
    return this.successor;
  }

  /** Ends this process's part, and leaves devices and programs to the process that uses them. */
  async leave(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    for (const socket of this.sockets) await this.attempt(() => socket.close());
    await this.attempt(() => this.health.close());
    await this.attempt(() => this.live?.close());
    await this.attempt(() => this.workers?.leave());
    await this.attempt(() => this.host?.end());
    await this.attempt(() => this.rawOut?.close());
    this.keeper?.close();
  }

  /**
   * Replaces the running configuration by another: rules, marks, accept, sysctls, timeouts,
   * helpers, snat and routes. Everything or nothing: what can fail comes first. A configuration
   * without rules keeps the services. One with rules undoes changes made by ulvsadm since, and the
   * log names them. Rejects with an Error, one line for each mistake.
   */
  async reload(config: Config): Promise<ReloadReport> {
    if (this.giver.isBusy) throw new Error('another process takes over from this director: reload that one');
    refuseFixed(this.config, config);
    const wanted = await this.dryRun(config);
    if (this.live === undefined) checkDestinations(config, wanted.entries());
    this.checkSync(config);
    const { rules } = this.requests;
    const services = hasRules(config) ? wanted.entries() : rules.entries();
    const running = rules.entries();
    const difference = changes(running, services);
    const lack = rules.lackOfRoom(difference);
    if (lack !== undefined) throw new Error(`${config.file}: ${lack}`);
    const lost = reloadDiff(this.loaded, running, services);
    const { settings } = this.requests;
    const before = { count: rules.serviceCount, find: (key: ServiceKey) => rules.find(key) };
    const words = reloadWords(settings, { ...settings, ...settingsOf(config) }, difference, before);
    this.host?.configure(services, config);
    this.config = config;
    this.loaded = services;
    this.requests.set({ ...config, timeouts: timeoutsOf(wanted) });
    this.change(timeoutsOf(wanted), difference);
    this.keeper?.basedOn(baseOf(config, wanted));
    if (this.live === undefined) this.workers?.send({ kind: 'routes', ...staticRoutes(config) });
    else this.live.refresh();
    this.sync.configure(config.sync);
    this.health.configure(config.checks);
    for (const text of lost) this.log.warn(`undone by the reload: ${text}`);
    this.warnIneffective();
    logReload(words, this.log);
    const count = words.words.length + words.more;
    this.log.info({ services: services.length, changes: count }, 'configuration reloaded');
    return { changes: replyWords(words), undone: lost };
  }

  /** Stops all parts, in reverse. A step that fails is logged, and the others are still taken. */
  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.attempt(() => this.host?.withdraw());
    for (const socket of this.sockets) await this.attempt(() => socket.close());
    await this.attempt(() => this.sync.close());
    await this.attempt(() => this.metrics?.close());
    await this.attempt(() => this.health.close());
    await this.attempt(() => this.live?.close());
    await this.attempt(() => this.workers?.stop());
    await this.attempt(() => this.host?.end());
    for (const maps of this.maps) maps.close();
    await this.attempt(() => this.rawOut?.close());
    this.keeper?.close();
  }

  private async begin(): Promise<void> {
    const wanted = await this.dryRun(this.config);
    this.checkSync(this.config);
    const tooMany = tooManyWorkers(this.config.workers);
    if (tooMany !== undefined) this.log.warn(tooMany);
    const attachment = attach(this.config, wanted.entries());
    this.live = attachment.live;
    this.maps = attachment.maps;
    this.devices = attachment.devices;
    const isLive = this.live !== undefined;
    const steering = this.keeper?.steering;
    const { taker } = this;
    const workers = new Workers(this.shared, this.config, this.devices, this.maps, isLive, steering, taker?.adopt());
    this.workers = workers;
    this.loaded = wanted.entries();
    await this.startHostOrSayWhy(workers, attachment);
    this.warnIneffective();
    this.startRules(wanted);
    // After our own rules: until then those of a killed director keep its packets from the host.
    for (const pid of removeOrphans().filter((one) => one !== taker?.pid))
      this.log.warn(`another director (pid ${pid}) runs in this network namespace: no service may be in both`);
    this.live?.start(this.devices, this.listener());
    await this.startWorkers(workers, attachment);
    if (taker !== undefined) await this.takeOver(workers, taker);
    this.host?.useTun(workers.tun);
    this.announcement.refresh();
    this.host?.warnUnrouted();
    this.startHealth(workers, attachment);
    if (this.config.metrics !== undefined)
      this.metrics = await serveMetrics(this.config.metrics.listen, this.config.metrics, this);
    this.every(HOUSEKEEPING_MS, () => (this.giver.isBusy ? undefined : this.requests.tick()));
    if (this.config.announce !== undefined) this.every(ANNOUNCE_MS, () => this.announcement.refresh());
    this.every(CHECK_MS, () => this.watch());
    this.startSync();
    // Last: a client that finds the socket may use the director.
    await openSockets(this.config, (request, peer) => this.request(request, peer), this.sockets);
    this.log.info({ socket: this.config.socket, services: wanted.entries().length }, 'director is up');
  }

  private startSync(): void {
    this.sync.configure(this.config.sync);
    this.every(SYNC_MS, () => this.sync.poll());
    this.every(CHECK_MS, () => void this.attempt(() => this.sync.refresh()));
  }

  /** Throws a ConfigError when the host lacks an interface of the key sync. */
  private checkSync({ file, sync }: Config): void {
    const missing = this.sync.missing(sync);
    if (missing.length > 0) throw new ConfigError(missing.map((line) => `${file}: ${line}`));
  }

  /** The running director stops, and this one goes on at the same place. */
  private async takeOver(workers: Workers, taker: Taker): Promise<void> {
    const began = performance.now();
    const positions = await taker.go();
    this.keeper?.takeOver();
    const forwards = new Promise<void>((resolve, reject) => {
      this.whenRebuilt = resolve;
      setTimeout(reject, FORWARDS_MS, new Error('no takeover: the workers did not begin in time')).unref();
    });
    workers.goOn(this.standby!, positions);
    await forwards;
    const ms = Math.round(performance.now() - began);
    await taker.done();
    this.keeper?.write();
    workers.set.useOwnMaps();
    this.log.info({ ms }, `took over from process ${taker.pid}`);
  }

  /** What this director does when another process takes over from it. */
  private giving(): GivingDirector {
    return {
      offer: () => {
        const { config, devices, workers, keeper } = this;
        if (workers === undefined) return 'the running director is not up yet';
        return notOffered(config, devices, keeper !== undefined) ?? offerOf(config, devices, workers.set.transfer);
      },
      pause: async () => {
        const positions = await this.workers!.pause();
        this.keeper?.giveUp();
        return positions;
      },
      takeBack: async () => {
        this.keeper?.takeOver();
        this.keeper?.write();
        await this.workers?.takeBack(this.requests.replay());
        this.sendNetwork();
        this.workers?.attachAll();
      },
      leave: async (pid) => {
        for (const path of [this.config.socket, readersSocket(this.config.socket)]) await rm(path, { force: true });
        await this.attempt(() => this.metrics?.close());
        this.metrics = undefined;
        // After the answer, which goes by the socket.
        setTimeout(() => this.leaveTo(pid), LEAVE_MS);
      },
    };
  }

  /** The rules of the configuration, or what a former process had. */
  private startRules(wanted: Rules): void {
    const inherited = this.keeper?.inherited;
    const base = baseOf(this.config, wanted);
    if (inherited === undefined) this.change(base.timeouts, changes([], this.loaded));
    else {
      this.rebuilding = this.shared.inherited.filter(Boolean).length;
      this.requests.isCounting = this.rebuilding > 0;
      const { timeouts, requests } = resume(this.requests, this.config, inherited, base, this.log);
      this.change(timeouts, requests);
    }
    this.keeper?.basedOn(base);
  }

  /** A worker has its connections again. */
  private rebuilt({ kept, lost, ms }: Extract<Report, { kind: 'rebuilt' }>): void {
    this.rebuilding = Math.max(0, this.rebuilding - 1);
    if (this.rebuilding === 0) this.whenRebuilt();
    this.requests.isCounting = this.rebuilding > 0;
    this.log.info({ kept, lost, ms: Math.round(ms) }, 'goes on with the connections of the former process');
  }

  /** What the log says about the network beside the monitor's reports. */
  private watch(): void {
    const { counters } = this.shared.sum;
    this.shared.sum.gather(0, 0);
    this.host?.warnUnrouted();
    this.wire.drops(DROP_NAMES.map((name, i) => ({ name, text: DROP_TEXTS[i]!, packets: counters.drops(i) })));
  }

  /** A warning for each sysctl of the file that has no effect. */
  private warnIneffective(): void {
    const { file, sysctl } = this.config;
    for (const name of ineffective(sysctl)) this.log.warn(`${file}: sysctl.${name}: ${withoutEffect(name)}`);
  }

  /**
   * Applies changes that a dry run has accepted. The rule table refuses them only when it is full.
   */
  private change(timeouts: Config['timeouts'], requests: readonly ChangeRequest[]): void {
    const replies = this.requests.change([{ op: 'setTimeouts', timeouts }, ...requests]);
    const refused = replies.filter(({ ok }) => !ok).length;
    if (refused > 0)
      this.log.error(`${refused} of ${requests.length} changes of rules were refused: the rule table is full`);
  }

  /** The rule table that the rules of a configuration make. Rejects as LoadRules. */
  private async dryRun(config: Config): Promise<Rules> {
    const wanted = newRules(config, this.requests.view);
    await this.loadRules(config, dryClient(wanted));
    return wanted;
  }

  private async startWorkers(workers: Workers, { live, reasons }: Attachment): Promise<void> {
    const { log } = this;
    for (const reason of reasons) log.info(reason);
    if (live !== undefined) this.rawOut = new RawOut((message) => log.error(message));
    if (this.taker !== undefined) this.standby = new SharedArrayBuffer(4);
    for (const line of await workers.start((report) => this.onReport(report), this.standby)) log.info(line);
    const isThere = ({ name, shared }: DeviceSetup) => !shared || live?.indexOf(name) !== undefined;
    for (const line of workers.open(isThere)) log.info(line);
    const around = {
      send: (message: Message) => workers.send(message),
      indexOf: (name: string) => live?.indexOf(name),
      changed: () => this.devicesChanged(),
    };
    this.hotplug = new Hotplug(workers.set, this.config.workers, around, log);
    this.every(DEVICE_CHECK_MS, () => void this.attempt(() => (this.giver.isBusy ? undefined : this.hotplug?.check())));
  }

  /** An interface has left or was attached. */
  private devicesChanged(): void {
    const away = this.hotplug?.away ?? [];
    void this.attempt(() => this.host?.followDevices(away));
    this.live?.refresh();
  }

  /** As of Forwarding: the host's stack first, then the steering of the workers. */
  private intercept(changes: readonly ChangeRequest[]): void {
    this.host?.intercept(changes);
    const services = () => this.requests.rules.configs();
    for (const message of this.workers?.steer(changes, services, this.config.helpers.ftp) ?? [])
      if (message.kind === 'steering') this.keeper?.stagesAre(message.stages);
  }

  /** Where both the host's rules and the devices are refused, the devices say more about it. */
  private async startHostOrSayWhy(workers: Workers, attachment: Attachment): Promise<void> {
    try {
      this.startHost(attachment);
    } catch (error) {
      await this.startWorkers(workers, attachment);
      throw error;
    }
  }

  private startHost(attachment: Attachment): void {
    const { live } = attachment;
    if (live === undefined) return;
    const isKept = this.keeper !== undefined;
    this.host = new HostStack(live, this.config, this.log, () => this.requests.rules.configs(), isKept);
    this.host.start(attachment);
    this.every(CHECK_MS, () => void this.attempt(() => this.host?.check()));
  }

  /** Starts a worker that has died anew, and tells it rules and network. */
  private async revive(worker: number, why: string): Promise<void> {
    const { workers, requests, log } = this;
    log.error(`${why}; worker ${worker} is started anew, and the connections stay`);
    try {
      this.hotplug?.workerDied();
      if (!(await workers?.revive(worker, requests.replay()))) return this.onFailure(why);
      this.sendNetwork();
      workers?.attachAll(worker);
      this.health.path?.revive();
      log.info(`worker ${worker} is back`);
    } catch (error) {
      this.onFailure(`${why}; it cannot be started anew: ${(error as Error).message}`);
    }
  }

  /** Tells workers that are new the network. */
  private sendNetwork(): void {
    if (this.live === undefined) this.workers?.send({ kind: 'routes', ...staticRoutes(this.config) });
    else this.live.refresh();
  }

  /** Last, since checks need the TUN. */
  private startHealth(workers: Workers, { live, devices }: Attachment): void {
    const shared = devices.filter((device) => device.shared).map(({ name }) => name);
    if (live !== undefined)
      this.health.path = new CheckPath({
        tun: workers.tun,
        has: (address) => live.has(address),
        intercept: (protocols) => this.host?.interceptAnswers(shared, protocols),
        send: (message) => workers.send(message),
        warn: (message) => this.log.warn(message),
      });
    this.health.configure(this.config.checks);
  }

  private listener(): Listener {
    return {
      send: (message) => this.workers?.send(message),
      changed: () => void this.attempt(() => this.host?.refresh()),
      wire: (states) => this.wire.links(states),
      nextHop: (device, ip, answers) => this.wire.nextHop(device, ip, answers),
      linksChanged: () => void this.attempt(() => (this.giver.isBusy ? undefined : this.hotplug?.linksChanged())),
      warned: (message) => this.log.warn(message),
      routes: (devices) => (this.config.routes === undefined ? undefined : staticRoutes({ ...this.config, devices })),
    };
  }

  private onReport(report: Report): void {
    if (report.kind === 'resolve') this.live?.resolve(report.device, report.ip);
    else if (report.kind === 'traced') this.requests.tracing.add(report.record);
    else if (report.kind === 'originate') this.rawOut?.send(report.packet);
    else if (report.kind === 'warned') this.log.warn(report.message);
    else if (report.kind === 'rebuilt') this.rebuilt(report);
    else if (report.kind === 'paused') this.workers?.hasPaused(report.positions);
    else if (report.kind === 'fault') this.hotplug?.fault(report.device, report.why);
    else if (report.kind === 'detached') void this.attempt(() => this.hotplug?.letGo(report.device));
    else if (report.kind === 'died') void this.revive(report.worker, report.message);
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
