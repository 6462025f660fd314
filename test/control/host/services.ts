/** Listed services for tests of what the host's stack must leave alone. */
import type { ServiceEntry } from '../../../src/control/api/api.js';
import { NO_STATS } from '../../../src/control/rules/counters.js';
import { type ForwardingMethod, PLAIN_TUNNEL, type ServiceKey, TCP } from '../../../src/service/config.js';

/** A destination as `address:port method`, of IPv6 as `[address]:port method`. */
export type Server = `${string} ${ForwardingMethod}`;

export function service(key: ServiceKey, ...servers: Server[]): ServiceEntry {
  return {
    key,
    scheduler: 'rr',
    flags: 0,
    timeout: 0,
    netmask: 0xffffffff,
    pe: '',
    stats: NO_STATS,
    destinations: servers.map(destination),
  };
}

export function tcp(address: string, port: number, ...servers: Server[]): ServiceEntry {
  return service({ protocol: TCP, address, port }, ...servers);
}

function destination(text: Server) {
  const [, address, port, method] = /^\[?(.+?)\]?:(\d+) (\w+)$/.exec(text)!;
  const counts = { activeConns: 0, inactConns: 0, persistConns: 0, stats: NO_STATS };
  const limits = { weight: 1, lastWeight: 1, upperThreshold: 0, lowerThreshold: 0, tunnel: PLAIN_TUNNEL };
  return { address: address!, port: Number(port), method: method as ForwardingMethod, ...limits, ...counts };
}
