/**
 * Structures of linux/ip_vs.h for socket options, IPv4 only. They are the same on x86-64 and arm64.
 * Addresses, ports and masks are in network order, all else in the host's (little endian).
 *
 *   ip_vs_service_user, 44          ip_vs_dest_user, 24      ip_vs_stats_user, 56
 *    0 protocol (u16)   4 addr       0 addr     4 port        0 conns  4 inpkts  8 outpkts
 *    8 port            12 fwmark     8 conn_flags            16 inbytes (u64)  24 outbytes (u64)
 *   16 scheduler (16)  32 flags     12 weight (s32)          32 cps  36 inpps  40 outpps
 *   36 timeout         40 netmask   16 upper   20 lower      44 inbps  48 outbps
 *
 *   ip_vs_service_entry, 104: ip_vs_service_user, 44 num_dests, 48 ip_vs_stats_user
 *   ip_vs_dest_entry, 96:     ip_vs_dest_user, 24 active, 28 inactive, 32 persistent, 40 stats
 */
import type { DestinationEntry, ServiceEntry, StatsEntry } from '../../control/api/api.js';
import type { DestinationConfig } from '../../service/config.js';
import { wrap32 } from '../genl/encode.js';
import { Refusal } from '../refusal.js';
import * as value from '../values.js';

export const SERVICE_SIZE = 44;
export const DEST_SIZE = 24;
export const SERVICE_ENTRY_SIZE = 104;
export const DEST_ENTRY_SIZE = 96;
const NAME_SIZE = 16;

/** struct ip_vs_service_user. */
export interface ServiceUser extends value.WireKey {
  /** undefined: it has no NUL. */
  readonly scheduler: string | undefined;
  readonly flags: number;
  readonly timeout: number;
  readonly netmask: number;
}

function viewAt(bytes: Uint8Array, at = 0): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + at, bytes.byteLength - at);
}

export function readKey(bytes: Uint8Array): value.WireKey {
  const view = viewAt(bytes);
  return {
    family: 4,
    protocol: view.getUint16(0, true),
    address: value.addressText(bytes.subarray(4, 8), 4),
    port: view.getUint16(8),
    fwmark: view.getUint32(12, true),
  };
}

export function readService(bytes: Uint8Array): ServiceUser {
  const view = viewAt(bytes);
  return {
    ...readKey(bytes),
    scheduler: readName(bytes.subarray(16, 16 + NAME_SIZE)),
    flags: view.getUint32(32, true),
    timeout: view.getUint32(36, true),
    netmask: view.getUint32(40),
  };
}

/** Text up to its NUL; undefined without a NUL. */
export function readName(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0);
  return end < 0 ? undefined : Buffer.from(bytes.subarray(0, end)).toString('utf8');
}

export function readEndpoint(bytes: Uint8Array): { address: string; port: number } {
  return { address: value.addressText(bytes.subarray(0, 4), 4), port: viewAt(bytes).getUint16(4) };
}

/** Throws a Refusal with EINVAL. Socket options know no tunnel type but IP in IP. */
export function readDestination(bytes: Uint8Array): DestinationConfig {
  const view = viewAt(bytes);
  return {
    ...readEndpoint(bytes),
    method: value.methodOf(view.getUint32(8, true)),
    weight: view.getInt32(12, true),
    upperThreshold: value.upToIntMax(view.getUint32(16, true), 'upper threshold'),
    lowerThreshold: value.upToIntMax(view.getUint32(20, true), 'lower threshold'),
    tunnel: value.tunnelOf(0, 0, 0),
  };
}

export function writeService(service: ServiceEntry): Uint8Array {
  const bytes = new Uint8Array(SERVICE_ENTRY_SIZE);
  const view = viewAt(bytes);
  const { protocol, address, port, fwmark } = value.wireKey(service.key);
  view.setUint16(0, protocol, true);
  bytes.set(value.addressBytes(address).subarray(0, 4), 4);
  view.setUint16(8, port);
  view.setUint32(12, fwmark, true);
  new TextEncoder().encodeInto(service.scheduler, bytes.subarray(16, 16 + NAME_SIZE - 1));
  view.setUint32(32, value.shownFlags(service.flags), true);
  view.setUint32(36, service.timeout, true);
  view.setUint32(40, service.netmask);
  view.setUint32(44, service.destinations.length, true);
  writeStats(viewAt(bytes, 48), service.stats);
  return bytes;
}

export function writeDestination(entry: DestinationEntry): Uint8Array {
  const bytes = new Uint8Array(DEST_ENTRY_SIZE);
  const view = viewAt(bytes);
  bytes.set(value.addressBytes(entry.address).subarray(0, 4), 0);
  view.setUint16(4, entry.port);
  view.setUint32(8, value.methodNumber(entry.method), true);
  view.setInt32(12, entry.weight, true);
  const { upperThreshold, lowerThreshold, activeConns, inactConns, persistConns } = entry;
  for (const [i, one] of [upperThreshold, lowerThreshold, activeConns, inactConns, persistConns].entries())
    view.setUint32(16 + 4 * i, one, true);
  writeStats(viewAt(bytes, 40), entry.stats);
  return bytes;
}

function writeStats(view: DataView, stats: StatsEntry): void {
  for (const [i, name] of (['conns', 'inpkts', 'outpkts'] as const).entries())
    view.setUint32(4 * i, wrap32(stats[name]), true);
  view.setBigUint64(16, BigInt(Math.trunc(stats.inbytes)), true);
  view.setBigUint64(24, BigInt(Math.trunc(stats.outbytes)), true);
  for (const [i, name] of (['cps', 'inpps', 'outpps', 'inbps', 'outbps'] as const).entries())
    view.setUint32(32 + 4 * i, wrap32(stats[name]), true);
}

/** Throws a Refusal with EINVAL for a scheduler's name without an end. */
export function schedulerOf({ scheduler }: ServiceUser): string {
  if (scheduler === undefined) throw new Refusal('EINVAL');
  return scheduler;
}
