/**
 * A quick check of the most frequent long request: a batch of new services and destinations, as
 * `ulvsadm -R` sends them. The schema makes a copy of each object, which takes longer than all else
 * for a line. What this check does not know, the schema judges: it alone refuses.
 *
 *     line of JSON ─► isSoundBatch? ─ yes ─► request as it is ─► sharePlainTunnels
 *                           └─ no ─► schema ─► request, or what is wrong with it
 */
import { PLAIN_TUNNEL, type Tunnel } from '../../service/config.js';
import { canonicalAddress } from '../text/address.js';
import type { ShortBatch } from './short-batch.js';

type Fields = Readonly<Record<string, unknown>>;

const INT_MAX = 2147483647;
const METHODS: ReadonlySet<unknown> = new Set(['masq', 'local', 'ipip', 'gatewaying', 'bypass', 'fullnat']);

/** The schema would accept the request and change nothing in it. `most`: requests of a batch. */
export function isSoundBatch(request: unknown, most: number): boolean {
  if (!hasOnly(request, 2)) return false;
  const { op, requests } = request;
  if (op !== 'batch' || !Array.isArray(requests)) return false;
  let count = 0;
  for (const change of requests) {
    if (!isSoundChange(change)) return false;
    count += 'at' in change ? change.at.length / 2 : 1;
  }
  return count <= most;
}

/**
 * Makes the tunnels of a sound batch one object. One for each destination would be copied by V8's
 * collector and to each worker.
 */
export function sharePlainTunnels({ requests }: ShortBatch): void {
  for (const change of requests)
    if (change.op === 'addDestination') (change.destination as { tunnel: Tunnel }).tunnel = PLAIN_TUNNEL;
}

function isSoundChange(change: unknown): change is object & { at: unknown[] } {
  if (hasOnly(change, 3)) {
    const { op, key, destination } = change;
    return op === 'addDestination' && isKey(key) && isPlain(destination);
  }
  if (hasOnly(change, 5)) return isSoundTogether(change);
  if (!hasOnly(change, 2)) return false;
  const { op, service } = change;
  return op === 'addService' && isService(service);
}

/** Destinations of the short form (short-batch.ts). */
function isSoundTogether({ op, key, method, weight, at }: Fields): boolean {
  if (op !== 'addDestinations' || !isKey(key) || !METHODS.has(method) || !Array.isArray(at)) return false;
  if (!isWhole(weight, -INT_MAX - 1, INT_MAX) || at.length % 2 !== 0) return false;
  for (let i = 0; i < at.length; i += 2) if (!isAddress(at[i]) || !isWhole(at[i + 1], 0, 65535)) return false;
  return true;
}

/** A service by address: one by mark is left to the schema. */
function isKey(key: unknown): boolean {
  if (!hasOnly(key, 3)) return false;
  const { protocol, address, port } = key;
  return (protocol === 6 || protocol === 17 || protocol === 132) && isAddress(address) && isWhole(port, 0, 65535);
}

function isService(service: unknown): boolean {
  if (!hasOnly(service, 6)) return false;
  const { key, scheduler, flags, timeout, netmask, pe } = service;
  const areNumbers = isWhole(flags, 0, 0x3f) && isWhole(timeout, 0, INT_MAX) && isWhole(netmask, 0, 0xffffffff);
  return areNumbers && isText(scheduler, 15) && isText(pe, 16) && isKey(key);
}

/** Its tunnel is the plain one: another one is left to the schema. */
function isPlain(destination: unknown): boolean {
  if (!hasOnly(destination, 7)) return false;
  const { address, port, method, weight, upperThreshold, lowerThreshold, tunnel } = destination;
  if (!isWhole(weight, -INT_MAX - 1, INT_MAX) || !isWhole(port, 0, 65535)) return false;
  if (!isWhole(upperThreshold, 0, INT_MAX) || !isWhole(lowerThreshold, 0, INT_MAX)) return false;
  if (!METHODS.has(method) || !isAddress(address) || !hasOnly(tunnel, 3)) return false;
  const { type, port: tunnelPort, checksum } = tunnel;
  return type === 'ipip' && tunnelPort === 0 && checksum === '';
}

/** An object of so many fields. As all of them are asked for, there is none that nobody knows. */
function hasOnly(value: unknown, fields: number): value is Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  let count = 0;
  for (const _ in value) count++;
  return count === fields;
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isText(value: unknown, most: number): boolean {
  return typeof value === 'string' && value.length <= most;
}

function isAddress(value: unknown): boolean {
  return typeof value === 'string' && canonicalAddress(value) === value;
}
