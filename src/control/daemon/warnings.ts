/** What a correct configuration says and perhaps does not mean. */
import { ineffective, withoutEffect } from '../../service/sysctl.js';
import { isIPv6 } from '../../wire/address.js';
import type { AcceptConfig, Config } from '../config/director-config.js';
import { serviceWords } from '../config/service-words.js';

/**
 * A line for each, without the name of the file. `ulvs check` prints them, start and reload log
 * them.
 */
export function warnings(config: Warned): string[] {
  const { accept, sysctl } = config;
  const idle = ineffective(sysctl).map((name) => `sysctl.${name}: ${withoutEffect(name)}`);
  return [...everything(accept), ...idle, ...idleProxies(config)];
}

type Warned = Pick<Config, 'accept' | 'sysctl' | 'serviceOptions' | 'connections'>;

/** A range without a prefix length: nothing is left for the host and its neighbours. */
function everything({ ranges, arp }: AcceptConfig): string[] {
  return ranges
    .filter((range) => range.endsWith('/0'))
    .map((range) => {
      const family = isIPv6(range) ? 'IPv6' : 'IPv4';
      const answers = arp ? ', and it answers for every address of the wire (arp: true)' : '';
      return `accept.ranges: ${range}: the director takes every ${family} packet that comes in${answers}; name the networks of the VIPs`;
    });
}

/** The table is full before so many connections are half-open. */
function idleProxies({ serviceOptions, sysctl, connections }: Warned): string[] {
  const backlog = sysctl.tcp_max_syn_backlog;
  if (connections.max > backlog) return [];
  return serviceOptions
    .filter(({ synproxy }) => synproxy === 'auto')
    .map(
      ({ service }) =>
        `serviceOptions: ${serviceWords(service)}: synproxy: auto never begins: the table has no room for more half-open connections (connections.max: ${connections.max}) than sysctl.tcp_max_syn_backlog: ${backlog}`,
    );
}
