/**
 * The rule table of the control thread: services and destinations by key, with the answers of the
 * kernel's ip_vs_ctl.c. It forwards nothing. An accepted request becomes actions for the dataplane;
 * a refused one changes nothing. destinations.ts has what is asked about one destination.
 *
 *     request ─► Rules ─┬─► reply
 *                       └─► actions, by slot (actions.ts)
 */
import type { ServiceConfig, ServiceKey, ServiceRules } from '../../service/config.js';
import type { ServiceEntry, StatsEntry, Timeouts } from '../api/api.js';
import type { Action } from './actions.js';
import type { ShownCounters } from './counter-base.js';
import { DestinationRules } from './destinations.js';
import { type Endpoint, entryOf, newestFirst, type Service } from './entries.js';
import {
  type DestinationHealth,
  edited,
  type HealthOutcome,
  isAbsent,
  present,
  type SlottedService,
} from './health-weight.js';
import { accepted, type Outcome, type RulesRequest, refused } from './outcome.js';
import { refuseService, refuseTimeouts } from './refusals.js';
import { RuleSlots, type SlotsOptions } from './rule-slots.js';
import { ServiceMap } from './service-map.js';

/** What a rule table needs to know. */
export interface RulesOptions extends SlotsOptions {
  /** Names of the schedulers and persistence engines. */
  readonly schedulers: readonly string[];
  readonly engines: readonly string[];
  readonly timeouts?: Timeouts;
  /** Size of the connection table in the banner of listings; 4096 by default. */
  readonly size?: number;
}

const KERNEL_TIMEOUTS: Timeouts = { tcp: 900, tcpfin: 120, udp: 300 };

/** The rule table. */
export class Rules {
  private readonly services = new ServiceMap<Service>();
  readonly slots: RuleSlots;
  private readonly shown: ShownCounters;
  private timeouts: Timeouts;
  private readonly destinations: DestinationRules;

  constructor(private readonly options: RulesOptions) {
    this.slots = new RuleSlots(options);
    this.shown = this.slots.shown;
    this.destinations = new DestinationRules(this.slots);
    this.timeouts = { ...(options.timeouts ?? KERNEL_TIMEOUTS) };
  }

  /** Answers a request and applies it to the table. */
  request(request: RulesRequest): Outcome {
    switch (request.op) {
      case 'addService':
        return this.addService(request.service);
      case 'editService':
        return this.withService(request.service.key, (it) => this.editService(it, request.service));
      case 'deleteService':
        return this.withService(request.key, (it) => accepted(this.removeService(it)));
      case 'addDestination':
        return this.withService(request.key, (it) => this.destinations.add(it, request.destination));
      case 'editDestination':
        return this.withService(request.key, (it) => this.destinations.edit(it, request.destination));
      case 'deleteDestination':
        return this.withService(request.key, (it) => this.destinations.delete(it, request));
      case 'flush':
        return accepted([...this.services.values()].flatMap((service) => this.removeService(service)));
      case 'zero':
        return this.zero(request.key);
      case 'setTimeouts':
        return this.setTimeouts(request.timeouts);
      case 'getTimeouts':
        return { reply: { ok: true, timeouts: { ...this.timeouts } }, actions: [] };
      case 'list':
        return this.list(request.key);
    }
  }

  /**
   * Makes an empty table the one that these actions made in a former process (restore.ts), with its
   * slots, its trash and its counters.
   */
  restore(actions: readonly Action[]): void {
    this.timeouts = this.slots.restore(actions, this.services) ?? this.timeouts;
  }

  /** From now on these services have a SYN proxy. */
  proxy(keys: readonly ServiceKey[]): void {
    this.destinations.proxy(keys);
  }

  get serviceCount(): number {
    return this.services.size;
  }

  /** The totals of the director since the last `-Z`. */
  total(): StatsEntry {
    return this.shown.total();
  }

  /** Services with destinations and counters, newest first. */
  entries(): ServiceEntry[] {
    return [...this.services.values()].reverse().map((service) => this.entry(service));
  }

  /** Services with destinations, without counters, newest first. */
  configs(): ServiceRules[] {
    return [...this.services.values()].reverse().map(rulesOf);
  }

  /** A service with its destinations, without counters; undefined: there is none. */
  find(key: ServiceKey): ServiceRules | undefined {
    const service = this.services.get(key);
    return service && rulesOf(service);
  }

  /** Services with the slots of their destinations, for the health checks. */
  slotted(): SlottedService[] {
    return [...this.services.values()].map(({ slot, config, destinations }) => ({
      slot,
      config,
      destinations: [...destinations.values()],
    }));
  }

  /**
   * Health has spoken about a destination: undefined takes its say away. The operator's weight
   * stays what it is. Returns what the host and the dataplane do.
   */
  setHealth(slot: number, health: DestinationHealth | undefined): HealthOutcome {
    return this.destinations.setHealth(this.services.values(), slot, health);
  }

  /**
   * The destination drains with this share of its weight, or no longer (undefined). The operator's
   * weight stays what it is, and so does a reload.
   */
  drain(key: ServiceKey, which: Endpoint, share: number | undefined): Outcome {
    return this.withService(key, (service) => this.destinations.drain(service, which, share));
  }

  /** Ends the connections of a destination: of TCP, of UDP. */
  endConnections(key: ServiceKey, which: Endpoint, tcp: boolean, udp: boolean): Outcome {
    return this.withService(key, (service) => this.destinations.endConnections(service, which, tcp, udp));
  }

  /** What drains and what health says, as actions that follow those of the operator's rules. */
  inForce(): Action[] {
    const actions: Action[] = [];
    for (const { destinations } of this.services.values())
      for (const one of destinations.values())
        if (isAbsent(one)) actions.push({ kind: 'removeDestination', slot: one.slot });
        else if (one.drain !== undefined || one.health !== undefined) actions.push(edited(one));
    return actions;
  }

  private addService(config: ServiceConfig): Outcome {
    if (this.services.get(config.key) !== undefined) return refused('EEXIST');
    const errno = refuseService(config, this.options);
    if (errno) return refused(errno);
    const slot = this.slots.openService();
    if (slot === undefined) return refused('ENOMEM');
    this.services.set(config.key, { slot, config, destinations: new Map() });
    return accepted([{ kind: 'addService', slot, service: config }]);
  }

  private editService(service: Service, config: ServiceConfig): Outcome {
    const errno = refuseService(config, this.options);
    if (errno) return refused(errno);
    service.config = config;
    return accepted([{ kind: 'editService', slot: service.slot, service: config }]);
  }

  private removeService(service: Service): Action[] {
    const removed = newestFirst(service).flatMap((destination) => this.destinations.remove(service, destination));
    this.services.delete(service.config.key);
    this.slots.releaseService(service.slot);
    return [...removed, { kind: 'deleteService', slot: service.slot }];
  }

  private zero(key: ServiceKey | undefined): Outcome {
    if (key) return this.withService(key, (service) => accepted([this.zeroServices([service], false)]));
    this.shown.zeroTotal();
    return accepted([this.zeroServices([...this.services.values()], true)]);
  }

  private zeroServices(services: Service[], total: boolean): Action {
    const slots = services.map(({ slot }) => slot);
    const destinations = services.flatMap((service) => newestFirst(service).map(({ slot }) => slot));
    for (const slot of slots) this.shown.zeroService(slot);
    for (const slot of destinations) this.shown.zeroDestination(slot);
    return { kind: 'zeroRates', services: slots, destinations, total };
  }

  private setTimeouts(wanted: Timeouts): Outcome {
    const errno = refuseTimeouts(wanted);
    if (errno) return refused(errno);
    const { tcp, tcpfin, udp } = this.timeouts;
    this.timeouts = { tcp: wanted.tcp || tcp, tcpfin: wanted.tcpfin || tcpfin, udp: wanted.udp || udp };
    return accepted([{ kind: 'setTimeouts', timeouts: { ...this.timeouts } }]);
  }

  private list(key: ServiceKey | undefined): Outcome {
    const info = { size: this.options.size ?? 4096 };
    if (!key) return { reply: { ok: true, info, services: this.entries() }, actions: [] };
    return this.withService(key, (service) => ({
      reply: { ok: true, info, services: [this.entry(service)] },
      actions: [],
    }));
  }

  private entry(service: Service): ServiceEntry {
    return entryOf(service, this.shown, (slot) => this.options.counters.connections(slot));
  }

  private withService(key: ServiceKey, then: (service: Service) => Outcome): Outcome {
    const service = this.services.get(key);
    return service ? then(service) : refused('ESRCH');
  }
}

function rulesOf(service: Service): ServiceRules {
  return { ...service.config, destinations: present(service) };
}
