/** The kernel's routes and policy rules, as far as the dataplane can follow them, in the dataplane's own words. */
import type { Route, RouteData, RouteType, Rule } from '../../dataplane/table/routes.js';
import type { Route as KernelRoute } from '../../netlink/route.js';
import type { Rule as KernelRule } from '../../netlink/rule.js';
import type { Snapshot } from '../../netlink/snapshot.js';

/** `deviceOf`: the number of a link by ifindex, −1 for interfaces that are not ours; `outside`: the link that stands for those. */
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

/** Of several next hops the first that leaves by one of our devices; what leaves by none is for the host's own routing. */
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

/** Rules that speak of what a balanced packet has: addresses and mark. What the director sends came in by no interface. */
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
