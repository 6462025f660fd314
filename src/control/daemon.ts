/**
 * `ulvs run`: everything that must be there for a director on a live machine, started in order and taken down in reverse.
 *
 *     rules checked ─► network read ─► dataplane (devices) ─► rules applied, kernel's copies dropped ─► control socket
 */
import type { Logger } from 'pino';
import { ConnectionTable } from '../conntrack/table.js';
import { SCHEDULER_NAMES } from '../schedulers/index.js';
import { Counters, GAUGES, Gauge } from '../stats/counters.js';
import type { AdminClient, AdminReply, AdminRequest } from './admin.js';
import { type Attachment, attach } from './attach.js';
import { whoListens } from './client.js';
import type { Config } from './config.js';
import { type Dataplane, startInline, startWorker } from './dataplane.js';
import { changes } from './diff.js';
import { TICK_WORD } from './engine.js';
import type { LiveNetwork } from './live.js';
import type { Report } from './orders.js';
import { Originator } from './originate.js';
import { Rules } from './rules.js';
import { type ControlSocket, serve } from './socket.js';
import { Theft } from './theft.js';
import { isTraceRequest, Tracing } from './tracing.js';
import { LiveCounters, listConnections } from './view.js';

/** Puts a configuration's rule lines into a director, or throws with the line that is wrong. */
export type LoadRules = (config: Config, client: AdminClient) => Promise<void>;

const HOUSEKEEPING_MS = 500;

export class Daemon implements AdminClient {
  private readonly counters = new Counters();
  private readonly view = new LiveCounters(this.counters, performance.now());
  private readonly rules: Rules;
  private readonly table: SharedArrayBuffer;
  private readonly daddrs = new Map<number, string>();
  private readonly tracing = new Tracing((spec) => this.dataplane?.send({ kind: 'trace', ...(spec && { spec }) }));
  private live: LiveNetwork | undefined;
  private attachment: Attachment | undefined;
  private dataplane: Dataplane | undefined;
  private theft: Theft | undefined;
  private originator: Originator | undefined;
  private socket: ControlSocket | undefined;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private config: Config,
    private readonly loadRules: LoadRules,
    private readonly log: Logger,
    private readonly onFailure: (message: string) => void,
  ) {
    this.rules = newRules(config, this.view);
    this.table = ConnectionTable.memory(config.connections.max);
  }

  /** Starts everything. When something cannot be had, what was started is undone and the error (one line) thrown. */
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

  async request(request: AdminRequest): Promise<AdminReply> {
    if (request.op === 'connections') return { ok: true, connections: this.connections() };
    if (isTraceRequest(request)) return this.tracing.request(request, performance.now());
    const { reply, actions } = this.rules.request(request);
    if (actions.length === 0) return reply;
    for (const action of actions)
      if (action.kind === 'addDestination') this.daddrs.set(action.slot, action.destination.address);
    // First the kernel is kept away, then the director answers: the other way round both would.
    this.theft?.update(this.rules.entries());
    this.dataplane?.send({ kind: 'actions', actions });
    this.view.follow(actions);
    return reply;
  }

  /** A new configuration in place of the running one: rules, marks, acceptance, sysctls and timeouts. All or nothing. */
  async reload(config: Config): Promise<void> {
    if (JSON.stringify([config.devices, config.socket]) !== JSON.stringify([this.config.devices, this.config.socket]))
      throw new Error(`${config.file}: devices and socket cannot change while the director runs: restart it`);
    const wanted = newRules(config, this.view);
    await this.loadRules(config, clientOf(wanted));
    this.config = config;
    const { sysctl, marks, accept, timeouts, helpers } = config;
    this.theft?.configure(config);
    this.dataplane?.send({ kind: 'settings', sysctl, marks, accept, timeouts, helpers });
    for (const request of changes(this.rules.entries(), wanted.entries())) await this.request(request);
    this.log.info({ services: this.rules.entries().length }, 'configuration reloaded');
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.socket?.close();
    this.theft?.end();
    await this.dataplane?.stop();
    this.originator?.close();
    await this.live?.close();
  }

  private async begin(): Promise<void> {
    const wanted = newRules(this.config, this.view);
    await this.loadRules(this.config, clientOf(wanted));
    this.attachment = attach(this.config, wanted.entries());
    this.live = this.attachment.live;
    await refuseSecond(this.config.socket);
    await this.startDataplane(this.attachment);
    this.timer = setInterval(() => this.housekeeping(), HOUSEKEEPING_MS);
    await this.loadRules(this.config, this);
    // Last: who sees the socket may use the director.
    this.socket = await serve(this.config.socket, (request) => this.request(request));
    this.log.info({ socket: this.config.socket, services: this.rules.entries().length }, 'director is up');
  }

  private async startDataplane({ devices, live }: Attachment): Promise<void> {
    const start = devices.some(({ kind }) => kind === 'cap') ? startInline : startWorker;
    const setup = {
      config: this.config,
      devices,
      counters: this.counters.buffer,
      table: this.table,
      live: live !== undefined,
    };
    if (live !== undefined) this.originator = new Originator();
    this.dataplane = await start(setup, (report) => this.heard(report));
    live?.feed((order) => this.dataplane?.send(order));
    const shared = devices.filter((device) => device.shared).map(({ name }) => name);
    if (live !== undefined && shared.length > 0)
      this.theft = new Theft(shared, this.config, (address) => live.has(address));
    for (const text of this.theft?.warnings() ?? []) this.log.warn(text);
  }

  private heard(report: Report): void {
    if (report.kind === 'ready') for (const reason of report.reasons) this.log.info(reason);
    else if (report.kind === 'wanted') this.live?.want(report.device, report.ip);
    else if (report.kind === 'traced') this.tracing.add(report.record);
    else if (report.kind === 'originate') this.originator?.send(report.packet);
    else if (report.kind === 'failed') this.onFailure(report.message);
  }

  private housekeeping(): void {
    const now = performance.now();
    this.view.tick(now);
    this.tracing.tick(now);
    for (const slot of this.rules.tick(now, (it) => this.counters.gauges[it * GAUGES + Gauge.references]!))
      this.daddrs.delete(slot);
  }

  private connections() {
    const words = new Int32Array(this.table);
    return listConnections(words, words[TICK_WORD]!, (slot) => this.daddrs.get(slot) ?? '');
  }
}

/** Before anything is touched: a second director would take the first one's packets. */
async function refuseSecond(path: string): Promise<void> {
  const first = await whoListens(path);
  if (first === undefined) return;
  const pid = first.pid === undefined ? '' : ` (pid ${first.pid})`;
  throw new Error(`a director${pid} is listening on ${path}: stop it, or name another socket with --socket`);
}

function newRules({ timeouts }: Config, counters: LiveCounters): Rules {
  return new Rules({ schedulers: SCHEDULER_NAMES, engines: ['sip'], counters, timeouts });
}

/** A rule table that forwards nothing: to see whether lines are right before anything is touched. */
function clientOf(rules: Rules): AdminClient {
  return {
    request: async (request) =>
      request.op === 'connections' || isTraceRequest(request)
        ? { ok: true, connections: [] }
        : rules.request(request).reply,
  };
}
