/**
 * Refusals of the kernel, in its order (ip_vs_add_service, ip_vs_add_dest, ip_vs_set_timeout). Each
 * function returns the errno; undefined: the request is accepted.
 */
import {
  type DestinationConfig,
  type Family,
  familyOf,
  type ServiceConfig,
  type ServiceKey,
} from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import type { Errno, Timeouts } from '../api/api.js';
import { serviceWords } from '../config/service-words.js';
import { isUnicast } from './unicast.js';

const INT_MAX = 2147483647;
/** Seconds in INT_MAX jiffies at HZ 250, as of Debian. */
const MAX_TIMEOUT = Math.floor(INT_MAX / 250);

/** Names of the schedulers and persistence engines. */
export interface Known {
  readonly schedulers: readonly string[];
  readonly engines: readonly string[];
}

/** Refusal of a new or edited service. */
export function refuseService({ key, scheduler, pe, netmask }: ServiceConfig, known: Known): Errno | undefined {
  if (scheduler !== 'none' && !known.schedulers.includes(scheduler)) return 'ENOENT';
  if (pe !== '' && !known.engines.includes(pe)) return 'ENOENT';
  if (familyOf(key) === 6 && (netmask < 1 || netmask > 128)) return 'EINVAL';
  return undefined;
}

/**
 * Refusal of a destination. The address of a `new` one, which is not from the trash, is checked
 * too.
 */
export function refuseDestination(config: DestinationConfig, family: Family, how?: 'new'): Errno | undefined {
  const { address, method, weight, upperThreshold, lowerThreshold, tunnel } = config;
  const sameFamily = isIPv6(address) === (family === 6);
  if (!sameFamily && method !== 'ipip') return 'EINVAL';
  if (weight < 0 || lowerThreshold > upperThreshold) return 'ERANGE';
  if (tunnel.type === 'gue' && tunnel.port === 0) return 'EINVAL';
  if (how === 'new' && !isUnicast(address)) return 'EINVAL';
  return undefined;
}

/**
 * Behind a SYN proxy a destination's answers must pass the director. Returns the refusal in words.
 */
export function refuseBehindProxy({ method }: DestinationConfig, key: ServiceKey): string | undefined {
  if (method === 'masq' || method === 'fullnat') return undefined;
  return `${serviceWords(key)} has a SYN proxy (serviceOptions), which needs real servers by NAT: -m or --full-nat`;
}

/** Refusal of ulvsadm --set. */
export function refuseTimeouts(timeouts: Timeouts): Errno | undefined {
  const all = [timeouts.tcp, timeouts.tcpfin, timeouts.udp];
  return all.every((seconds) => seconds >= 0 && seconds <= MAX_TIMEOUT) ? undefined : 'EINVAL';
}
