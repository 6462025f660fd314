/**
 * The destinations of a service in the rule table: added, edited, removed, drained, and what health
 * says of them, with the answers of the kernel's ip_vs_ctl.c.
 *
 *     add ─┬─ in the trash? ─► its slot is taken back (revived) ─┐
 *          └─ else a new slot ───────────────────────────────────┴─► live ─► remove ─► in the trash
 */
import { type DestinationConfig, familyOf, keyText, type ServiceKey } from '../../service/config.js';
import type { Action } from './actions.js';
import { type Destination, type Endpoint, endpointKey, find, identity, type Service } from './entries.js';
import {
  applyDrain,
  applyHealth,
  type DestinationHealth,
  edited,
  findSlot,
  type HealthOutcome,
  type HealthTarget,
  isAbsent,
} from './health-weight.js';
import { accepted, type Outcome, refused } from './outcome.js';
import { refuseBehindProxy, refuseDestination } from './refusals.js';
import type { RuleSlots } from './rule-slots.js';

/** Answers what is asked about the destinations of a service, and applies it to the service. */
export class DestinationRules {
  /** Services with a SYN proxy, by keyText. */
  private proxied: ReadonlySet<string> = new Set();
  /** Destinations whose weight follows their health, by slot. */
  private readonly checked = new Map<number, HealthTarget>();

  constructor(private readonly slots: RuleSlots) {}

  /** From now on these services have a SYN proxy. */
  proxy(keys: readonly ServiceKey[]): void {
    this.proxied = new Set(keys.map(keyText));
  }

  add(service: Service, config: DestinationConfig): Outcome {
    const refusal = this.refuse(service, config);
    if (refusal) return refusal;
    if (find(service, config)) return refused('EEXIST');
    return this.revive(service, config) ?? this.create(service, config);
  }

  edit(service: Service, config: DestinationConfig): Outcome {
    const refusal = this.refuse(service, config);
    if (refusal) return refusal;
    const found = find(service, config);
    if (!found) return refused('ENOENT');
    found.config = config;
    if (config.weight !== 0) found.lastWeight = config.weight;
    const kept: Action[] = [{ kind: 'editDestination', slot: found.slot, destination: config }];
    return { ...accepted(isAbsent(found) ? [] : [edited(found)]), kept };
  }

  delete(service: Service, which: Endpoint): Outcome {
    const found = find(service, which);
    if (found === undefined) return refused('ENOENT');
    return { ...accepted(this.remove(service, found)), kept: [{ kind: 'removeDestination', slot: found.slot }] };
  }

  /** Puts a destination into the trash. Returns what the dataplane does. */
  remove(service: Service, destination: Destination): Action[] {
    service.destinations.delete(endpointKey(destination.config));
    this.checked.delete(destination.slot);
    this.slots.bury(identity(service, destination.config), destination.slot, service.slot);
    return isAbsent(destination) ? [] : [{ kind: 'removeDestination', slot: destination.slot }];
  }

  /** As Rules.drain. */
  drain(service: Service, which: Endpoint, share: number | undefined): Outcome {
    const found = find(service, which);
    if (found === undefined) return refused('ENOENT');
    const { actions, kept } = applyDrain(found, share);
    return { ...accepted(actions), kept };
  }

  /** As Rules.endConnections. */
  endConnections(service: Service, which: Endpoint, tcp: boolean, udp: boolean): Outcome {
    const found = find(service, which);
    if (found === undefined) return refused('ENOENT');
    return accepted([{ kind: 'endConnections', slot: found.slot, tcp, udp }]);
  }

  /** As Rules.setHealth, of a destination of one of these services. */
  setHealth(services: Iterable<Service>, slot: number, health: DestinationHealth | undefined): HealthOutcome {
    const found = this.checked.get(slot) ?? findSlot(services, slot);
    if (found === undefined) return { changes: [], actions: [] };
    if (health === undefined) this.checked.delete(slot);
    else this.checked.set(slot, found);
    return applyHealth(found, health);
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
    service.destinations.set(endpointKey(config), destination);
    return accepted([{ kind: 'addDestination', slot, serviceSlot: service.slot, destination: config, revived }]);
  }
}
