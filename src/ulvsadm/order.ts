import type { DestinationEntry, ServiceEntry } from '../control/api/api.js';
import { familyOf, isFwmark } from '../service/config.js';
import { parse4, parse6 } from '../wire/address.js';

/**
 * ipvsadm's order: services by mark, family, protocol, address, port; destinations by address, port. Its comparison
 * subtracts in 32 bits, so that addresses 2^31 apart or more come the wrong way round, and three of them can form a ring; glibc's
 * qsort then still gives a definite answer, which is why its merge sort is repeated here.
 */
type Compare<T> = (a: T, b: T) => number;

export function sortServices(services: readonly ServiceEntry[]): ServiceEntry[] {
  return mergeSort(services, compareServices);
}

export function sortDestinations(destinations: readonly DestinationEntry[]): DestinationEntry[] {
  return mergeSort(destinations, compareDestinations);
}

/** Halves of n/2 and the rest; ties keep their order. */
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

/** One word for IPv4, four for IPv6, so that an IPv4 address compares with the first word of an IPv6 one. */
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
