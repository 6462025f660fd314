/** ipvsadm's order of services and destinations. */
import type { DestinationEntry, ServiceEntry } from '../control/api/api.js';
import { familyOf, isFwmark } from '../service/config.js';
import { parse4, parse6 } from '../wire/address.js';

/**
 * A comparison. Services are ordered by mark, family, protocol, address, port; destinations by
 * address and port. ipvsadm's comparison subtracts in 32 bits, so that addresses 2^31 or more apart
 * are in the wrong order, and three of them can form a cycle. The result of glibc's qsort is still
 * defined, so its merge sort is repeated here.
 */
type Compare<T> = (a: T, b: T) => number;

export function sortServices(services: readonly ServiceEntry[]): ServiceEntry[] {
  return mergeSort(services, compareServices);
}

export function sortDestinations(destinations: readonly DestinationEntry[]): DestinationEntry[] {
  return mergeSort(destinations, compareDestinations);
}

/** glibc's merge sort: halves of n/2 and the rest; equal elements keep their order. */
export function mergeSort<T>(items: readonly T[], compare: Compare<T>): T[] {
  if (items.length < 2) return [...items];
  const middle = items.length >> 1;
  const left = mergeSort(items.slice(0, middle), compare);
  const right = mergeSort(items.slice(middle), compare);
  const merged: T[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length && r < right.length) {
    merged.push(compare(left[l]!, right[r]!) <= 0 ? left[l++]! : right[r++]!);
  }
  return merged.concat(left.slice(l), right.slice(r));
}

function compareServices(a: ServiceEntry, b: ServiceEntry): number {
  return firstDifference(serviceOrder(a), serviceOrder(b));
}

function serviceOrder({ key }: ServiceEntry): number[] {
  const family = familyOf(key);
  if (isFwmark(key)) return [key.fwmark, family];
  return [0, family, key.protocol, ...words(key.address), key.port];
}

function compareDestinations(a: DestinationEntry, b: DestinationEntry): number {
  const [left, right] = [words(a.address), words(b.address)];
  return firstDifference(left, right.slice(0, left.length)) || a.port - b.port;
}

/**
 * One word for IPv4, four for IPv6. An IPv4 address is compared with the first word of an IPv6
 * address.
 */
function words(address: string): number[] {
  const v4 = parse4(address);
  return v4 === undefined ? [...parse6(address)!] : [v4];
}

function firstDifference(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i]! - (b[i] ?? 0)) | 0;
    if (difference !== 0) return difference;
  }
  return 0;
}
