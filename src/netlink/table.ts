/**
 * Routing tables for longest-prefix lookup: per family and table a map per prefix length.
 *
 *   4/254 ─┬─ /32 ─ { 10.0.0.7 → [route] }
 *          ├─ /24 ─ { 10.0.0.0 → [route metric 0, route metric 100] }
 *          └─ /0  ─ { 0.0.0.0  → [route] }
 */
import type { Family } from './inet.js';
import { keyOf, masked, type Prefix, parsePrefix } from './prefix.js';
import type { Route } from './route.js';

export interface IndexedRoute {
  readonly route: Route;
  /** The sources it is for. */
  readonly src: Prefix;
}

/** By prefix length, then by the prefix's bytes. */
export type RoutingTable = ReadonlyMap<number, ReadonlyMap<string, readonly IndexedRoute[]>>;
export type RoutingTables = ReadonlyMap<string, RoutingTable>;

const indexed = new WeakMap<readonly Route[], RoutingTables>();

/** The tables of a snapshot's routes; made once for each array. */
export function tablesOf(routes: readonly Route[]): RoutingTables {
  const known = indexed.get(routes);
  if (known !== undefined) return known;
  const tables = buildTables(routes);
  indexed.set(routes, tables);
  return tables;
}

export function tableKey(family: Family, table: number): string {
  return `${family}/${table}`;
}

/**
 * Routes to `dst`, best first: longest prefix, narrowest source, smallest metric, then the kernel's order.
 * Several tables count as one, as the kernel merges `local` and `main`; of equal prefixes the first table's come first.
 */
export function* candidates(
  tables: readonly RoutingTable[],
  dst: Uint8Array,
): Generator<IndexedRoute & { len: number }> {
  const lens = new Set(tables.flatMap((table) => [...table.keys()]));
  for (const len of [...lens].sort((a, b) => b - a)) {
    const key = keyOf(masked(dst, len));
    for (const table of tables) for (const entry of table.get(len)?.get(key) ?? []) yield { ...entry, len };
  }
}

type Level = Map<string, IndexedRoute[]>;

function buildTables(routes: readonly Route[]): RoutingTables {
  const tables = new Map<string, Map<number, Level>>();
  for (const route of routes) {
    const dst = parsePrefix(route.dst, route.family);
    const src = parsePrefix(route.src ?? 'default', route.family);
    const table = entryOf(tables, tableKey(route.family, route.table), () => new Map<number, Level>());
    const level: Level = entryOf(table, dst.len, () => new Map());
    entryOf(level, keyOf(dst.bytes), (): IndexedRoute[] => []).push({ route, src });
  }
  for (const table of tables.values()) for (const level of table.values()) sortLevel(level);
  return tables;
}

function sortLevel(level: Level): void {
  const order = (a: IndexedRoute, b: IndexedRoute) => b.src.len - a.src.len || a.route.priority - b.route.priority;
  for (const routes of level.values()) routes.sort(order);
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
