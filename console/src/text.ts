/** Numbers and names as text. */
import type { ServiceEntry } from './types.js';

/** 0, 12.3, 1.2 k, 34 M. */
export function short(value: number): string {
  const units = ['', ' k', ' M', ' G', ' T'];
  let at = 0;
  let rest = value;
  for (; rest >= 1000 && at < units.length - 1; at++) rest /= 1000;
  return `${rest >= 100 || Number.isInteger(rest) ? Math.round(rest) : rest.toFixed(1)}${units[at]}`;
}

export function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

const PROTOCOLS: Readonly<Record<number, string>> = { 0: '-', 6: 'TCP', 17: 'UDP', 132: 'SCTP' };

export function protocolName(protocol: number): string {
  return PROTOCOLS[protocol] ?? String(protocol);
}

export function serviceName({ key }: Pick<ServiceEntry, 'key'>): string {
  if ('fwmark' in key) return `FWM ${key.fwmark}${key.family === 6 ? ' IPv6' : ''}`;
  return `${protocolName(key.protocol)} ${endpoint(key.address, key.port)}`;
}

/** The methods in the words of the HOWTO. */
export const METHODS: Readonly<Record<string, string>> = {
  masq: 'NAT',
  fullnat: 'full NAT',
  gatewaying: 'DR',
  ipip: 'tunnel',
  local: 'local',
  bypass: 'bypass',
};

/** 1 d 2 h, 3 min 5 s. */
export function duration(seconds: number): string {
  const units: [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const first = units.findIndex(([size]) => seconds >= size);
  if (first < 0) return '0 s';
  let rest = Math.floor(seconds);
  const words = units.slice(first, first + 2).map(([size, name]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count} ${name}` : '';
  });
  return words.filter(Boolean).join(' ');
}

export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB');
}
