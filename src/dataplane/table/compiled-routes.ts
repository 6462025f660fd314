/**
 * Routes compiled for look-ups: plain data and typed arrays, which cross to the thread that
 * forwards in less than a millisecond. The control thread compiles them; the other one only uses
 * them.
 *
 *     rules     IPv4: each with the Fib of its table
 *     rows      | PREFIX ×4 | LENGTH | TYPE | DEVICE | MTU | VIA | VIA_WORDS ×4 | SOURCE | SOURCE_WORDS ×4 |
 *     gateways  one Fib over the IPv4 tables that rules ask unconditionally (gateway-cache.ts)
 *     fib6      one FibTree over the IPv6 tables that rules ask unconditionally
 *     rules6    the other IPv6 rules, each with the FibTree of its table
 */
import { addressFamily } from '../../wire/address.js';
import { chainedFib, type Fib, fibOf } from './fib.js';
import { type FibTree, fibTreeOf } from './fib6.js';
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

/** A rule, and its table. */
export interface CompiledRule<Table> {
  readonly rule: Rule;
  readonly from: Prefix | undefined;
  readonly to: Prefix | undefined;
  readonly table: Table;
}

/** What a Router uses. Rules are in order; those whose table is empty are left out. */
export interface CompiledRoutes {
  readonly rules: readonly CompiledRule<Fib>[];
  readonly rows: Int32Array;
  readonly gateways: Fib;
  readonly fib6: FibTree;
  readonly rules6: readonly CompiledRule<FibTree>[];
}

interface Parsed {
  readonly route: Route;
  readonly prefix: Prefix;
}

/** The rows of a table, from `first` on: the longest prefix first, then the lowest metric. */
interface Rows {
  readonly first: number;
  readonly prefixes: readonly Prefix[];
}

/** Compiles routes and rules. Allocates; not for the thread that forwards. */
export function compileRoutes({ tables, rules }: RouteData): CompiledRoutes {
  const lists = new Map(tables.map(({ id, routes }) => [id, routes]));
  const rows: Parsed[] = [];
  const sorted = [...rules].sort((a, b) => a.priority - b.priority);
  const [four, six] = ([4, 6] as const).map((family) => {
    const place = once((table: number) => tableOf(lists.get(table)!, family, rows));
    return sorted.flatMap((rule): CompiledRule<Rows>[] => {
      const { from, to, table } = rule;
      if (rule.family !== family || !lists.has(table)) return [];
      return [{ rule, from: prefixOf(from, family), to: prefixOf(to, family), table: place(table) }];
    });
  }) as [CompiledRule<Rows>[], CompiledRule<Rows>[]];
  const always = unconditional(six);
  const rules4 = withTables(four, ({ prefixes, first }) => fibOf(prefixes, first));
  return {
    rules: rules4,
    rows: rowsOf(rows),
    gateways: chainedFib(unconditional(rules4).map(({ table }) => table)),
    fib6: treeOf(always.map(({ table }) => table)),
    rules6: withTables(
      six.filter((one) => !always.includes(one)),
      (table) => treeOf([table]),
    ),
  };
}

/** A function that is called once for each argument. */
function once<A, R>(make: (argument: A) => R): (argument: A) => R {
  const made = new Map<A, R>();
  return (argument) => {
    if (!made.has(argument)) made.set(argument, make(argument));
    return made.get(argument)!;
  };
}

function withTables<T>(rules: readonly CompiledRule<Rows>[], make: (rows: Rows) => T): CompiledRule<T>[] {
  const made = once(make);
  return rules.map(({ table, ...rest }) => ({ ...rest, table: made(table) }));
}

/** Several tables as one: the first one with an answer decides. */
function treeOf(tables: readonly Rows[]): FibTree {
  const numbers = tables.flatMap(({ first, prefixes }) => prefixes.map((_, i) => first + i));
  return fibTreeOf(
    tables.flatMap(({ prefixes }) => prefixes),
    numbers,
  );
}

function tableOf(list: readonly Route[], family: 4 | 6, rows: Parsed[]): Rows {
  const sorted = list
    .filter((route) => route.family === family)
    .map((route) => ({ route, prefix: prefixOf(route.to, family) ?? EVERY }))
    .sort((a, b) => b.prefix.length - a.prefix.length || a.route.metric - b.route.metric);
  const first = rows.length;
  for (const one of sorted) rows.push(one);
  return { first, prefixes: sorted.map(({ prefix }) => prefix) };
}

const EVERY: Prefix = { words: new Int32Array(4), length: 0 };

function rowsOf(routes: readonly Parsed[]): Int32Array {
  const rows = new Int32Array(routes.length * ROUTE_WORDS);
  routes.forEach(({ route: { type, device, mtu = 0, via, src }, prefix: { words, length } }, i) => {
    const at = i * ROUTE_WORDS;
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

/** The rules that ask unconditionally, in order, up to the first conditional rule. */
function unconditional<T>(rules: readonly CompiledRule<T>[]): CompiledRule<T>[] {
  // A rule with an input device never matches the director's own packets.
  const asked = rules.filter(({ rule }) => rule.iif === undefined);
  const end = asked.findIndex(
    ({ rule, from, to }) => rule.mark !== undefined || from !== undefined || to !== undefined,
  );
  return end < 0 ? asked : asked.slice(0, end);
}
