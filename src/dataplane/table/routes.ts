/**
 * Routes and policy rules as plain data, and the route look-up: rules by priority, in each table
 * the longest prefix (the kernel's fib_lookup). gateway-cache.ts caches routes via a gateway that
 * depend on the destination only. Other IPv4 answers are cached by (destination, source, mark) in a
 * direct-mapped table, until a route changes:
 *
 *      cache row: [ dst | src | mark | generation | neighbour or −reason | mtu | preferred source | – ]     IPv4 only
 */
import { addressFamily, isIPv6, parse4, parse6 } from '../../wire/address.js';
import { Fib4 } from './fib.js';
import { GatewayCache } from './gateway-cache.js';
import type { Neighbours } from './neighbour.js';

export type RouteType = 'unicast' | 'local' | 'blackhole' | 'unreachable' | 'prohibit';

/**
 * Prefixes are text (`10.0.0.0/8`, `default` is 0.0.0.0/0 or ::/0). `device` is the index of a
 * link.
 */
export interface Route {
  readonly family: 4 | 6;
  readonly to: string;
  readonly via?: string;
  readonly device: number;
  readonly src?: string;
  readonly mtu?: number;
  readonly type: RouteType;
  readonly metric: number;
}
export interface Rule {
  readonly family: 4 | 6;
  readonly priority: number;
  readonly from?: string;
  readonly to?: string;
  readonly iif?: number;
  readonly mark?: number;
  readonly mask?: number;
  readonly table: number;
}
export interface RouteData {
  readonly tables: readonly { readonly id: number; readonly routes: readonly Route[] }[];
  readonly rules: readonly Rule[];
}

/** Answers of a look-up that are no neighbour. */
export const NO_ROUTE = -1;
export const BLACKHOLE = -2;
export const LOCAL_ROUTE = -3;

interface Prefix {
  readonly words: Int32Array;
  readonly length: number;
}
interface Entry extends Prefix {
  readonly route: Route;
  readonly gateway: Int32Array | undefined;
  readonly source: Int32Array | undefined;
  /** Number of the gateway, valid while `generation` equals the router's. */
  hop: number;
  generation: number;
}
interface Table {
  readonly entries: readonly Entry[];
  /** IPv4 only: indices into `entries`. */
  readonly fib: Fib4;
}
interface CompiledRule {
  readonly rule: Rule;
  readonly from: Prefix | undefined;
  readonly to: Prefix | undefined;
  readonly table: Table | undefined;
}

const ROWS = 4096;
const ROW = 8;
const ANY4 = new Int32Array(4);

export class Router {
  private readonly cache = new Int32Array(ROWS * ROW);
  private generation = 1;
  private rules: CompiledRule[] = [];
  /** A rule asks for a mark. */
  readsMarks = false;
  /**
   * Result of the last look-up that found a neighbour: MTU of the route, and preferred source
   * address (0: none).
   */
  mtu = 0;
  source = 0;
  private readonly dst = new Int32Array(4);
  private readonly src = new Int32Array(4);
  private found: Entry | undefined;
  private gateways = new GatewayCache<Entry>([]);

  constructor(
    private readonly neighbours: Neighbours,
    private readonly mtuOf: (device: number) => number,
  ) {}

  replace(data: RouteData): void {
    const routes = new Map(data.tables.map(({ id, routes }) => [id, routes]));
    this.rules = data.rules
      .map((rule) => ({
        rule,
        from: prefixOf(rule.from, rule.family),
        to: prefixOf(rule.to, rule.family),
        table: compile(routes.get(rule.table), rule.family),
      }))
      .sort((a, b) => a.rule.priority - b.rule.priority);
    this.readsMarks = data.rules.some(({ mark }) => mark !== undefined);
    this.gateways = new GatewayCache(unconditional(this.rules));
    this.generation++;
  }

  /** Invalidates the caches: neighbours have other numbers now. */
  forgetCached(): void {
    this.generation++;
  }

  /**
   * Returns the number of the neighbour for an IPv4 packet, or NO_ROUTE, BLACKHOLE, LOCAL_ROUTE.
   * `src` 0: not chosen yet.
   */
  lookup4(dst: number, src: number, mark: number): number {
    const { gateways } = this;
    const gatewayRow = gateways.find(dst);
    if (gatewayRow < 0 || !gateways.isGood(gatewayRow, this.generation))
      return this.lookupCached(gatewayRow, dst, src, mark);
    this.mtu = gateways.mtu(gatewayRow);
    this.source = gateways.source(gatewayRow);
    return gateways.hop(gatewayRow);
  }

  /**
   * `gatewayRow`: the row of the gateway cache that stores the answer, if the route qualifies; −1
   * for none.
   */
  private lookupCached(gatewayRow: number, dst: number, src: number, mark: number): number {
    const { cache } = this;
    const row = (mix(dst, src, mark) & (ROWS - 1)) * ROW;
    if (
      cache[row] !== dst ||
      cache[row + 1] !== src ||
      cache[row + 2] !== (mark | 0) ||
      cache[row + 3] !== this.generation
    )
      this.fill4(gatewayRow, row, dst, src, mark);
    this.mtu = cache[row + 5]!;
    this.source = cache[row + 6]!;
    return cache[row + 4]!;
  }

  /** As lookup4, without a cache. Addresses are four words. */
  lookup6(dst: Int32Array, src: Int32Array, mark: number): number {
    return this.resolve(6, dst, src, mark);
  }

  /** The preferred source address of the last IPv6 look-up. */
  get source6(): Int32Array | undefined {
    return this.found?.source;
  }

  /** Prefix length of the route of the last IPv6 look-up. */
  get length6(): number {
    return this.found?.length ?? 128;
  }

  private fill4(gatewayRow: number, row: number, dst: number, src: number, mark: number): void {
    this.dst[3] = dst;
    this.src[3] = src;
    this.source = 0;
    const { cache } = this;
    cache[row + 4] = this.resolve(4, this.dst, this.src, mark);
    cache[row] = dst;
    cache[row + 1] = src;
    cache[row + 2] = mark;
    cache[row + 3] = this.generation;
    cache[row + 5] = this.mtu;
    cache[row + 6] = this.found?.source?.[3] ?? 0;
    if (gatewayRow >= 0 && this.found?.gateway !== undefined && this.gateways.isOf(gatewayRow, this.found))
      this.gateways.set(gatewayRow, cache[row + 4]!, this.mtu, cache[row + 6]!, this.generation);
  }

  private resolve(family: 4 | 6, dst: Int32Array, src: Int32Array, mark: number): number {
    this.mtu = 0;
    this.found = undefined;
    for (const { rule, from, to, table } of this.rules) {
      if (table === undefined || rule.family !== family || !ruleMatches(rule, from, to, dst, src, mark)) continue;
      const entry = family === 4 ? table.entries[table.fib.find(dst[3]!)] : longest(table.entries, dst);
      if (entry !== undefined) return this.answer(entry, dst);
    }
    return NO_ROUTE;
  }

  private answer(entry: Entry, dst: Int32Array): number {
    const { route } = entry;
    if (route.type === 'local') return LOCAL_ROUTE;
    if (route.type === 'blackhole') return BLACKHOLE;
    if (route.type !== 'unicast') return NO_ROUTE;
    this.found = entry;
    this.mtu = route.mtu ?? this.mtuOf(route.device);
    if (entry.gateway === undefined)
      return this.neighbours.idOf(route.device, route.family, dst[0]!, dst[1]!, dst[2]!, dst[3]!);
    return entry.generation === this.generation ? entry.hop : this.findGateway(entry, entry.gateway);
  }

  private findGateway(entry: Entry, [a0, a1, a2, a3]: Int32Array): number {
    const { route } = entry;
    entry.hop = this.neighbours.idOf(route.device, gatewayFamily(route), a0!, a1!, a2!, a3!);
    entry.generation = this.generation;
    return entry.hop;
  }
}

/** The IPv4 tables that rules ask unconditionally, in order, up to the first conditional rule. */
function unconditional(rules: readonly CompiledRule[]): Table[] {
  const tables: Table[] = [];
  for (const { rule, from, to, table } of rules) {
    // A rule with an input device never matches the director's own packets.
    if (rule.family !== 4 || rule.iif !== undefined) continue;
    if (rule.mark !== undefined || from !== undefined || to !== undefined) break;
    if (table !== undefined) tables.push(table);
  }
  return tables;
}

function gatewayFamily(route: Route): 4 | 6 {
  return route.via === undefined ? 4 : addressFamily(route.via);
}

function ruleMatches(
  rule: Rule,
  from: Prefix | undefined,
  to: Prefix | undefined,
  dst: Int32Array,
  src: Int32Array,
  mark: number,
): boolean {
  // A rule with an input device is for received packets. A packet that the director sends has none.
  if (rule.iif !== undefined) return false;
  if (rule.mark !== undefined && ((mark ^ rule.mark) & (rule.mask ?? -1)) !== 0) return false;
  if (from !== undefined && !covers(from, src, rule.family)) return false;
  return to === undefined || covers(to, dst, rule.family);
}

function longest(entries: readonly Entry[], dst: Int32Array): Entry | undefined {
  for (let i = 0; i < entries.length; i++) if (covers(entries[i]!, dst, 6)) return entries[i];
  return undefined;
}

/**
 * Longest prefix first, then the lowest metric: the first that covers the address is the answer.
 */
function compile(routes: readonly Route[] | undefined, family: 4 | 6): Table | undefined {
  if (routes === undefined) return undefined;
  const entries = routes
    .filter((route) => route.family === family)
    .map((route) => ({
      ...(prefixOf(route.to, family) ?? { words: ANY4, length: 0 }),
      route,
      gateway: wordsOf(route.via),
      source: wordsOf(route.src),
      hop: 0,
      generation: 0,
    }))
    .sort((a, b) => b.length - a.length || a.route.metric - b.route.metric);
  return { entries, fib: new Fib4(family === 4 ? entries : []) };
}

/**
 * Text to words, IPv4 in the last word. Undefined for no text and for a text that is no address
 * (the control side has checked it).
 */
export function wordsOf(text: string | undefined): Int32Array | undefined {
  if (text === undefined) return undefined;
  if (isIPv6(text)) return parse6(text);
  const address = parse4(text);
  return address === undefined ? undefined : Int32Array.of(0, 0, 0, address);
}

function prefixOf(text: string | undefined, family: 4 | 6): Prefix | undefined {
  if (text === undefined || text === 'default') return undefined;
  const [address, length] = text.split('/');
  const words = wordsOf(address);
  return words && { words, length: length === undefined ? (family === 4 ? 32 : 128) : Number(length) };
}

export function covers(prefix: Prefix, address: Int32Array, family: number): boolean {
  let left = prefix.length;
  for (let i = family === 4 ? 3 : 0; left > 0; i++, left -= 32) {
    const mask = left >= 32 ? -1 : -1 << (32 - left);
    if (((prefix.words[i]! ^ address[i]!) & mask) !== 0) return false;
  }
  return true;
}

function mix(a: number, b: number, c: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ c;
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return h ^ (h >>> 13);
}
