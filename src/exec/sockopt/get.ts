/**
 * IP_VS_SO_GET_* (do_ip_vs_get_ctl): an option and the caller's bytes in, bytes for the caller out.
 */
import type { AdminClient, ServiceEntry } from '../../control/api/api.js';
import { familyOf } from '../../service/config.js';
import { askDirector, findService, listServices } from '../ask.js';
import { SOCKOPT_BASE } from '../filter/rules.js';
import { IPVS_VERSION } from '../genl/constants.js';
import { Refusal } from '../refusal.js';
import { CONN_TAB_SIZE, keyOf, type WireKey } from '../values.js';
import { DEST_ENTRY_SIZE, readKey, SERVICE_ENTRY_SIZE, writeDestination, writeService } from './structs.js';

const OPTION = { VERSION: 0, INFO: 1, SERVICES: 2, SERVICE: 3, DESTS: 4, TIMEOUT: 6, DAEMON: 7 } as const;
/** Bytes that the kernel reads from the caller: the smallest length of the option. */
const SIZES: Readonly<Record<number, number>> = {
  [OPTION.VERSION]: 64,
  [OPTION.INFO]: 12,
  [OPTION.SERVICES]: 8,
  [OPTION.SERVICE]: SERVICE_ENTRY_SIZE,
  [OPTION.DESTS]: 24,
  [OPTION.TIMEOUT]: 12,
  [OPTION.DAEMON]: 48,
};
/** There is no option beyond: ENOPROTOOPT. IP_VS_SO_GET_DEST (5) gives EINVAL. */
const LAST = OPTION.DAEMON;

/** Bytes that `getOption` wants to read; throws a Refusal for an option that is not one. */
export function sizeOfGet(option: number): number {
  const size = SIZES[option - SOCKOPT_BASE];
  if (size !== undefined) return size;
  throw new Refusal(option - SOCKOPT_BASE > LAST ? 'ENOPROTOOPT' : 'EINVAL');
}

/** What the caller gets, and the length that it is told. */
export interface OptionValue {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/**
 * Reads an option. `given`: what lies at the caller's address, sizeOfGet bytes; `length`: the size
 * that the caller has named. Rejects with a Refusal: EINVAL for a wrong length, ESRCH.
 */
export async function getOption(
  option: number,
  given: Uint8Array,
  length: number,
  client: AdminClient,
): Promise<OptionValue> {
  const size = sizeOfGet(option);
  if (length < size || given.length < size) throw new Refusal('EINVAL');
  const bytes = await readValue(option - SOCKOPT_BASE, given, length, client);
  return { bytes, length: option - SOCKOPT_BASE === OPTION.VERSION ? bytes.length : length };
}

async function readValue(option: number, given: Uint8Array, length: number, client: AdminClient): Promise<Uint8Array> {
  switch (option) {
    case OPTION.VERSION:
      return new TextEncoder().encode(`IP Virtual Server version 1.2.1 (size=${CONN_TAB_SIZE})\0`);
    case OPTION.INFO:
      return words(IPVS_VERSION, CONN_TAB_SIZE, (await listIPv4(client)).length);
    case OPTION.SERVICES:
      return services(given, length, client);
    case OPTION.SERVICE:
      return writeService(await find(readKey(given), client));
    case OPTION.DESTS:
      return destinations(given, length, client);
    case OPTION.TIMEOUT:
      return timeouts(client);
    default:
      return daemons(client);
  }
}

function words(...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, one] of values.entries()) view.setUint32(4 * i, one, true);
  return new Uint8Array(view.buffer);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

function find(key: WireKey, client: AdminClient): Promise<ServiceEntry> {
  return findService(client, keyOf(key));
}

async function listIPv4(client: AdminClient): Promise<ServiceEntry[]> {
  return (await listServices(client)).filter(({ key }) => familyOf(key) === 4);
}

/** struct ip_vs_get_services: the number of entries, 4 bytes of padding, entries. */
async function services(given: Uint8Array, length: number, client: AdminClient): Promise<Uint8Array> {
  const room = wordAt(given, 0);
  if (length !== SIZES[OPTION.SERVICES]! + SERVICE_ENTRY_SIZE * room) throw new Refusal('EINVAL');
  const all = await listIPv4(client);
  return Buffer.concat([given.subarray(0, 8), ...all.slice(0, room).map(writeService)]);
}

/**
 * struct ip_vs_get_dests: the key as in ip_vs_service_user, 16 the number of entries, 24 entries.
 */
async function destinations(given: Uint8Array, length: number, client: AdminClient): Promise<Uint8Array> {
  const room = wordAt(given, 16);
  if (length !== SIZES[OPTION.DESTS]! + DEST_ENTRY_SIZE * room) throw new Refusal('EINVAL');
  const { destinations: all } = await find(readKey(given), client);
  return Buffer.concat([given.subarray(0, 24), ...all.slice(0, room).map(writeDestination)]);
}

async function timeouts(client: AdminClient): Promise<Uint8Array> {
  const { timeouts: now } = await askDirector(client, { op: 'getTimeouts' });
  return words(now!.tcp, now!.tcpfin, now!.udp);
}

/** Two struct ip_vs_daemon_user: the master, the backup; state 0: it does not run. */
async function daemons(client: AdminClient): Promise<Uint8Array> {
  const bytes = Buffer.alloc(SIZES[OPTION.DAEMON]!);
  for (const { role, interface: name, syncid } of (await askDirector(client, { op: 'daemons' })).daemons ?? []) {
    const at = role === 'master' ? 0 : bytes.length / 2;
    bytes.writeInt32LE(role === 'master' ? 1 : 2, at);
    bytes.write(name, at + 4, 15, 'latin1');
    bytes.writeInt32LE(syncid, at + 20);
  }
  return bytes;
}
