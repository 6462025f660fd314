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
import {
  type DestinationConfig,
  isFwmark,
  keyText,
  SCTP,
  type ServiceKey,
  type ServiceRules,
  TCP,
  UDP,
} from '../../service/config.js';
import { parse4 } from '../../wire/address.js';
import type { ChangeRequest } from '../api/api.js';
import { type EndpointKey, endpointKey } from '../rules/entries.js';
import { destinationRules, type InterceptSettings, serviceRules, standingRules } from './intercept-rules.js';

/**
 * The rules of one service, and its destinations, by endpointKey. The rules of a destination
 * follow from it and the settings: there may be hundreds of thousands, so they are not kept.
 */
interface Part {
  readonly key: ServiceKey;
  own: readonly InterceptRule[];
  readonly destinations: Map<EndpointKey, DestinationConfig>;
}

/** Rules that came and went. */
export interface InterceptDelta {
  readonly added: readonly InterceptRule[];
  readonly removed: readonly InterceptRule[];
}

export class InterceptSet {
  private readonly parts = new Map<string, Part>();
  private standing: readonly InterceptRule[] = [];
  /** How many services, destinations and settings a rule follows from, by keyOf. */
  private readonly counts = new Map<RuleKey, number>();
  private readonly added = new Map<RuleKey, InterceptRule>();
  private readonly removed = new Map<RuleKey, InterceptRule>();

  /** `atLeast`: as for interceptRules. */
  constructor(
    private settings: InterceptSettings,
    private readonly atLeast: boolean,
  ) {}

  /** All rules. */
  all(): InterceptRule[] {
    const rules = new Map<RuleKey, InterceptRule>();
    const note = (rule: InterceptRule) => void rules.set(keyOf(rule), rule);
    for (const { key, own, destinations } of this.parts.values()) {
      own.forEach(note);
      for (const destination of destinations.values()) destinationRules(key, destination, this.settings).forEach(note);
    }
    this.standing.forEach(note);
    return [...rules.values()];
  }

  /** The rules that came and went since the last call. */
  take(): InterceptDelta {
    const delta = { added: [...this.added.values()], removed: [...this.removed.values()] };
    this.added.clear();
    this.removed.clear();
    return delta;
  }

  /** Replaces settings and services. The rules of a destination that stays are not made again. */
  replace(services: readonly ServiceRules[], settings: InterceptSettings): void {
    const before = new Map(this.parts);
    const former = this.settings;
    const isSame = String(former.ftp) === String(settings.ftp);
    this.parts.clear();
    this.settings = settings;
    for (const { key, destinations } of [...services].reverse()) {
      this.addService(key);
      const known = isSame ? before.get(keyText(key)) : undefined;
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
    this.parts.get(keyText(key))!.destinations.set(endpoint, destination);
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
    else if (change.op === 'deleteService') this.deleteService(keyText(change.key));
    else if (change.op === 'addDestination' || change.op === 'editDestination')
      this.addDestination(change.key, change.destination);
    else if (change.op === 'deleteDestination') this.deleteDestination(keyText(change.key), endpointKey(change));
    else if (change.op === 'flush') for (const key of [...this.parts.keys()]) this.deleteService(key);
  }

  private addService(key: ServiceKey): void {
    const known = this.parts.get(keyText(key));
    const own = serviceRules({ key }, this.settings);
    this.hold(own);
    if (known === undefined) this.parts.set(keyText(key), { key, own, destinations: new Map() });
    else {
      this.drop(known.own);
      known.own = own;
    }
  }

  private deleteService(text: string): void {
    const part = this.parts.get(text);
    this.parts.delete(text);
    if (part !== undefined) this.release(part);
  }

  private addDestination(key: ServiceKey, destination: DestinationConfig): void {
    const part = this.parts.get(keyText(key));
    if (part === undefined) return;
    const endpoint = endpointKey(destination);
    const before = part.destinations.get(endpoint);
    part.destinations.set(endpoint, destination);
    this.hold(destinationRules(key, destination, this.settings));
    if (before !== undefined) this.drop(destinationRules(key, before, this.settings));
  }

  private deleteDestination(service: string, endpoint: EndpointKey): void {
    const part = this.parts.get(service);
    const destination = part?.destinations.get(endpoint);
    if (part === undefined || destination === undefined) return;
    part.destinations.delete(endpoint);
    this.drop(destinationRules(part.key, destination, this.settings));
  }

  private release({ key, own, destinations }: Part, settings = this.settings): void {
    this.drop(own);
    for (const destination of destinations.values()) this.drop(destinationRules(key, destination, settings));
  }

  private restand(): void {
    const standing = standingRules([...this.parts.values()], this.settings, this.atLeast);
    this.hold(standing);
    this.drop(this.standing);
    this.standing = standing;
  }

  private hold(rules: readonly InterceptRule[]): void {
    for (const rule of rules) {
      const key = keyOf(rule);
      const count = this.counts.get(key) ?? 0;
      this.counts.set(key, count + 1);
      if (count === 0 && !this.removed.delete(key)) this.added.set(key, rule);
    }
  }

  private drop(rules: readonly InterceptRule[]): void {
    for (const rule of rules) {
      const key = keyOf(rule);
      const left = this.counts.get(key)! - 1;
      if (left > 0) this.counts.set(key, left);
      else {
        this.counts.delete(key);
        if (!this.added.delete(key)) this.removed.set(key, rule);
      }
    }
  }
}

/** What tells rules apart: a number for replies of one IPv4 address and port, as most are. */
type RuleKey = number | string;

const PORTS = 2 ** 16;
/** A number has room for these protocols only. */
const NUMBERS: Readonly<Record<number, number>> = { [TCP]: 0, [UDP]: 1, [SCTP]: 2 };
const NUMBERED = 3;

function keyOf(rule: InterceptRule): RuleKey {
  if (rule.kind !== 'packet' || rule.daddr !== undefined || rule.iif !== undefined || rule.dport !== undefined)
    return JSON.stringify(rule);
  const { family, saddr, protocol, sport } = rule;
  const [from, to] = sport?.[0] ?? [];
  const port = sport?.length === 1 && from === to ? from : undefined;
  const number = protocol === undefined ? undefined : NUMBERS[protocol];
  const ipv4 = saddr === undefined || port === undefined || number === undefined ? undefined : parse4(saddr);
  // JSON takes three times as long.
  if (ipv4 === undefined) return [family, saddr, protocol, port ?? String(sport ?? '')].join(' ');
  return ((ipv4 >>> 0) * NUMBERED + number!) * PORTS + port!;
}

/** The change may add or remove a service by mark. */
function isOfMark(change: ChangeRequest): boolean {
  if (change.op === 'addService') return isFwmark(change.service.key);
  return change.op === 'flush' || (change.op === 'deleteService' && isFwmark(change.key));
}
