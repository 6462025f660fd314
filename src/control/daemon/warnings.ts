/** What a correct configuration says and perhaps does not mean. */
import { ineffective, withoutEffect } from '../../service/sysctl.js';
import { isIPv6 } from '../../wire/address.js';
import type { AcceptConfig, Config } from '../config/director-config.js';

/**
 * A line for each, without the name of the file. `ulvs check` prints them, start and reload log
 * them.
 */
export function warnings({ accept, sysctl }: Pick<Config, 'accept' | 'sysctl'>): string[] {
  return [...everything(accept), ...ineffective(sysctl).map((name) => `sysctl.${name}: ${withoutEffect(name)}`)];
}

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
