/** Labels: how a listing shows an address and port. */
import type { ConnectionEntry, ServiceEntry } from '../control/api/api.js';
import { isFwmark } from '../service/config.js';
import { isIPv6 } from '../wire/address.js';
import type { Names } from './names.js';

/** Prints an address and port for a listing. */
export type Label = (address: string, port: number, protocol: number) => string;

const BUFFER = 59;

function joined(address: string, host: string, port: string): string {
  const text = isIPv6(address) ? `[${host}]:${port}` : `${host}:${port}`;
  return text.slice(0, BUFFER);
}

export const numericLabel: Label = (address, port) => joined(address, address, String(port));

/** Resolves the names of all addresses at once, so that printing does not wait. */
export async function namedLabel(addresses: Iterable<string>, names: Names): Promise<Label> {
  const unique = [...new Set(addresses)];
  const found = await Promise.all(unique.map((address) => names.hostName(address)));
  const hosts = new Map(unique.map((address, i) => [address, found[i] ?? address]));
  return (address, port, protocol) =>
    joined(address, hosts.get(address) ?? address, names.portName(port, protocol) ?? String(port));
}

export function serviceAddresses(services: readonly ServiceEntry[]): string[] {
  return services.flatMap(({ key, destinations }) => [
    ...(isFwmark(key) ? [] : [key.address]),
    ...destinations.map(({ address }) => address),
  ]);
}

export function connectionAddresses(connections: readonly ConnectionEntry[]): string[] {
  return connections.flatMap(({ caddr, vaddr, daddr }) => [caddr, vaddr, daddr]);
}
