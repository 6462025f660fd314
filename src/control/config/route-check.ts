/**
 * Check of static routes (a TAP, a replay): finds destinations that no frame could reach, before
 * the first frame. The routes of a live box change and are not checked.
 */
import type { DestinationConfig } from '../../service/config.js';
import { contains, type Ip, parseIp, parsePrefix } from '../text/prefix.js';
import { ConfigError } from './config-error.js';
import type { Config, RuleLine } from './director-config.js';

/** A destination and its rule line. */
export interface DestinationRule {
  readonly line: RuleLine;
  readonly destination: DestinationConfig;
}

type Network = Pick<Config, 'devices' | 'routes'>;

/**
 * Throws a ConfigError with a line for each unreachable destination: place of its rule, cause,
 * remedy.
 */
export function checkRoutes(config: Network, rules: readonly DestinationRule[]): void {
  const problems = rules.flatMap(({ line, destination }) => {
    const fault = destinationFault(config, destination);
    return fault === undefined ? [] : [`${line.file}:${line.line}: destination ${destination.address}: ${fault}`];
  });
  if (problems.length > 0) throw new ConfigError(problems);
}

function destinationFault(config: Network, { address, method }: DestinationConfig): string | undefined {
  const ip = parseIp(address);
  if (!ip) return 'is not an IPv4 or IPv6 address';
  if (method === 'local' || method === 'bypass' || isOwn(config, ip) || isOnLink(config, ip)) return undefined;
  if (!(config.routes ?? []).some(({ to }) => contains(parsePrefix(to)!, ip)))
    return `no route to it; ${networks(config)}; give a device an address there or add a route under "routes:"`;
  if (method !== 'gatewaying') return undefined;
  const why = 'gatewaying (-g) sends frames to its MAC address, so that it must be on a segment of the director';
  return `is behind a router; ${why}; ${networks(config)}; give a device an address there, or use -i or -m`;
}

function networks({ devices }: Network): string {
  const all = devices.flatMap(({ name, addresses }) => addresses.map((text) => `${text} on ${name}`));
  return all.length === 0 ? 'no device has an address' : `the devices have ${all.join(', ')}`;
}

function isOwn({ devices }: Network, ip: Ip): boolean {
  return devices.some(({ addresses }) =>
    addresses.some((text) => contains({ ip: parsePrefix(text)!.ip, length: ip.words.length * 32 }, ip)),
  );
}

/** The address is on the network of a device, or behind a route without a router. */
function isOnLink({ devices, routes = [] }: Network, ip: Ip): boolean {
  const networks = devices.flatMap(({ addresses }) => addresses).map((text) => parsePrefix(text)!);
  if (networks.some((network) => contains(network, ip))) return true;
  const fitting = routes
    .map((route) => ({ route, prefix: parsePrefix(route.to)! }))
    .filter(({ prefix }) => contains(prefix, ip));
  const longest = Math.max(...fitting.map(({ prefix }) => prefix.length));
  return fitting.some(({ route, prefix }) => prefix.length === longest && route.via === undefined);
}
