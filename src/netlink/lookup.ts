/**
 * The kernel's routing decision, as a pure function of a snapshot: rules by priority, in each table the longest prefix.
 *
 *   rule 0 ─ no match ─► rule 100 ─ match ─► table 7 ─ nothing, or `throw` ─► rule 32766 ─► main ─► a route: done
 *
 * As net/core/fib_rules.c, fib_trie.c and fib6_rules.c do it, for packets that are forwarded (`iif`) or this host's own.
 * Left out: what depends on more than the query (TOS, ports, VRFs: such rules do not match), rp_filter and forwarding
 * switches, the scoring of IPv6 routers that do not answer, and the choice among multipath hops.
 */
import { type Family, parseInet } from './inet.js';
import type { RouteType } from './name.js';
import type { NextHop } from './nexthop.js';
import { contains, parsePrefix } from './prefix.js';
import type { Route } from './route.js';
import type { Rule } from './rule.js';
import type { RoutingSnapshot } from './snapshot.js';
import { candidates, type RoutingTable, tableKey, tablesOf } from './table.js';

const MAIN = 254;
const LOCAL = 255;
const DEFAULT = 253;
const DEFAULTS: ReadonlyMap<number, number> = new Map([
  [0, LOCAL],
  [32766, MAIN],
  [32767, DEFAULT],
]);
/** Whose user id forwarded packets count as. */
const ROOT = 0;

export interface LookupQuery {
  readonly dst: string;
  readonly src?: string;
  readonly mark?: number;
  /** Ifindex of the device the packet came in by; absent for packets of this host's own. */
  readonly iif?: number;
}

export type RoutingErrno = 'ENETUNREACH' | 'EHOSTUNREACH' | 'EACCES' | 'EINVAL';

export interface Lookup {
  /** `unreachable` also where no route was found. */
  readonly type: RouteType;
  /** What the kernel answers where packets are not sent: blackhole EINVAL, prohibit EACCES, unreachable, no route. */
  readonly errno?: RoutingErrno;
  /** The route that decided; absent where a rule did, or nothing. */
  readonly route?: Route;
  /** Those whose devices are up. More than one: the kernel spreads flows over them by weight. */
  readonly nexthops: readonly NextHop[];
  /** Of the first next hop. */
  readonly gateway?: string;
  readonly oif?: number;
}

interface Flow {
  readonly family: Family;
  readonly dst: Uint8Array;
  readonly src: Uint8Array;
  readonly hasSrc: boolean;
  readonly mark: number;
  readonly iif: string;
}

/** What a rule or a table says; `undefined`: nothing, go on. `len` is the matched prefix's. */
type Decision = (Lookup & { readonly len: number }) | undefined;

/** Throws TypeError when an address is no address, or source and destination are of different families. */
export function lookupRoute(snapshot: RoutingSnapshot, query: LookupQuery): Lookup {
  const flow = flowOf(snapshot, query);
  const rules = snapshot.rules.filter((rule) => rule.family === flow.family);
  const decision = isUntouched(rules, flow.family) ? lookupMerged(snapshot, flow) : followRules(snapshot, rules, flow);
  if (decision === undefined) return refusal('unreachable', 'ENETUNREACH');
  const { len: _, ...lookup } = decision;
  return lookup;
}

function flowOf(snapshot: RoutingSnapshot, query: LookupQuery): Flow {
  const dst = parseInet(query.dst);
  const src = query.src === undefined ? undefined : parseInet(query.src);
  if (src !== undefined && src.family !== dst.family)
    throw new TypeError(`source ${query.src} and destination ${query.dst} must both be IPv${dst.family}`);
  const link = snapshot.links.find(({ ifindex }) => ifindex === query.iif);
  return {
    family: dst.family,
    dst: dst.bytes,
    src: src?.bytes ?? new Uint8Array(dst.bytes.length),
    hasSrc: src !== undefined,
    mark: query.mark ?? 0,
    iif: query.iif === undefined ? 'lo' : (link?.name ?? ''),
  };
}

/**
 * While nobody has added an IPv4 rule, the kernel keeps `local` and `main` in one trie: a longer prefix in main then
 * wins over a shorter local one. (It stays apart once a rule was added, also when that is gone: not visible from here.)
 */
function isUntouched(rules: readonly Rule[], family: Family): boolean {
  const bare = (rule: Rule) => rule.action === 'lookup' && DEFAULTS.get(rule.priority) === rule.table && isBare(rule);
  return family === 4 && rules.length === DEFAULTS.size && rules.every(bare);
}

function isBare(rule: Rule): boolean {
  const conditions = [rule.src, rule.dst, rule.iif, rule.oif, rule.uid, rule.ipProto, rule.sport, rule.dport];
  return (
    conditions.every((condition) => condition === undefined) && !rule.invert && rule.fwmask === 0 && rule.tos === 0
  );
}

function lookupMerged(snapshot: RoutingSnapshot, flow: Flow): Decision {
  return lookupTables(snapshot, [LOCAL, MAIN], flow) ?? lookupTables(snapshot, [DEFAULT], flow);
}

function followRules(snapshot: RoutingSnapshot, rules: readonly Rule[], flow: Flow): Decision {
  const ordered = [...rules].sort((a, b) => a.priority - b.priority);
  for (let i = 0; i < ordered.length; i++) {
    const rule = ordered[i] as Rule;
    if (!matches(rule, flow)) continue;
    if (rule.action === 'goto') {
      // A target that does not exist, or lies behind, is passed over.
      const target = ordered.findIndex(({ priority }) => priority === rule.goto);
      if (target > i) i = target - 1;
      continue;
    }
    const decision = decide(snapshot, rule, flow);
    if (decision !== undefined && !isSuppressed(snapshot, rule, decision)) return decision;
  }
  return undefined;
}

/** fib_rule_match. */
function matches(rule: Rule, flow: Flow): boolean {
  const met =
    (rule.iif === undefined || rule.iif === flow.iif) &&
    rule.oif === undefined &&
    ((rule.fwmark ^ flow.mark) & rule.fwmask) === 0 &&
    (rule.src === undefined || matchesSource(rule.src, flow)) &&
    (rule.dst === undefined || contains(parsePrefix(rule.dst, flow.family), flow.dst)) &&
    (rule.uid === undefined || rule.uid[0] === ROOT) &&
    !asksForMore(rule);
  return met !== rule.invert;
}

/** IPv4 compares 0.0.0.0 where no source is known yet; IPv6 does not match then. */
function matchesSource(src: string, flow: Flow): boolean {
  if (flow.family === 6 && !flow.hasSrc) return false;
  return contains(parsePrefix(src, flow.family), flow.src);
}

function asksForMore(rule: Rule): boolean {
  const ports = rule.ipProto ?? rule.sport ?? rule.dport;
  return ports !== undefined || rule.tos !== 0 || rule.l3mdev || rule.special;
}

function decide(snapshot: RoutingSnapshot, rule: Rule, flow: Flow): Decision {
  switch (rule.action) {
    case 'lookup':
      return lookupTables(snapshot, [rule.table], flow);
    case 'blackhole':
      return refusal('blackhole', 'EINVAL');
    case 'prohibit':
      return refusal('prohibit', 'EACCES');
    case 'unreachable':
      return refusal('unreachable', 'ENETUNREACH');
    default:
      return undefined;
  }
}

function refusal(type: RouteType, errno: RoutingErrno): Lookup & { len: number } {
  return { type, errno, nexthops: [], len: 0 };
}

const EMPTY: RoutingTable = new Map();

const ERRNOS: { [T in RouteType]?: RoutingErrno } = {
  blackhole: 'EINVAL',
  unreachable: 'EHOSTUNREACH',
  prohibit: 'EACCES',
};

function lookupTables(snapshot: RoutingSnapshot, numbers: readonly number[], flow: Flow): Decision {
  const all = tablesOf(snapshot.routes);
  const tables = numbers.map((table) => all.get(tableKey(flow.family, table)) ?? EMPTY);
  for (const { route, src, len } of candidates(tables, flow.dst)) {
    if (route.tos !== 0 || !contains(src, flow.src)) continue;
    if (route.type === 'throw') return undefined;
    const errno = ERRNOS[route.type];
    if (errno !== undefined) return { type: route.type, errno, route, nexthops: [], len };
    const nexthops = route.nexthops.filter((hop) => !hop.dead);
    if (nexthops.length > 0) return { type: route.type, route, nexthops, ...firstOf(nexthops), len };
  }
  return undefined;
}

function firstOf([first]: readonly NextHop[]) {
  return {
    ...(first?.gateway !== undefined && { gateway: first.gateway }),
    ...(first?.oif !== undefined && { oif: first.oif }),
  };
}

/** suppress_prefixlength, suppress_ifgroup: the table's answer does not count. Refusals always do. */
function isSuppressed(snapshot: RoutingSnapshot, rule: Rule, decision: Lookup & { len: number }): boolean {
  if (decision.errno !== undefined) return false;
  if (rule.suppressPrefixLength !== undefined && decision.len <= rule.suppressPrefixLength) return true;
  const group = snapshot.links.find(({ ifindex }) => ifindex === decision.oif)?.group;
  return rule.suppressGroup !== undefined && group === rule.suppressGroup;
}
