import {
  type DestinationConfig,
  familyOf,
  keyText,
  type ServiceConfig,
  type ServiceKey,
} from '../../service/config.js';
import { MAX_DESTINATIONS, MAX_SERVICES } from '../../stats/counters.js';
import type { AdminReply, AdminRequest, ChangeRequest, Errno, ServiceEntry, StatsEntry, Timeouts } from '../api/api.js';
import type { Action } from './actions.js';
import { CounterBases } from './counter-base.js';
import type { CountersView } from './counters.js';
import { DestTrash } from './dest-trash.js';
import { refuseDestination, refuseService, refuseTimeouts } from './refusals.js';
import { Slots } from './slots.js';

/** What Rules answers: everything but the connection table and traces, which come from elsewhere. */
export type RulesRequest = ChangeRequest | Extract<AdminRequest, { op: 'getTimeouts' | 'list' }>;

export interface Outcome {
  reply: AdminReply;
  /** For the dataplane, in order; empty when the request was refused or only asked. */
  actions: Action[];
}

export interface RulesOptions {
  readonly schedulers: readonly string[];
  readonly engines: readonly string[];
  readonly counters: CountersView;
  readonly timeouts?: Timeouts;
  /** Buckets of the connection table, as the listing's banner shows it. */
  readonly size?: number;
}

interface Destination {
  readonly slot: number;
  config: DestinationConfig;
}

interface Service {
  readonly slot: number;
  config: ServiceConfig;
  /** By address and port, oldest first: the kernel lists them, and its schedulers walk them, the other way round. */
  readonly destinations: Map<string, Destination>;
}

const KERNEL_TIMEOUTS: Timeouts = { tcp: 900, tcpfin: 120, udp: 300 };
const TOTAL = 0;

/**
 * The rule table, with the answers of the kernel's ip_vs_ctl. It forwards nothing: an accepted request becomes actions for
 * the dataplane, a refused one changes nothing.
 */
export class Rules {
  private readonly services = new Map<string, Service>();
  private readonly serviceSlots = new Slots(MAX_SERVICES);
  private readonly destinationSlots = new Slots(MAX_DESTINATIONS);
  private readonly trash = new DestTrash();
  /** How many destinations, live or in the trash, keep a service's slot from being lent again; a live service counts as one. */
  private readonly holds = new Map<number, number>();
  private readonly serviceBases = new CounterBases();
  private readonly destinationBases = new CounterBases();
  private readonly totalBase = new CounterBases();
  private timeouts: Timeouts;

  constructor(private readonly options: RulesOptions) {
    this.timeouts = { ...(options.timeouts ?? KERNEL_TIMEOUTS) };
  }

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
   * Empties the trash of what no connection names any more; call it at least every few seconds.
   * `refs`: connections and templates that name a destination's slot. Returns the slots that became free.
   */
  tick(nowMs: number, refs: (destinationSlot: number) => number): number[] {
    const gone = this.trash.tick(nowMs, refs);
    for (const { slot, serviceSlot } of gone) {
      this.destinationSlots.release(slot);
      this.destinationBases.forget(slot);
      this.letGo(serviceSlot);
    }
    return gone.map((entry) => entry.slot);
  }

  /** The director's totals, less what `-Z` took off. */
  total(): StatsEntry {
    return this.totalBase.shown(TOTAL, this.options.counters.total());
  }

  /** Services, newest first, with their counters as a listing shows them. */
  entries(): ServiceEntry[] {
    return [...this.services.values()].reverse().map((service) => this.entry(service));
  }

  private addService(config: ServiceConfig): Outcome {
    const key = keyText(config.key);
    if (this.services.has(key)) return refused('EEXIST');
    const errno = refuseService(config, this.options);
    if (errno) return refused(errno);
    const slot = this.serviceSlots.take();
    if (slot === undefined) return refused('ENOMEM');
    this.services.set(key, { slot, config, destinations: new Map() });
    this.holds.set(slot, 1);
    this.serviceBases.zero(slot, this.options.counters.service(slot));
    return accepted([{ kind: 'addService', slot, service: config }]);
  }

  private editService(service: Service, config: ServiceConfig): Outcome {
    const errno = refuseService(config, this.options);
    if (errno) return refused(errno);
    service.config = config;
    return accepted([{ kind: 'editService', slot: service.slot, service: config }]);
  }

  private removeService(service: Service): Action[] {
    const removed = newestFirst(service).map((destination) => this.remove(service, destination));
    this.services.delete(keyText(service.config.key));
    this.letGo(service.slot);
    return [...removed, { kind: 'deleteService', slot: service.slot }];
  }

  private addDestination(service: Service, config: DestinationConfig): Outcome {
    const errno = refuseDestination(config, familyOf(service.config.key));
    if (errno) return refused(errno);
    if (find(service, config)) return refused('EEXIST');
    return this.revive(service, config) ?? this.create(service, config);
  }

  private create(service: Service, config: DestinationConfig): Outcome {
    const errno = refuseDestination(config, familyOf(service.config.key), 'new');
    if (errno) return refused(errno);
    const slot = this.destinationSlots.take();
    if (slot === undefined) return refused('ENOMEM');
    this.hold(service.slot);
    this.zeroDestination(slot);
    return this.attach(service, { slot, config }, false);
  }

  /** From the trash; what it counted stays its own only while its service is the same one (ip_vs_zero_stats in __ip_vs_update_dest). */
  private revive(service: Service, config: DestinationConfig): Outcome | undefined {
    const found = this.trash.takeBack(identity(service, config));
    if (!found) return undefined;
    if (found.serviceSlot !== service.slot) this.zeroDestination(found.slot);
    this.hold(service.slot);
    this.letGo(found.serviceSlot);
    return this.attach(service, { slot: found.slot, config }, true);
  }

  private attach(service: Service, destination: Destination, revived: boolean): Outcome {
    const { slot, config } = destination;
    service.destinations.set(endpoint(config), destination);
    return accepted([{ kind: 'addDestination', slot, serviceSlot: service.slot, destination: config, revived }]);
  }

  private editDestination(service: Service, config: DestinationConfig): Outcome {
    const errno = refuseDestination(config, familyOf(service.config.key));
    if (errno) return refused(errno);
    const found = find(service, config);
    if (!found) return refused('ENOENT');
    found.config = config;
    return accepted([{ kind: 'editDestination', slot: found.slot, destination: config }]);
  }

  private deleteDestination(service: Service, which: Endpoint): Outcome {
    const found = find(service, which);
    return found ? accepted([this.remove(service, found)]) : refused('ENOENT');
  }

  private remove(service: Service, destination: Destination): Action {
    service.destinations.delete(endpoint(destination.config));
    this.trash.put(identity(service, destination.config), destination.slot, service.slot);
    return { kind: 'removeDestination', slot: destination.slot };
  }

  private zero(key: ServiceKey | undefined): Outcome {
    if (key) return this.withService(key, (service) => accepted([this.zeroServices([service], false)]));
    this.totalBase.zero(TOTAL, this.options.counters.total());
    return accepted([this.zeroServices([...this.services.values()], true)]);
  }

  private zeroServices(services: Service[], total: boolean): Action {
    const slots = services.map(({ slot }) => slot);
    const destinations = services.flatMap((service) => newestFirst(service).map(({ slot }) => slot));
    for (const slot of slots) this.serviceBases.zero(slot, this.options.counters.service(slot));
    for (const slot of destinations) this.zeroDestination(slot);
    return { kind: 'zeroRates', services: slots, destinations, total };
  }

  private zeroDestination(slot: number): void {
    this.destinationBases.zero(slot, this.options.counters.destination(slot));
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
    const { counters } = this.options;
    const { slot, config } = service;
    return {
      ...config,
      stats: this.serviceBases.shown(slot, counters.service(slot)),
      destinations: newestFirst(service).map((destination) => ({
        ...destination.config,
        ...counters.connections(destination.slot),
        stats: this.destinationBases.shown(destination.slot, counters.destination(destination.slot)),
      })),
    };
  }

  private withService(key: ServiceKey, then: (service: Service) => Outcome): Outcome {
    const service = this.services.get(keyText(key));
    return service ? then(service) : refused('ESRCH');
  }

  private hold(serviceSlot: number): void {
    this.holds.set(serviceSlot, (this.holds.get(serviceSlot) ?? 0) + 1);
  }

  private letGo(serviceSlot: number): void {
    const left = (this.holds.get(serviceSlot) ?? 0) - 1;
    this.holds.set(serviceSlot, left);
    if (left > 0) return;
    this.holds.delete(serviceSlot);
    this.serviceBases.forget(serviceSlot);
    this.serviceSlots.release(serviceSlot);
  }
}

type Endpoint = Pick<DestinationConfig, 'address' | 'port'>;

function endpoint({ address, port }: Endpoint): string {
  return `${address}|${port}`;
}

function find(service: Service, which: Endpoint): Destination | undefined {
  return service.destinations.get(endpoint(which));
}

function newestFirst(service: Service): Destination[] {
  return [...service.destinations.values()].reverse();
}

function identity(service: Service, which: Endpoint): string {
  return `${keyText(service.config.key)} -> ${endpoint(which)}`;
}

function accepted(actions: Action[]): Outcome {
  return { reply: { ok: true }, actions };
}

function refused(errno: Errno): Outcome {
  return { reply: { ok: false, errno }, actions: [] };
}
