/**
 * Routes and policy rules of the kernel in the form of the dataplane, as far as it can follow them.
 */
import type { Route, RouteData, RouteType, Rule } from '../../dataplane/table/route-data.js';
import type { Route as KernelRoute } from '../../netlink/route.js';
import type { Rule as KernelRule } from '../../netlink/rule.js';
import type { Snapshot } from '../../netlink/snapshot.js';

/**
 * The routing tables and rules. `deviceOf`: index of the link of an interface, −1: not a device of
 * the director. `outside`: index of the link for packets by the routing of the host.
 */
export function kernelRoutes(
  { routes, rules }: Pick<Snapshot, 'routes' | 'rules'>,
  deviceOf: (ifindex: number | undefined) => number,
  outside: number,
): RouteData {
  const tables = new Map<number, Route[]>();
  for (const route of routes) {
    const one = routeOf(route, deviceOf, outside);
    if (one === undefined) continue;
    const table = tables.get(route.table);
    if (table === undefined) tables.set(route.table, [one]);
    else table.push(one);
  }
  return { tables: [...tables].map(([id, list]) => ({ id, routes: list })), rules: rules.filter(isUsable).map(ruleOf) };
}

/**
 * The first next hop by a device of the director; without one the packets go by the routing of the
 * host.
 */
function routeOf(
  { family, dst: to, priority: metric, mtu, prefsrc, nexthops, type: kernelType }: KernelRoute,
  deviceOf: (ifindex: number | undefined) => number,
  outside: number,
): Route | undefined {
  const type = typeOf(kernelType);
  if (type === undefined) return undefined;
  const base = { family, to, type, metric, ...(mtu && { mtu }), ...(prefsrc !== undefined && { src: prefsrc }) };
  if (type !== 'unicast') return { ...base, device: -1 };
  const hops = nexthops.filter(({ dead }) => !dead).map((hop) => ({ hop, device: deviceOf(hop.oif) }));
  if (hops.length === 0) return undefined;
  const best = hops.find(({ device }) => device >= 0);
  if (best === undefined) return { ...base, device: outside };
  return { ...base, device: best.device, ...(best.hop.gateway && { via: best.hop.gateway }) };
}

function typeOf(type: KernelRoute['type']): RouteType | undefined {
  if (type === 'unicast' || type === 'local' || type === 'blackhole' || type === 'unreachable' || type === 'prohibit')
    return type;
  return undefined;
}

function ruleOf({ family, priority, table, src, dst, fwmark, fwmask }: KernelRule): Rule {
  return {
    family,
    priority,
    table,
    ...(src && { from: src }),
    ...(dst && { to: dst }),
    ...(fwmask !== 0 && { mark: fwmark, mask: fwmask }),
  };
}

/**
 * The rule matches addresses and mark only. Rules with an interface do not match packets of the
 * director.
 */
function isUsable(rule: KernelRule): boolean {
  return (
    rule.action === 'lookup' &&
    !rule.invert &&
    !rule.special &&
    !rule.l3mdev &&
    rule.iif === undefined &&
    rule.oif === undefined &&
    rule.ipProto === undefined &&
    rule.sport === undefined &&
    rule.dport === undefined &&
    rule.uid === undefined &&
    rule.suppressPrefixLength === undefined &&
    rule.tos === 0
  );
}
