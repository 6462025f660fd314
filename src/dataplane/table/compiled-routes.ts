/**
 * Routes compiled for look-ups: plain data and typed arrays, which cross to the thread that
 * forwards in less than a millisecond. The control thread compiles them; the other one only uses
 * them.
 *
 *     tables    each table of a rule: its rows [first, first + count), best first
 *     rows      | PREFIX ×4 | LENGTH | TYPE | DEVICE | MTU | VIA | VIA_WORDS ×4 | SOURCE | SOURCE_WORDS ×4 |
 *     gateways  one Fib over the IPv4 tables that rules ask unconditionally (gateway-cache.ts)
 *     fib6      the IPv6 tables that rules ask unconditionally (fib6.ts)
 */
import { addressFamily } from '../../wire/address.js';
import { chainedFib, type Fib, fibOf } from './fib.js';
import { FIB6_WORDS, MASK, ROUTE, writeMask } from './fib6.js';
import { type Prefix, prefixOf, type Route, type RouteData, type RouteType, type Rule, wordsOf } from './route-data.js';

/** Words of a row. */
export const ROUTE_WORDS = 20;
export const LENGTH = 4;
/** A RouteKind. */
export const TYPE = 5;
export const DEVICE = 6;
/** 0: that of the device. */
export const MTU = 7;
/** Family of the gateway, 0 without one. */
export const VIA = 8;
export const VIA_WORDS = 9;
/** 1: the route has a preferred source address. */
export const SOURCE = 13;
export const SOURCE_WORDS = 14;

export const RouteKind: Readonly<Record<RouteType, number>> = {
  unicast: 0,
  local: 1,
  blackhole: 2,
  unreachable: 3,
  prohibit: 4,
};

/** A rule, and where the rows of its table are. */
export interface CompiledRule {
  readonly rule: Rule;
  readonly from: Prefix | undefined;
  readonly to: Prefix | undefined;
  readonly first: number;
  readonly count: number;
  /** IPv4: numbers of rows, from `first` on. */
  readonly fib: Fib;
}

/** What a Router uses. */
export interface CompiledRoutes {
  /** By priority; rules whose table is empty are left out. */
  readonly rules: readonly CompiledRule[];
  readonly rows: Int32Array;
  readonly gateways: Fib;
  readonly fib6: Int32Array;
}

/** Compiles routes and rules. Allocates; not for the thread that forwards. */
export function compileRoutes(data: RouteData): CompiledRoutes {
  const routes = new Map(data.tables.map((table) => [table.id, table.routes]));
  const rows: Route[] = [];
  const places = new Map<string, Pick<CompiledRule, 'first' | 'count' | 'fib'>>();
  const rules = [...data.rules]
    .sort((a, b) => a.priority - b.priority)
    .flatMap((rule): CompiledRule[] => {
      const { table, family } = rule;
      const list = routes.get(table);
      if (list === undefined) return [];
      let place = places.get(`${table} ${family}`);
      if (place === undefined) {
        place = tableOf(list, family, rows);
        places.set(`${table} ${family}`, place);
      }
      return [{ rule, from: prefixOf(rule.from, family), to: prefixOf(rule.to, family), ...place }];
    });
  const compiled = rowsOf(rows);
  const gateways = chainedFib(unconditional(rules, 4).map(({ fib }) => fib));
  return { rules, rows: compiled, gateways, fib6: fib6Of(compiled, unconditional(rules, 6)) };
}

/**
 * Longest prefix first, then the lowest metric: the first that covers the address is the answer.
 */
function tableOf(list: readonly Route[], family: 4 | 6, rows: Route[]): Pick<CompiledRule, 'first' | 'count' | 'fib'> {
  const sorted = list
    .filter((route) => route.family === family)
    .map((route) => ({ route, prefix: prefixOf(route.to, family) ?? EVERY }))
    .sort((a, b) => b.prefix.length - a.prefix.length || a.route.metric - b.route.metric);
  const first = rows.length;
  for (const { route } of sorted) rows.push(route);
  return { first, count: sorted.length, fib: fibOf(family === 4 ? sorted.map(({ prefix }) => prefix) : [], first) };
}

const EVERY: Prefix = { words: new Int32Array(4), length: 0 };

function rowsOf(routes: readonly Route[]): Int32Array {
  const rows = new Int32Array(routes.length * ROUTE_WORDS);
  routes.forEach(({ family, to, type, device, mtu = 0, via, src }, i) => {
    const at = i * ROUTE_WORDS;
    const { words, length } = prefixOf(to, family) ?? EVERY;
    rows.set(words, at);
    rows[at + LENGTH] = length;
    rows[at + TYPE] = RouteKind[type];
    rows[at + DEVICE] = device;
    rows[at + MTU] = mtu;
    const [gateway, source] = [wordsOf(via), wordsOf(src)];
    if (gateway !== undefined) rows[at + VIA] = addressFamily(via!);
    rows.set(gateway ?? [], at + VIA_WORDS);
    if (source !== undefined) rows[at + SOURCE] = 1;
    rows.set(source ?? [], at + SOURCE_WORDS);
  });
  return rows;
}

/** The rules of a family that ask unconditionally, in order, up to the first conditional rule. */
function unconditional(rules: readonly CompiledRule[], family: 4 | 6): CompiledRule[] {
  const found: CompiledRule[] = [];
  for (const one of rules) {
    const { rule, from, to } = one;
    // A rule with an input device never matches the director's own packets.
    if (rule.family !== family || rule.iif !== undefined) continue;
    if (rule.mark !== undefined || from !== undefined || to !== undefined) break;
    found.push(one);
  }
  return found;
}

/** The rows of these rules' tables (fib6.ts). */
function fib6Of(rows: Int32Array, rules: readonly CompiledRule[]): Int32Array {
  const numbers = rules.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));
  const fib = new Int32Array(numbers.length * FIB6_WORDS);
  numbers.forEach((route, i) => {
    const at = i * FIB6_WORDS;
    const row = route * ROUTE_WORDS;
    fib.set(rows.subarray(row, row + LENGTH), at);
    writeMask(fib, at + MASK, rows[row + LENGTH]!);
    fib[at + ROUTE] = route;
  });
  return fib;
}
