/** `-S`: rules as lines for `-R`. Thresholds are not saved, as in ipvsadm. */
import type { DestinationEntry, ServiceEntry } from '../control/api/api.js';
import { familyOf, isFwmark, SCTP, SVC_ONEPACKET, SVC_PERSISTENT, TCP, UDP } from '../service/config.js';
import { format4 } from '../wire/address.js';
import { schedulerFlagNames } from './flags.js';
import type { Label } from './labels.js';

const OPTION: Readonly<Record<number, string>> = { [TCP]: '-t', [UDP]: '-u', [SCTP]: '--sctp-service' };
const METHOD = { masq: '-m', local: '-g', ipip: '-i', gatewaying: '-g', bypass: '-m', fullnat: '--full-nat' } as const;
const CHECKSUM = { '': '--tun-nocsum', csum: '--tun-csum', remcsum: '--tun-remcsum' } as const;

export function printRules(service: ServiceEntry, label: Label, destinations: readonly DestinationEntry[]): string {
  const name = serviceName(service, label);
  const lines = destinations.map((destination) => destinationRule(service, name, destination, label));
  return [serviceRule(service, name), ...lines].map((line) => `${line}\n`).join('');
}

/**
 * A mark of 2^31 or more is saved unsigned. ipvsadm writes a negative number, which its own -R
 * refuses.
 */
function serviceName({ key }: ServiceEntry, label: Label): string {
  if (isFwmark(key)) return `-f ${key.fwmark}${key.family === 6 ? ' -6' : ''}`;
  return `${OPTION[key.protocol] ?? '--xxx-service'} ${label(key.address, key.port, key.protocol)}`;
}

function serviceRule(service: ServiceEntry, name: string): string {
  const flags = schedulerFlagNames(service);
  return [
    `-A ${name} -s ${service.scheduler}`,
    service.flags & SVC_PERSISTENT ? ` -p ${service.timeout}${maskWord(service, ' -M ')}` : '',
    service.pe ? ` --pe ${service.pe}` : '',
    service.flags & SVC_ONEPACKET ? ' -o' : '',
    flags === undefined ? '' : ` -b ${flags}`,
  ].join('');
}

/** The netmask of persistence, after `word`; '' if it is that of a single host. */
export function maskWord({ key, netmask }: ServiceEntry, word: string): string {
  if (familyOf(key) === 6) return netmask === 128 ? '' : `${word}${netmask}`;
  return netmask >>> 0 === 0xffffffff ? '' : `${word}${format4(netmask)}`;
}

function destinationRule(service: ServiceEntry, name: string, destination: DestinationEntry, label: Label): string {
  const { address, port, method, weight } = destination;
  const protocol = isFwmark(service.key) ? 0 : service.key.protocol;
  const rule = `-a ${name} -r ${label(address, port, protocol)} ${METHOD[method]} -w ${weight}`;
  return method === 'ipip' ? `${rule} ${tunnelWords(destination)}` : rule;
}

function tunnelWords({ tunnel: { type, port, checksum } }: DestinationEntry): string {
  if (type === 'ipip') return '--tun-type ipip';
  if (type === 'gre') return `--tun-type gre ${CHECKSUM[checksum]}`;
  return `--tun-type gue --tun-port ${port} ${CHECKSUM[checksum]}`;
}
