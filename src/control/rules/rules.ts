/**
 * The rule table of the control thread: services and destinations by key, with the answers of the
 * kernel's ip_vs_ctl.c. It forwards nothing. An accepted request becomes actions for the dataplane;
 * a refused one changes nothing.
 *
 *     request ─► Rules ─┬─► reply
 *                       └─► actions, by slot (actions.ts)
 */
import {
  type DestinationConfig,
  familyOf,
  keyText,
  type ServiceConfig,
  type ServiceKey,
  type ServiceRules,
} from '../../service/config.js';
import type { ServiceEntry, StatsEntry, Timeouts } from '../api/api.js';
import type { Action } from './actions.js';
import type { ShownCounters } from './counter-base.js';
import {
  type Destination,
  type Endpoint,
  endpointText,
  entryOf,
  find,
  identity,
  newestFirst,
  type Service,
} from './entries.js';
import {
  applyDrain,
  applyHealth,
  type DestinationHealth,
  edited,
  findSlot,
  type HealthOutcome,
  type HealthTarget,
  isAbsent,
  present,
  type SlottedService,
} from './health-weight.js';
import { accepted, type Outcome, type RulesRequest, refused } from './outcome.js';
import { refuseBehindProxy, refuseDestination, refuseService, refuseTimeouts } from './refusals.js';
import { RuleSlots, type SlotsOptions } from './rule-slots.js';

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
  private readonly services = new Map<string, Service>();
  readonly slots: RuleSlots;
  private readonly shown: ShownCounters;
  private timeouts: Timeouts;
  /** Services with a SYN proxy, by keyText. */
  private proxied: ReadonlySet<string> = new Set();
  /** Destinations whose weight follows their health, by slot. */
  private readonly checked = new Map<number, HealthTarget>();

  constructor(private readonly options: RulesOptions) {
    this.slots = new RuleSlots(options);
    this.shown = this.slots.shown;
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
        return this.withService(request.key, (it) => this.addDestination(it, request.destination));
      case 'editDestination':
        return this.withService(request.key, (it) => this.editDestination(it, request.destination));
      case 'deleteDestination':
        return this.withService(request.key, (it) => this.deleteDestination(it, request));
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
    this.proxied = new Set(keys.map(keyText));
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
    const service = this.services.get(keyText(key));
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
    const found = this.checked.get(slot) ?? findSlot(this.services.values(), slot);
    if (found === undefined) return { changes: [], actions: [] };
    if (health === undefined) this.checked.delete(slot);
    else this.checked.set(slot, found);
    return applyHealth(found, health);
  }

  /**
   * The destination drains with this share of its weight, or no longer (undefined). The operator's
   * weight stays what it is, and so does a reload.
   */
  drain(key: ServiceKey, which: Endpoint, share: number | undefined): Outcome {
    return this.withService(key, (service) => {
      const found = find(service, which);
      if (found === undefined) return refused('ENOENT');
      const { actions, kept } = applyDrain(found, share);
      return { ...accepted(actions), kept };
    });
  }

  /** Ends the connections of a destination: of TCP, of UDP. */
  endConnections(key: ServiceKey, which: Endpoint, tcp: boolean, udp: boolean): Outcome {
    return this.withService(key, (service) => {
      const found = find(service, which);
      if (found === undefined) return refused('ENOENT');
      return accepted([{ kind: 'endConnections', slot: found.slot, tcp, udp }]);
    });
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
    const key = keyText(config.key);
    if (this.services.has(key)) return refused('EEXIST');
    const errno = refuseService(config, this.options);
    if (errno) return refused(errno);
    const slot = this.slots.openService();
    if (slot === undefined) return refused('ENOMEM');
    this.services.set(key, { slot, config, destinations: new Map() });
    return accepted([{ kind: 'addService', slot, service: config }]);
  }

  private editService(service: Service, config: ServiceConfig): Outcome {
    const errno = refuseService(config, this.options);
    if (errno) return refused(errno);
    service.config = config;
    return accepted([{ kind: 'editService', slot: service.slot, service: config }]);
  }

  private removeService(service: Service): Action[] {
    const removed = newestFirst(service).flatMap((destination) => this.remove(service, destination));
    this.services.delete(keyText(service.config.key));
    this.slots.releaseService(service.slot);
    return [...removed, { kind: 'deleteService', slot: service.slot }];
  }

  private addDestination(service: Service, config: DestinationConfig): Outcome {
    const refusal = this.refuse(service, config);
    if (refusal) return refusal;
    if (find(service, config)) return refused('EEXIST');
    return this.revive(service, config) ?? this.create(service, config);
  }

  private refuse({ config: { key } }: Service, config: DestinationConfig): Outcome | undefined {
    const errno = refuseDestination(config, familyOf(key));
    if (errno) return refused(errno);
    const isProxied = this.proxied.size > 0 && this.proxied.has(keyText(key));
    const text = isProxied ? refuseBehindProxy(config, key) : undefined;
    return text === undefined ? undefined : refused('EINVAL', text);
  }

  private create(service: Service, config: DestinationConfig): Outcome {
    const errno = refuseDestination(config, familyOf(service.config.key), 'new');
    if (errno) return refused(errno);
    const slot = this.slots.openDestination(service.slot);
    if (slot === undefined) return refused('ENOMEM');
    return this.attach(service, { slot, config, lastWeight: config.weight }, false);
  }

  private revive(service: Service, config: DestinationConfig): Outcome | undefined {
    if (this.slots.isTrashEmpty) return undefined;
    const slot = this.slots.revive(identity(service, config), service.slot);
    if (slot === undefined) return undefined;
    return this.attach(service, { slot, config, lastWeight: config.weight }, true);
  }

  private attach(service: Service, destination: Destination, revived: boolean): Outcome {
    const { slot, config } = destination;
    service.destinations.set(endpointText(config), destination);
    return accepted([{ kind: 'addDestination', slot, serviceSlot: service.slot, destination: config, revived }]);
  }

  private editDestination(service: Service, config: DestinationConfig): Outcome {
    const refusal = this.refuse(service, config);
    if (refusal) return refusal;
    const found = find(service, config);
    if (!found) return refused('ENOENT');
    found.config = config;
    if (config.weight !== 0) found.lastWeight = config.weight;
    const kept: Action[] = [{ kind: 'editDestination', slot: found.slot, destination: config }];
    return { ...accepted(isAbsent(found) ? [] : [edited(found)]), kept };
  }

  private deleteDestination(service: Service, which: Endpoint): Outcome {
    const found = find(service, which);
    if (found === undefined) return refused('ENOENT');
    return { ...accepted(this.remove(service, found)), kept: [{ kind: 'removeDestination', slot: found.slot }] };
  }

  private remove(service: Service, destination: Destination): Action[] {
    service.destinations.delete(endpointText(destination.config));
    this.checked.delete(destination.slot);
    this.slots.bury(identity(service, destination.config), destination.slot, service.slot);
    return isAbsent(destination) ? [] : [{ kind: 'removeDestination', slot: destination.slot }];
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
    const service = this.services.get(keyText(key));
    return service ? then(service) : refused('ESRCH');
  }
}

function rulesOf(service: Service): ServiceRules {
  return { ...service.config, destinations: present(service) };
}
