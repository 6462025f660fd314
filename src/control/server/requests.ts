/**
 * What comes in by the control socket (or from a replay) is answered here: changes go to the rule table, what it accepts to
 * whoever forwards; questions are answered from shared memory, past the dataplane.
 *
 *     request ─► Rules ─ actions ─► take (the host's stack lets go) ─► send (the dataplane takes over) ─► reply
 */
import { ENGINE_NAMES } from '../../persistence/index.js';
import { SCHEDULER_NAMES } from '../../schedulers/index.js';
import { isSysctlName, type Sysctls, syncThresholdFault, sysctlFault } from '../../service/sysctl.js';
import { type Counters, GAUGES, Gauge } from '../../stats/counters.js';
import type { AdminClient, AdminReply, AdminRequest, ConnectionEntry } from '../api/api.js';
import type { Config } from '../config/config.js';
import type { Settings } from '../config/director-config.js';
import type { Action } from '../rules/actions.js';
import { Rules, type RulesRequest } from '../rules/rules.js';
import type { Forwarding } from './forwarding.js';
import { LiveCounters, listConnections } from './live-counters.js';
import { directorStatus } from './status.js';
import { isTraceRequest, TraceSession } from './trace-session.js';

/** Lines of the connection table that one page covers: some 30 ms of this thread. */
const PAGE = 16_384;
/** A page's number: entries of the first table, then from here on those of the second … */
const SPAN = 2 ** 25;

export class Requests implements AdminClient {
  readonly view: LiveCounters;
  readonly rules: Rules;
  readonly tracing: TraceSession;
  /** Addresses by destination slot, for connections whose destination is of another family. */
  private readonly daddrs = new Map<number, string>();
  private settings: Settings;

  constructor(
    private readonly config: Config,
    private readonly counters: Counters,
    private readonly forwarding: Forwarding,
  ) {
    this.settings = config;
    this.view = new LiveCounters(counters, forwarding.now());
    this.rules = newRules(config, this.view);
    this.tracing = new TraceSession((spec) =>
      forwarding.send(spec === undefined ? { kind: 'trace' } : { kind: 'trace', spec }),
    );
  }

  async request(request: AdminRequest): Promise<AdminReply> {
    this.forwarding.gather();
    if (isTraceRequest(request)) return this.tracing.request(request, this.forwarding.now());
    switch (request.op) {
      case 'connections':
        return { ok: true, ...this.connections(request.from) };
      case 'batch':
        return { ok: true, replies: this.change(request.requests) };
      case 'getSysctls':
        return { ok: true, sysctls: this.settings.sysctl };
      case 'setSysctl':
        return this.setSysctl(request.name, request.value);
      case 'status':
        return { ok: true, status: this.status() };
      default:
        return this.change([request])[0]!;
    }
  }

  /** Several requests, in order; the kernel's side and the dataplane hear of them once. */
  change(requests: readonly RulesRequest[]): AdminReply[] {
    // A slot that changes hands is counted from what it has now.
    this.forwarding.gather();
    const outcomes = requests.map((request) => this.rules.request(request));
    this.forwardOut(outcomes.flatMap(({ actions }) => actions));
    return outcomes.map(({ reply }) => reply);
  }

  /** Other settings in place of the running ones. */
  set(settings: Settings): void {
    const { sysctl, marks, accept, timeouts, helpers, snat } = settings;
    this.settings = { sysctl, marks, accept, timeouts, helpers, snat };
    this.forwarding.send({ kind: 'settings', ...this.settings });
  }

  /** Rates, the destinations' trash, traces that nobody fetches: call it at least every two seconds. */
  tick(): void {
    const now = this.forwarding.now();
    this.forwarding.gather();
    if (this.settings.sysctl.run_estimation !== 0) this.view.tick(now);
    this.tracing.tick(now);
    for (const slot of this.rules.tick(now, (it) => this.counters.gauges[it * GAUGES + Gauge.references]!))
      this.daddrs.delete(slot);
  }

  /** A page of the connection tables, or, without `from`, all of them. */
  connections(from?: number): { connections: ConnectionEntry[]; next?: number } {
    const { tables } = this.forwarding;
    if (from === undefined) return { connections: tables.flatMap((table) => this.listed(table, 1, table[0]!)) };
    const number = Math.floor(from / SPAN);
    const table = tables[number];
    if (table === undefined) return { connections: [] };
    const first = Math.max(from % SPAN, 1);
    const last = Math.min(first + PAGE - 1, table[0]!);
    const connections = this.listed(table, first, last);
    if (last < table[0]!) return { connections, next: number * SPAN + last + 1 };
    return number + 1 < tables.length ? { connections, next: (number + 1) * SPAN } : { connections };
  }

  private listed(table: Int32Array, first: number, last: number): ConnectionEntry[] {
    const daddrOf = (slot: number) => this.daddrs.get(slot) ?? '';
    return listConnections(table, this.forwarding.tick(table), daddrOf, first, last);
  }

  /** Where the host's stack cannot be kept away, the director forwards all the same: rule table and dataplane never differ. */
  private forwardOut(actions: readonly Action[]): void {
    if (actions.length === 0) return;
    for (const action of actions)
      if (action.kind === 'addDestination') this.daddrs.set(action.slot, action.destination.address);
      else if (action.kind === 'setTimeouts') this.settings = { ...this.settings, timeouts: action.timeouts };
    try {
      // First the kernel is kept away, then the director answers: the other way round both would.
      if (actions.some(concernsHost)) this.forwarding.take(this.rules.entries());
    } finally {
      this.forwarding.send({ kind: 'actions', actions });
      this.view.follow(actions);
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

  private status() {
    const { forwarding, rules, counters, config, settings } = this;
    return directorStatus({ forwarding, rules, counters, config, helpers: settings.helpers });
  }
}

/** Counters and weights are no business of the host's stack. */
function concernsHost({ kind }: Action): boolean {
  return kind !== 'setTimeouts' && kind !== 'zeroRates';
}

export function newRules({ timeouts }: Pick<Config, 'timeouts'>, counters: LiveCounters): Rules {
  return new Rules({ schedulers: SCHEDULER_NAMES, engines: ENGINE_NAMES, counters, timeouts });
}

/** A rule table that forwards nothing: to see whether lines are right before anything is touched. */
export function dryClient(rules: Rules): AdminClient {
  return { request: async (request) => dryAnswer(rules, request) };
}

function dryAnswer(rules: Rules, request: AdminRequest): AdminReply {
  if (request.op === 'batch') return { ok: true, replies: request.requests.map((one) => rules.request(one).reply) };
  return isRulesRequest(request) ? rules.request(request).reply : { ok: true };
}

const OTHERS = ['connections', 'batch', 'getSysctls', 'setSysctl', 'status'] as const;

function isRulesRequest(request: AdminRequest): request is RulesRequest {
  return !OTHERS.some((op) => op === request.op) && !isTraceRequest(request);
}
