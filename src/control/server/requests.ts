/**
 * The request server: answers requests of the control socket or of a replay. Changes go to the rule
 * table; its actions go to Forwarding, host first, then dataplane. Questions are answered from
 * shared memory, without the dataplane.
 */
import { randomUUID } from 'node:crypto';
import { isSysctlName, type Sysctls, syncThresholdFault, sysctlFault } from '../../service/sysctl.js';
import { type Counters, GAUGES, Gauge } from '../../stats/counters.js';
import type { AdminClient, AdminReply, AdminRequest, ChangeRequest, ConnectionEntry, NextHop } from '../api/api.js';
import type { Config } from '../config/config.js';
import { proxied, type Settings, settingsOf } from '../config/director-config.js';
import type { Message } from '../engine/messages.js';
import type { Action } from '../rules/actions.js';
import type { ZeroPoints } from '../rules/counter-base.js';
import { changes } from '../rules/diff.js';
import type { DestinationHealth } from '../rules/entries.js';
import { KeptRules } from '../rules/kept-rules.js';
import type { Outcome, RulesRequest } from '../rules/outcome.js';
import type { Rules } from '../rules/rules.js';
import { connectionAt, searchConnections } from './connection-search.js';
import { newRules } from './dry-client.js';
import type { Forwarding } from './forwarding.js';
import { Listing } from './listing.js';
import { LiveCounters } from './live-counters.js';
import { nextHops } from './next-hops.js';
import { directorStatus } from './status.js';
import { isTraceRequest, TraceSession } from './trace-session.js';

type DaemonRequest = Extract<AdminRequest, { op: 'startDaemon' | 'stopDaemon' | 'daemons' }>;

/** What health checks say of the destination of a slot; undefined: nothing any more. */
export interface HealthSays {
  readonly slot: number;
  readonly health: DestinationHealth | undefined;
}

/** What outlives the process is told of each change (state/keeper.ts). */
export interface Keeper {
  /** A name that is the same as long as the rules go on. */
  readonly id: string;
  readonly zeroPoints: ZeroPoints;
  /** Follow `changed` and `released`. */
  readonly rules: KeptRules;
  changed(actions: readonly Action[]): void;
  released(slots: readonly number[]): void;
  sysctlsAre(sysctl: Readonly<Sysctls>): void;
}

/** The request server of one director. */
export class Requests implements AdminClient {
  readonly view: LiveCounters;
  readonly rules: Rules;
  readonly tracing: TraceSession;
  /** As of DirectorStatus. */
  private tableId: string;
  private readonly listing: Listing;
  settings: Settings;
  /** The operator's rules, for workers that are started anew; the keeper's, where there is one. */
  private readonly kept: KeptRules;
  /** Connections of a former process are being counted: no destination counts as idle. */
  isCounting = false;

  constructor(
    private readonly config: Config,
    private readonly counters: Counters,
    private readonly forwarding: Forwarding,
    private readonly keeper?: Keeper,
  ) {
    this.settings = config;
    this.kept = keeper?.rules ?? new KeptRules();
    this.tableId = keeper?.id ?? randomUUID();
    this.view = new LiveCounters(counters, forwarding.now());
    this.listing = new Listing(forwarding);
    this.rules = newRules(config, this.view, keeper?.zeroPoints);
    this.tracing = new TraceSession((spec) =>
      forwarding.send(spec === undefined ? { kind: 'trace' } : { kind: 'trace', spec }),
    );
  }

  async request(request: AdminRequest): Promise<AdminReply> {
    if (this.forwarding.readFlows !== undefined) await this.forwarding.readFlows();
    this.gather();
    if (isTraceRequest(request)) return this.tracing.request(request, this.forwarding.now());
    switch (request.op) {
      case 'connections':
        return { ok: true, ...this.connections(request.from ?? 0) };
      case 'search':
        return { ok: true, found: await searchConnections(this.listing.all, request) };
      case 'connection':
        return { ok: true, found: connectionAt(this.listing.all, request.at) };
      case 'batch':
        return { ok: true, replies: this.applyAll(request.requests) };
      case 'getSysctls':
        return { ok: true, sysctls: this.settings.sysctl };
      case 'setSysctl':
        return this.setSysctl(request.name, request.value);
      case 'status':
        return { ok: true, status: this.status() };
      case 'startDaemon':
      case 'stopDaemon':
      case 'daemons':
        return this.daemon(request);
      case 'drain':
        return this.drain(request);
      case 'endConnections':
        return this.steer(this.rules.endConnections(request.key, request, request.tcp, request.udp));
      case 'reload':
        return { ok: false, errno: 'EINVAL', text: 'reload: this director has no file to read again' };
      case 'health':
        return { ok: true, health: this.forwarding.health?.status ?? [] };
      case 'routes':
        return { ok: true, routes: this.routes(request.addresses) };
      case 'withdraw':
        return this.withdraw(request.withdrawn);
      case 'takeover':
        return { ok: false, errno: 'EPERM', text: 'only a live director can be taken over' };
      default:
        return this.applyAll([request])[0]!;
    }
  }

  private routes(addresses: readonly string[]): NextHop[] {
    const data = this.forwarding.routes?.();
    const devices = this.forwarding.devices().map(({ name }) => name);
    return data === undefined ? [] : nextHops(addresses, data, devices);
  }

  /** Applies several requests in order. Host and dataplane get all changes together. */
  change(requests: readonly RulesRequest[]): AdminReply[] {
    this.gather();
    return this.applyAll(requests);
  }

  /** Call `gather` before: a slot that gets a new owner counts from its present counters on. */
  private applyAll(requests: readonly RulesRequest[]): AdminReply[] {
    const replies: AdminReply[] = [];
    const actions: Action[] = [];
    // One list as long as both are the same: it is packed once for the state and the workers.
    let kept = actions;
    const accepted: ChangeRequest[] = [];
    for (const request of requests) {
      const outcome = this.rules.request(request);
      replies.push(outcome.reply);
      if (outcome.kept !== undefined && kept === actions) kept = [...actions];
      if (kept !== actions) for (const action of outcome.kept ?? outcome.actions) kept.push(action);
      for (const action of outcome.actions) actions.push(action);
      if (outcome.reply.ok && isHostChange(request)) accepted.push(request);
    }
    this.keep(kept);
    this.forward(accepted, actions);
    this.forwarding.health?.rulesChanged();
    return replies;
  }

  /** Applies what health checks say of weights. A new weight alone does not concern the host. */
  applyHealth(says: readonly HealthSays[]): void {
    const outcomes = says.map(({ slot, health }) => this.rules.setHealth(slot, health));
    const actions = outcomes.flatMap((outcome) => outcome.actions);
    // They are not kept: after a restart the checks begin with the operator's weights.
    this.forward(
      outcomes.flatMap((outcome) => outcome.changes),
      actions,
    );
  }

  private drain({ key, address, port, share }: Extract<AdminRequest, { op: 'drain' }>): AdminReply {
    return this.steer(this.rules.drain(key, { address, port }, share));
  }

  /** What concerns the dataplane and the state, but not the host. */
  private steer({ reply, actions, kept = [] }: Outcome): AdminReply {
    this.keep(kept);
    this.forward([], actions);
    return reply;
  }

  private keep(actions: readonly Action[]): void {
    if (this.keeper === undefined) this.kept.apply(actions);
    else this.keeper.changed(actions);
  }

  /** Replaces the running settings. */
  set(settings: Settings): void {
    this.settings = settingsOf(settings);
    this.rules.proxy(proxied(settings));
    this.keeper?.sysctlsAre(settings.sysctl);
    this.forwarding.send({ kind: 'settings', ...this.settings });
  }

  get sysctl(): Sysctls {
    return this.settings.sysctl;
  }

  /** Messages that tell a fresh worker the settings and rules as they are. */
  replay(): Message[] {
    return [
      { kind: 'settings', ...this.settings },
      { kind: 'actions', actions: [...this.kept.actions(), ...this.rules.inForce()] },
      ...this.forwarding.sync.replay(),
    ];
  }

  /** Rates, trash of destinations, abandoned traces. Call it at least every two seconds. */
  tick(): void {
    const now = this.forwarding.now();
    this.gather();
    if (this.settings.sysctl.run_estimation !== 0) this.view.tick(now);
    this.tracing.tick(now);
    if (this.isCounting) return;
    const freed = this.rules.slots.tick(now, (it) => this.counters.gauges[it * GAUGES + Gauge.references]!);
    for (const slot of freed) this.listing.daddrs[slot] = '';
    if (this.keeper === undefined) this.kept.release(freed);
    else this.keeper.released(freed);
  }

  /** Call when another file took the place of the rules of the former process. */
  renameTable(): void {
    this.tableId = randomUUID();
  }

  /** Goes on with the rules that these actions of the keeper made in a former process. */
  restore(actions: readonly Action[]): void {
    this.rules.restore(actions);
    this.gather();
    this.forward(changes([], this.rules.entries()), [...actions, ...this.rules.inForce()]);
  }

  /** As Listing.page. */
  connections(from?: number): { connections: ConnectionEntry[]; next?: number } {
    return this.listing.page(from);
  }

  private gather(): void {
    const { services, destinations } = this.rules.slots.high;
    this.forwarding.gather(services, destinations);
  }

  /**
   * Host first, then dataplane. The dataplane follows the rule table even when the host refuses.
   */
  private forward(changes: readonly ChangeRequest[], actions: readonly Action[]): void {
    if (actions.length === 0) return;
    for (const action of actions)
      if (action.kind === 'addDestination') this.listing.daddrs[action.slot] = action.destination.address;
      else if (action.kind === 'setTimeouts') this.settings = { ...this.settings, timeouts: action.timeouts };
    try {
      if (changes.length > 0) this.forwarding.intercept(changes);
    } finally {
      this.forwarding.send({ kind: 'actions', actions });
      this.view.follow(actions);
      this.forwarding.changed?.();
    }
  }

  private setSysctl(name: string, value: number): AdminReply {
    if (!isSysctlName(name)) return { ok: false, errno: 'ENOENT', text: `${name}: there is no such sysctl` };
    const sysctl: Sysctls = { ...this.settings.sysctl, [name]: value };
    const fault = sysctlFault(name, value);
    const pair = syncThresholdFault(sysctl);
    if (fault !== undefined) return { ok: false, errno: 'EINVAL', text: `${name}: ${value} ${fault}` };
    if (pair !== undefined && name.startsWith('sync_'))
      return { ok: false, errno: 'EINVAL', text: `${name}: ${value}: ${pair}` };
    this.set({ ...this.settings, sysctl });
    return { ok: true, sysctls: sysctl };
  }

  private daemon(request: DaemonRequest): AdminReply {
    const { sync } = this.forwarding;
    if (request.op === 'daemons') return { ok: true, daemons: sync.list() };
    try {
      const errno = request.op === 'stopDaemon' ? sync.stop(request.role) : sync.start(request.role, request.options);
      return errno === undefined ? { ok: true } : { ok: false, errno };
    } catch (error) {
      return { ok: false, errno: 'EINVAL', text: (error as Error).message };
    }
  }

  private withdraw(withdrawn: boolean): AdminReply {
    const { forwarding } = this;
    if (forwarding.announce?.() === undefined)
      return { ok: false, errno: 'EPERM', text: 'this director announces no VIPs: director.yaml has no announce' };
    forwarding.withdraw?.(withdrawn);
    return { ok: true, status: this.status() };
  }

  private status() {
    const { forwarding, rules, counters, config, settings, tableId } = this;
    return directorStatus({ forwarding, rules, counters, config, helpers: settings.helpers, tableId });
  }
}

/** The request may change what the host's stack sees. */
function isHostChange(request: RulesRequest): request is ChangeRequest {
  const { op } = request;
  return op !== 'list' && op !== 'getTimeouts' && op !== 'setTimeouts' && op !== 'zero';
}
