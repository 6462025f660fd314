/**
 * IP_VS_SO_SET_* (do_ip_vs_set_ctl): an option and its bytes in, a request to the director. The
 * order of the checks is the kernel's.
 */
import type { AdminClient, AdminRequest, ChangeRequest } from '../../control/api/api.js';
import type { SyncOptions, SyncRole } from '../../control/sync/daemon.js';
import type { ServiceConfig, ServiceKey } from '../../service/config.js';
import { askDirector, findService } from '../ask.js';
import { SOCKOPT_BASE } from '../filter/rules.js';
import { LARGEST_ID, ROLES } from '../genl/daemon.js';
import { Refusal } from '../refusal.js';
import * as value from '../values.js';
import {
  DEST_SIZE,
  readDestination,
  readEndpoint,
  readName,
  readService,
  SERVICE_SIZE,
  type ServiceUser,
  schedulerOf,
} from './structs.js';

const OPTION = {
  ADD: 2,
  EDIT: 3,
  DEL: 4,
  FLUSH: 5,
  ADDDEST: 7,
  DELDEST: 8,
  EDITDEST: 9,
  TIMEOUT: 10,
  STARTDAEMON: 11,
  STOPDAEMON: 12,
  ZERO: 15,
} as const;

const TIMEOUT_SIZE = 12;
/** struct ip_vs_daemon_user: state, name of 16 bytes, id. */
const DAEMON_SIZE = 24;
const SIZES: Readonly<Record<number, number>> = {
  [OPTION.ADD]: SERVICE_SIZE,
  [OPTION.EDIT]: SERVICE_SIZE,
  [OPTION.DEL]: SERVICE_SIZE,
  [OPTION.FLUSH]: 0,
  [OPTION.ADDDEST]: SERVICE_SIZE + DEST_SIZE,
  [OPTION.DELDEST]: SERVICE_SIZE + DEST_SIZE,
  [OPTION.EDITDEST]: SERVICE_SIZE + DEST_SIZE,
  [OPTION.TIMEOUT]: TIMEOUT_SIZE,
  [OPTION.STARTDAEMON]: DAEMON_SIZE,
  [OPTION.STOPDAEMON]: DAEMON_SIZE,
  [OPTION.ZERO]: SERVICE_SIZE,
};

/** The size that an option wants; undefined: there is no such option, which gives EINVAL. */
export function sizeOfSet(option: number): number | undefined {
  return SIZES[option - SOCKOPT_BASE];
}

/** Sets an option. `bytes` have the size that the option wants. Rejects with a Refusal. */
export async function setOption(option: number, bytes: Uint8Array, client: AdminClient): Promise<void> {
  const wanted = sizeOfSet(option);
  if (wanted === undefined || bytes.length !== wanted) throw new Refusal('EINVAL');
  const request = simpleRequest(option - SOCKOPT_BASE, bytes);
  await askDirector(client, request ?? (await serviceRequest(option - SOCKOPT_BASE, bytes, client)));
}

/** Requests without a service. */
function simpleRequest(option: number, bytes: Uint8Array): AdminRequest | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (option === OPTION.FLUSH) return { op: 'flush' };
  if (option === OPTION.TIMEOUT) return { op: 'setTimeouts', timeouts: timeoutsOf(view) };
  if (option === OPTION.STARTDAEMON) return { op: 'startDaemon', role: roleOf(view), options: daemonOf(view, bytes) };
  if (option === OPTION.STOPDAEMON) return { op: 'stopDaemon', role: roleOf(view) };
  return undefined;
}

/** struct ip_vs_daemon_user: state. */
function roleOf(view: DataView): SyncRole {
  const role = ROLES[view.getInt32(0, true)];
  if (role === undefined) throw new Refusal('EINVAL');
  return role;
}

function daemonOf(view: DataView, bytes: Uint8Array): SyncOptions {
  const [name, syncid] = [readName(bytes.subarray(4, 20)), view.getInt32(20, true)];
  if (!name || syncid < 0 || syncid > LARGEST_ID) throw new Refusal('EINVAL');
  return { interface: name, syncid };
}

function timeoutsOf(view: DataView): { tcp: number; tcpfin: number; udp: number } {
  const [tcp, tcpfin, udp] = [view.getInt32(0, true), view.getInt32(4, true), view.getInt32(8, true)];
  if (Math.min(tcp, tcpfin, udp) < 0) throw new Refusal('EINVAL');
  return { tcp, tcpfin, udp };
}

async function serviceRequest(option: number, bytes: Uint8Array, client: AdminClient): Promise<ChangeRequest> {
  const user = readService(bytes);
  if (option === OPTION.ZERO && user.fwmark === 0 && user.address === '0.0.0.0' && user.port === 0)
    return { op: 'zero' };
  if (option === OPTION.ADD || option === OPTION.EDIT) schedulerOf(user);
  const key = value.keyOf({ ...user, fwmark: 0 }) && value.keyOf(user);
  if (key === undefined) throw new Refusal('EFAULT'); // the kernel's answer to a wrong protocol, fwmark or not
  if (option === OPTION.ADD) return { op: 'addService', service: serviceOf(user, key) };
  if (option === OPTION.EDIT) return { op: 'editService', service: serviceOf(user, key) };
  if (option === OPTION.DEL) return { op: 'deleteService', key };
  if (option === OPTION.ZERO) return { op: 'zero', key };
  return destinationRequest(option, key, bytes.subarray(SERVICE_SIZE), client);
}

function serviceOf(user: ServiceUser, key: ServiceKey): ServiceConfig {
  return {
    key,
    scheduler: schedulerOf(user),
    flags: value.serviceFlags(user.flags),
    timeout: value.upToIntMax(user.timeout, 'timeout'),
    netmask: user.netmask,
    pe: '',
  };
}

/** The kernel looks for the service before the destination. */
async function destinationRequest(
  option: number,
  key: ServiceKey,
  bytes: Uint8Array,
  client: AdminClient,
): Promise<ChangeRequest> {
  if (option === OPTION.DELDEST) return { op: 'deleteDestination', key, ...readEndpoint(bytes) };
  const op = option === OPTION.ADDDEST ? 'addDestination' : 'editDestination';
  try {
    return { op, key, destination: readDestination(bytes) };
  } catch (error) {
    await findService(client, key);
    throw error;
  }
}
