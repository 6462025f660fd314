/** A service in the words of ulvsadm: `-t 10.0.0.100:80`, `-f 1`, `-f 1 -6`. */
import { endpoint, type Family, isFwmark, SCTP, type ServiceKey, TCP, UDP } from '../../service/config.js';
import { canonicalAddress } from '../text/address.js';
import { notA } from './scalars.js';

/** Address and port; port 0: any, or none was given. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const PROTOCOLS: Readonly<Record<string, number>> = {
  '-t': TCP,
  '--tcp-service': TCP,
  '-u': UDP,
  '--udp-service': UDP,
  '--sctp-service': SCTP,
};
const RIGHT = 'a service such as -t 10.0.0.100:80, -u 10.0.0.100:53 or -f 1';
const LARGEST_PORT = 65_535;

/** Reads such words. Throws Wrong. */
export function serviceKey(value: unknown): ServiceKey {
  const [option = '', name = '', six] = typeof value === 'string' ? value.trim().split(/\s+/) : [];
  const protocol = PROTOCOLS[option];
  const found = protocol === undefined ? undefined : endpointOf(name);
  if (protocol !== undefined && found !== undefined && six === undefined) return { protocol, ...found };
  const mark = /^\d{1,10}$/.test(name) ? Number(name) : 0;
  const isMark = option === '-f' && mark > 0 && mark <= 0xffffffff && (six === undefined || six === '-6');
  if (!isMark) throw notA(value, RIGHT);
  const family: Family = six === '-6' ? 6 : 4;
  return { fwmark: mark, family };
}

/** Reads the address and port of a destination. Throws Wrong. */
export function destinationName(value: unknown): Endpoint {
  const found = typeof value === 'string' ? endpointOf(value.trim()) : undefined;
  if (found === undefined) throw notA(value, 'a destination such as 192.168.1.11:8080');
  return found;
}

/** `10.0.0.1:80`, `[2001:db8::1]:80`; without a port, port 0. */
function endpointOf(text: string): Endpoint | undefined {
  const match = /^(?:\[(.+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  const address = canonicalAddress(match?.[1] ?? match?.[2] ?? '');
  const port = Number(match?.[3] ?? 0);
  return address === undefined || port > LARGEST_PORT ? undefined : { address, port };
}

/** The words of a service. */
export function serviceWords(key: ServiceKey): string {
  if (isFwmark(key)) return `-f ${key.fwmark}${key.family === 6 ? ' -6' : ''}`;
  const option = { [UDP]: '-u', [SCTP]: '--sctp-service' }[key.protocol] ?? '-t';
  return `${option} ${endpoint(key.address, key.port)}`;
}
