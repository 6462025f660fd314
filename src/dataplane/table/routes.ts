/**
 * The route look-up: rules by priority, in each table the longest prefix (the kernel's fib_lookup).
 * gateway-cache.ts caches IPv4 routes via a gateway that depend on the destination only. Other IPv4
 * answers are cached by (destination, source, mark) in a direct-mapped table, until a route
 * changes:
 *
 *      cache row: [ dst | src | mark | generation | neighbour or −reason | mtu | preferred source | – ]     IPv4 only
 */
import {
  type CompiledRoutes,
  type CompiledRule,
  DEVICE,
  LENGTH,
  MTU,
  ROUTE_WORDS,
  RouteKind,
  SOURCE,
  SOURCE_WORDS,
  TYPE,
  VIA,
  VIA_WORDS,
} from './compiled-routes.js';
import { Fib4 } from './fib.js';
import { Fib6 } from './fib6.js';
import { GatewayCache } from './gateway-cache.js';
import type { Neighbours } from './neighbour.js';
import { covers, type Prefix, type Rule } from './route-data.js';

/** Answers of a look-up that are no neighbour. */
export const NO_ROUTE = -1;
export const BLACKHOLE = -2;
export const LOCAL_ROUTE = -3;
/** Answer of gateway6. */
export const UNKNOWN = -4;

const ROWS = 4096;
const ROW = 8;
/** Words of a row of hops: number of the route's gateway, generation in which it is right, MTU. */
const HOP_WORDS = 3;

export class Router {
  private readonly cache = new Int32Array(ROWS * ROW);
  private generation = 1;
  private rules: readonly CompiledRule<Fib4>[] = [];
  private rules6: readonly CompiledRule<Fib6>[] = [];
  /** A rule asks for a mark. */
  readsMarks = false;
  /** The routes (compiled-routes.ts). */
  private rows: Int32Array = new Int32Array(0);
  private hops = new Int32Array(0);
  /**
   * Result of the last look-up that found a neighbour: MTU of the route, and preferred source
   * address (0: none).
   */
  mtu = 0;
  source = 0;
  private readonly dst = new Int32Array(4);
  private readonly src = new Int32Array(4);
  private readonly via = new Int32Array(4);
  private readonly sourceWords = new Int32Array(4);
  /** Number of the route that the last look-up found; −1: none to a neighbour. */
  private found = -1;
  private gateways = new GatewayCache(new Fib4(), 0);
  /** What rules6 do not decide. */
  private fib6 = new Fib6();

  constructor(
    private readonly neighbours: Neighbours,
    private readonly mtuOf: (device: number) => number,
  ) {}

  /** Puts routes into force. What it costs hardly depends on their number. */
  replace({ rules, rows, gateways, fib6, rules6 }: CompiledRoutes): void {
    const count = rows.length / ROUTE_WORDS;
    this.rules = rules.map((rule) => ({ ...rule, table: new Fib4(rule.table) }));
    this.rules6 = rules6.map((rule) => ({ ...rule, table: new Fib6(rule.table) }));
    this.readsMarks = [...rules, ...rules6].some(({ rule }) => rule.mark !== undefined);
    this.rows = rows;
    this.hops = new Int32Array(count * HOP_WORDS);
    this.gateways = new GatewayCache(new Fib4(gateways), count);
    this.fib6 = new Fib6(fib6);
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

  /** As lookup4. Addresses are four words. Gateways are cached, by their route. */
  lookup6(dst: Int32Array, src: Int32Array, mark: number): number {
    this.mtu = 0;
    this.found = -1;
    const route = this.fib6.find(dst, 0);
    return route < 0 ? this.resolve6(dst, src, mark) : this.answer(route, 6, dst);
  }

  /**
   * As lookup6 for the address in the four words from `from`, where its route has a gateway and
   * does not depend on source and mark. UNKNOWN: ask lookup6.
   */
  gateway6(addresses: Int32Array, from: number): number {
    const { hops } = this;
    const route = this.fib6.find(addresses, from);
    const hop = route * HOP_WORDS;
    if (route < 0 || hops[hop + 1] !== this.generation) return UNKNOWN;
    this.found = route;
    this.mtu = hops[hop + 2]!;
    return hops[hop]!;
  }

  /** The preferred source address of the last IPv6 look-up; valid until the next one. */
  get source6(): Int32Array | undefined {
    const at = this.found * ROUTE_WORDS;
    if (at < 0 || this.rows[at + SOURCE] === 0) return undefined;
    return copied(this.rows, at + SOURCE_WORDS, this.sourceWords);
  }

  /** Prefix length of the route of the last IPv6 look-up. */
  get length6(): number {
    return this.found < 0 ? 128 : this.rows[this.found * ROUTE_WORDS + LENGTH]!;
  }

  private fill4(gatewayRow: number, row: number, dst: number, src: number, mark: number): void {
    this.dst[3] = dst;
    this.src[3] = src;
    this.source = 0;
    const { cache } = this;
    cache[row + 4] = this.resolve4(this.dst, this.src, mark);
    cache[row] = dst;
    cache[row + 1] = src;
    cache[row + 2] = mark;
    cache[row + 3] = this.generation;
    cache[row + 5] = this.mtu;
    const at = this.found * ROUTE_WORDS;
    cache[row + 6] = at < 0 ? 0 : this.rows[at + SOURCE_WORDS + 3]!;
    if (at >= 0 && this.rows[at + VIA] !== 0 && this.gateways.isOf(gatewayRow, this.found))
      this.gateways.set(gatewayRow, cache[row + 4]!, this.mtu, cache[row + 6]!, this.generation);
  }

  private resolve4(dst: Int32Array, src: Int32Array, mark: number): number {
    this.mtu = 0;
    this.found = -1;
    for (const { rule, from, to, table } of this.rules) {
      if (!ruleMatches(rule, from, to, dst, src, mark)) continue;
      const route = table.find(dst[3]!);
      if (route >= 0) return this.answer(route, 4, dst);
    }
    return NO_ROUTE;
  }

  private resolve6(dst: Int32Array, src: Int32Array, mark: number): number {
    for (const { rule, from, to, table } of this.rules6) {
      if (!ruleMatches(rule, from, to, dst, src, mark)) continue;
      const route = table.find(dst, 0);
      if (route >= 0) return this.answer(route, 6, dst);
    }
    return NO_ROUTE;
  }

  private answer(route: number, family: 4 | 6, dst: Int32Array): number {
    const { rows } = this;
    const at = route * ROUTE_WORDS;
    const type = rows[at + TYPE]!;
    if (type === RouteKind.local) return LOCAL_ROUTE;
    if (type === RouteKind.blackhole) return BLACKHOLE;
    if (type !== RouteKind.unicast) return NO_ROUTE;
    this.found = route;
    const device = rows[at + DEVICE]!;
    this.mtu = rows[at + MTU]! || this.mtuOf(device);
    if (rows[at + VIA] === 0) return this.neighbours.idOf(device, family, dst[0]!, dst[1]!, dst[2]!, dst[3]!);
    const hop = route * HOP_WORDS;
    if (this.hops[hop + 1] !== this.generation) this.findGateway(at, hop);
    return this.hops[hop]!;
  }

  private findGateway(at: number, hop: number): void {
    const { rows, hops } = this;
    const [a0, a1, a2, a3] = copied(rows, at + VIA_WORDS, this.via);
    hops[hop] = this.neighbours.idOf(rows[at + DEVICE]!, rows[at + VIA]!, a0!, a1!, a2!, a3!);
    hops[hop + 1] = this.generation;
    hops[hop + 2] = this.mtu;
  }
}

function copied(rows: Int32Array, at: number, to: Int32Array): Int32Array {
  for (let i = 0; i < 4; i++) to[i] = rows[at + i]!;
  return to;
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

function mix(a: number, b: number, c: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ c;
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return h ^ (h >>> 13);
}
