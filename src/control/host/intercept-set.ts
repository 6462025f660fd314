/**
 * The intercept rules of all services, kept in step with single changes: what one change costs does
 * not depend on the number of services.
 *
 *     change of a service ──────┐
 *     change of a destination ──┼─► its rules ─► count of each rule ─► rules that came or went since `take`
 *     settings, addresses ──────┘
 *
 * A rule may follow from several services: it goes with the last of them.
 */
import type { InterceptRule } from '../../device/intercept/rule.js';
import { type DestinationConfig, isFwmark, type ServiceKey, type ServiceRules } from '../../service/config.js';
import type { ChangeRequest } from '../api/api.js';
import { type EndpointKey, endpointKey } from '../rules/entries.js';
import { ServiceMap } from '../rules/service-map.js';
import { destinationRules, type InterceptSettings, serviceRules, soleReply, standingRules } from './intercept-rules.js';
import { type InterceptDelta, RuleCounts, textOf } from './rule-counts.js';

/**
 * The rules of one service, and its destinations, by endpointKey. The rules of a destination
 * follow from it and the settings: there may be hundreds of thousands, so they are not kept.
 */
interface Part {
  readonly key: ServiceKey;
  own: readonly InterceptRule[];
  readonly destinations: Map<EndpointKey, DestinationConfig>;
}

export class InterceptSet {
  private parts = new ServiceMap<Part>();
  private standing: readonly InterceptRule[] = [];
  private readonly counts = new RuleCounts();

  /** `atLeast`: as for interceptRules. */
  constructor(
    private settings: InterceptSettings,
    private readonly atLeast: boolean,
  ) {}

  /** All rules. */
  all(): InterceptRule[] {
    const rules = new Map<string, InterceptRule>();
    const note = (rule: InterceptRule) => void rules.set(textOf(rule), rule);
    for (const { key, own, destinations } of this.parts.values()) {
      own.forEach(note);
      for (const destination of destinations.values()) destinationRules(key, destination, this.settings).forEach(note);
    }
    this.standing.forEach(note);
    return [...rules.values()];
  }

  /** The rules that came and went since the last call. */
  take(): InterceptDelta {
    return this.counts.take();
  }

  /** Replaces settings and services. The rules of a destination that stays are not made again. */
  replace(services: readonly ServiceRules[], settings: InterceptSettings): void {
    const before = this.parts;
    const former = this.settings;
    const isSame = String(former.ftp) === String(settings.ftp);
    this.parts = new ServiceMap();
    this.settings = settings;
    for (const { key, destinations } of [...services].reverse()) {
      this.addService(key);
      const known = isSame ? before.get(key) : undefined;
      for (const destination of [...destinations].reverse()) this.keep(key, destination, known);
    }
    for (const part of before.values()) this.release(part, former);
    this.restand();
  }

  /** Adds a destination, or takes it over from a part whose rules are released afterwards. */
  private keep(key: ServiceKey, destination: DestinationConfig, from: Part | undefined): void {
    const endpoint = endpointKey(destination);
    if (from?.destinations.get(endpoint)?.method !== destination.method) return this.addDestination(key, destination);
    from.destinations.delete(endpoint);
    this.parts.get(key)!.destinations.set(endpoint, destination);
  }

  /** Follows accepted changes of the rule table. */
  follow(changes: readonly ChangeRequest[]): void {
    const count = this.parts.size;
    for (const change of changes) this.followOne(change);
    // The standing rules follow from the marks of services, and from there being any.
    if ((count === 0) !== (this.parts.size === 0) || changes.some(isOfMark)) this.restand();
  }

  private followOne(change: ChangeRequest): void {
    if (change.op === 'addService') this.addService(change.service.key);
    else if (change.op === 'deleteService') this.deleteService(change.key);
    else if (change.op === 'addDestination' || change.op === 'editDestination')
      this.addDestination(change.key, change.destination);
    else if (change.op === 'deleteDestination') this.deleteDestination(change.key, endpointKey(change));
    else if (change.op === 'flush') for (const { key } of [...this.parts.values()]) this.deleteService(key);
  }

  private addService(key: ServiceKey): void {
    const known = this.parts.get(key);
    const own = serviceRules({ key }, this.settings);
    this.hold(own);
    if (known === undefined) this.parts.set(key, { key, own, destinations: new Map() });
    else {
      this.drop(known.own);
      known.own = own;
    }
  }

  private deleteService(key: ServiceKey): void {
    const part = this.parts.get(key);
    this.parts.delete(key);
    if (part !== undefined) this.release(part);
  }

  private addDestination(key: ServiceKey, destination: DestinationConfig): void {
    const part = this.parts.get(key);
    if (part === undefined) return;
    const endpoint = endpointKey(destination);
    const before = part.destinations.get(endpoint);
    part.destinations.set(endpoint, destination);
    this.holdDestination(key, destination);
    if (before !== undefined) this.dropDestination(key, before, this.settings);
  }

  private deleteDestination(service: ServiceKey, endpoint: EndpointKey): void {
    const part = this.parts.get(service);
    const destination = part?.destinations.get(endpoint);
    if (part === undefined || destination === undefined) return;
    part.destinations.delete(endpoint);
    this.dropDestination(part.key, destination, this.settings);
  }

  private release({ key, own, destinations }: Part, settings = this.settings): void {
    this.drop(own);
    for (const destination of destinations.values()) this.dropDestination(key, destination, settings);
  }

  private restand(): void {
    const standing = standingRules([...this.parts.values()], this.settings, this.atLeast);
    this.hold(standing);
    this.drop(this.standing);
    this.standing = standing;
  }

  private holdDestination(key: ServiceKey, destination: DestinationConfig): void {
    const reply = soleReply(key, destination, this.settings);
    if (reply !== undefined) this.counts.holdReply(reply);
    else this.hold(destinationRules(key, destination, this.settings));
  }

  private dropDestination(key: ServiceKey, destination: DestinationConfig, settings: InterceptSettings): void {
    const reply = soleReply(key, destination, settings);
    if (reply !== undefined) this.counts.dropReply(reply);
    else this.drop(destinationRules(key, destination, settings));
  }

  private hold(rules: readonly InterceptRule[]): void {
    for (const rule of rules) this.counts.hold(rule);
  }

  private drop(rules: readonly InterceptRule[]): void {
    for (const rule of rules) this.counts.drop(rule);
  }
}

/** The change may add or remove a service by mark. */
function isOfMark(change: ChangeRequest): boolean {
  if (change.op === 'addService') return isFwmark(change.service.key);
  return change.op === 'flush' || (change.op === 'deleteService' && isFwmark(change.key));
}
