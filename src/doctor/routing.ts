/**
 * The kernel's routing decision on gathered tables and rules: rules by priority, then the longest
 * prefix, then the lowest metric.
 */
import { isIPv6 } from '../wire/address.js';
import { within } from './address.js';
import type { HostFacts, PolicyFact, RouteFact } from './facts.js';

/** The policy rules of a host that has the main table only. */
export const MAIN_TABLE_ONLY: readonly PolicyFact[] = [false, true].map((six) => {
  return { six, priority: 1, table: 'main', from: '', length: 0, more: false };
});

/**
 * The answer of `ip route get TO from FROM`; undefined if there is no route. Rules that match marks
 * or devices are skipped.
 */
export function route(
  { policy, routes }: Pick<HostFacts, 'policy' | 'routes'>,
  to: string,
  from = '',
): RouteFact | undefined {
  const rules = [...policy]
    .filter(
      (rule) =>
        rule.six === isIPv6(to) &&
        !rule.more &&
        (rule.from === '' || (from !== '' && within(from, rule.from, rule.length))),
    )
    .sort((a, b) => a.priority - b.priority);
  for (const { table } of rules) {
    const found = best(routes, table, to);
    if (found) return found.type === 'unicast' || found.type === 'local' ? found : undefined;
  }
  return undefined;
}

function best(routes: readonly RouteFact[], table: string, to: string): RouteFact | undefined {
  return routes
    .filter((one) => one.table === table && one.type !== 'broadcast' && within(to, one.to, one.length))
    .sort((a, b) => b.length - a.length || a.metric - b.metric)[0];
}

/**
 * The route that is used if no more specific one matches: looked up with an address that has none.
 */
export function defaultRoute(host: Pick<HostFacts, 'policy' | 'routes'>, from: string): RouteFact | undefined {
  return route(host, isIPv6(from) ? '3ffe:ffff::' : '255.255.255.254', from);
}

export function isLocal(host: HostFacts, address: string): boolean {
  return route(host, address)?.type === 'local';
}
