/**
 * The 17 commands of family IPVS (ip_vs_genl_set_cmd, ip_vs_genl_get_cmd, ip_vs_genl_set_daemon):
 * attributes in, requests to the director, messages out. The order of the checks is the kernel's.
 */
import type { AdminClient, ChangeRequest } from '../../control/api/api.js';
import type { Attributes } from '../../netlink/attribute.js';
import type { ServiceKey } from '../../service/config.js';
import { askDirector, findService, listServices, type ProgramClient } from '../ask.js';
import { Refusal } from '../refusal.js';
import { CONN_TAB_SIZE } from '../values.js';
import { CMD_ATTR, INFO_ATTR, IPVS_CMD, IPVS_VERSION } from './constants.js';
import { daemonOptions, encodeDaemon, parseDaemon } from './daemon.js';
import { encodeDestination, fullDestination, parseDestination } from './destination.js';
import { encoded } from './encode.js';
import { COMMAND_POLICY, validated } from './policy.js';
import { encodeService, fullService, keepsFlags, parseService, type ServiceRequest } from './service.js';

/** One message of an answer: its command and its attributes. */
export interface Answer {
  readonly command: number;
  readonly body: Uint8Array;
}

type Perform = (attributes: Attributes, client: ProgramClient) => Promise<Answer[] | undefined>;

/** What a command can: with NLM_F_DUMP, and without. A command without one gives EOPNOTSUPP. */
export interface Operation {
  readonly name: string;
  readonly once?: Perform;
  readonly dump?: Perform;
}

export const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [IPVS_CMD.NEW_SERVICE, { name: 'NEW_SERVICE', once: newService }],
  [IPVS_CMD.SET_SERVICE, { name: 'SET_SERVICE', once: setService }],
  [IPVS_CMD.DEL_SERVICE, { name: 'DEL_SERVICE', once: withKey((key) => ({ op: 'deleteService', key })) }],
  [IPVS_CMD.GET_SERVICE, { name: 'GET_SERVICE', once: getService, dump: dumpServices }],
  [IPVS_CMD.NEW_DEST, { name: 'NEW_DEST', once: writeDestination('addDestination') }],
  [IPVS_CMD.SET_DEST, { name: 'SET_DEST', once: writeDestination('editDestination') }],
  [IPVS_CMD.DEL_DEST, { name: 'DEL_DEST', once: deleteDestination }],
  [IPVS_CMD.GET_DEST, { name: 'GET_DEST', dump: dumpDestinations }],
  [IPVS_CMD.NEW_DAEMON, { name: 'NEW_DAEMON', once: newDaemon }],
  [IPVS_CMD.DEL_DAEMON, { name: 'DEL_DAEMON', once: deleteDaemon }],
  [IPVS_CMD.GET_DAEMON, { name: 'GET_DAEMON', dump: dumpDaemons }],
  [IPVS_CMD.SET_CONFIG, { name: 'SET_CONFIG', once: setConfig }],
  [IPVS_CMD.GET_CONFIG, { name: 'GET_CONFIG', once: getConfig }],
  [IPVS_CMD.SET_INFO, { name: 'SET_INFO' }],
  [IPVS_CMD.GET_INFO, { name: 'GET_INFO', once: getInfo }],
  [IPVS_CMD.ZERO, { name: 'ZERO', once: zero }],
  [IPVS_CMD.FLUSH, { name: 'FLUSH', once: async (_, client) => change(client, { op: 'flush' }) }],
]);

/**
 * Performs a request. `bytes`: the attributes behind the generic netlink header. Rejects with a
 * Refusal. A dump of something that is wrong is empty, as in the kernel.
 */
export async function perform(
  command: number,
  bytes: Uint8Array,
  dump: boolean,
  client: ProgramClient,
): Promise<Answer[]> {
  const operation = OPERATIONS.get(command);
  const run = dump ? operation?.dump : operation?.once;
  if (run === undefined) throw new Refusal('EOPNOTSUPP');
  return (await run(validated(bytes, COMMAND_POLICY), client)) ?? [];
}

async function change(client: AdminClient, request: ChangeRequest): Promise<undefined> {
  await askDirector(client, request);
}

const serviceOf = (attributes: Attributes): ServiceRequest => parseService(attributes.bytes(CMD_ATTR.SERVICE));

/** Throws a Refusal with ESRCH for a key that no service can have. */
function existing({ key }: ServiceRequest): ServiceKey {
  if (key === undefined) throw new Refusal('ESRCH');
  return key;
}

function withKey(request: (key: ServiceKey) => ChangeRequest): Perform {
  return (attributes, client) => change(client, request(existing(serviceOf(attributes))));
}

function newService(attributes: Attributes, client: AdminClient): Promise<undefined> {
  return change(client, { op: 'addService', service: fullService(serviceOf(attributes), 0) });
}

async function setService(attributes: Attributes, client: AdminClient): Promise<undefined> {
  const request = serviceOf(attributes);
  const present = keepsFlags(request) ? (await findService(client, request.key)).flags : 0;
  await change(client, { op: 'editService', service: fullService(request, present) });
}

async function getService(attributes: Attributes, client: AdminClient): Promise<Answer[]> {
  const found = await findService(client, serviceOf(attributes).key);
  return [{ command: IPVS_CMD.NEW_SERVICE, body: encodeService(found) }];
}

async function dumpServices(_: Attributes, client: ProgramClient): Promise<Answer[]> {
  const services = await listServices(client);
  client.keepListing?.(services);
  return services.map((service) => ({ command: IPVS_CMD.NEW_SERVICE, body: encodeService(service) }));
}

/** The kernel looks for the service before it reads the destination. */
function writeDestination(op: 'addDestination' | 'editDestination'): Perform {
  return async (attributes, client) => {
    const service = serviceOf(attributes);
    const read = () => fullDestination(parseDestination(attributes.bytes(CMD_ATTR.DEST), service.family));
    const destination = await afterService(service, client, read);
    await change(client, { op, key: existing(service), destination });
  };
}

async function deleteDestination(attributes: Attributes, client: AdminClient): Promise<undefined> {
  const service = serviceOf(attributes);
  const read = () => parseDestination(attributes.bytes(CMD_ATTR.DEST), service.family);
  const { address, port } = await afterService(service, client, read);
  await change(client, { op: 'deleteDestination', key: existing(service), address, port });
}

/** A wrong destination of a service that does not exist gives ESRCH. */
async function afterService<T>(service: ServiceRequest, client: AdminClient, read: () => T): Promise<T> {
  try {
    return read();
  } catch (error) {
    await findService(client, service.key);
    throw error;
  }
}

async function dumpDestinations(attributes: Attributes, client: ProgramClient): Promise<Answer[]> {
  try {
    const { key } = serviceOf(attributes);
    const { destinations } = (key && client.takeListed?.(key)) ?? (await findService(client, key));
    return destinations.map((one) => ({ command: IPVS_CMD.NEW_DEST, body: encodeDestination(one) }));
  } catch (error) {
    if (
      error instanceof Refusal &&
      (error.code === 'ESRCH' || error.code === 'EINVAL' || error.code === 'EAFNOSUPPORT')
    )
      return [];
    throw error;
  }
}

async function newDaemon(attributes: Attributes, client: AdminClient): Promise<undefined> {
  const daemon = parseDaemon(attributes.bytes(CMD_ATTR.DAEMON));
  await askDirector(client, { op: 'startDaemon', role: daemon.role, options: daemonOptions(daemon) });
}

async function deleteDaemon(attributes: Attributes, client: AdminClient): Promise<undefined> {
  const { role } = parseDaemon(attributes.bytes(CMD_ATTR.DAEMON));
  await askDirector(client, { op: 'stopDaemon', role });
}

async function dumpDaemons(_: Attributes, client: AdminClient): Promise<Answer[]> {
  const { daemons = [] } = await askDirector(client, { op: 'daemons' });
  return daemons.map((daemon) => ({ command: IPVS_CMD.NEW_DAEMON, body: encodeDaemon(daemon) }));
}

/** A timeout that is missing keeps its value; so does 0. */
function setConfig(attributes: Attributes, client: AdminClient): Promise<undefined> {
  const signed = (type: number) => attributes.s32(type) ?? 0;
  const timeouts = {
    tcp: signed(CMD_ATTR.TIMEOUT_TCP),
    tcpfin: signed(CMD_ATTR.TIMEOUT_TCP_FIN),
    udp: signed(CMD_ATTR.TIMEOUT_UDP),
  };
  if (Object.values(timeouts).some((seconds) => seconds < 0)) throw new Refusal('EINVAL');
  return change(client, { op: 'setTimeouts', timeouts });
}

async function getConfig(_: Attributes, client: AdminClient): Promise<Answer[]> {
  const { timeouts } = await askDirector(client, { op: 'getTimeouts' });
  const { tcp, tcpfin, udp } = timeouts!;
  const body = encoded((to) => {
    to.u32(CMD_ATTR.TIMEOUT_TCP, tcp);
    to.u32(CMD_ATTR.TIMEOUT_TCP_FIN, tcpfin);
    to.u32(CMD_ATTR.TIMEOUT_UDP, udp);
  });
  return [{ command: IPVS_CMD.SET_CONFIG, body }];
}

async function getInfo(): Promise<Answer[]> {
  const body = encoded((to) => {
    to.u32(INFO_ATTR.VERSION, IPVS_VERSION);
    to.u32(INFO_ATTR.CONN_TAB_SIZE, CONN_TAB_SIZE);
  });
  return [{ command: IPVS_CMD.SET_INFO, body }];
}

async function zero(attributes: Attributes, client: AdminClient): Promise<undefined> {
  if (!attributes.has(CMD_ATTR.SERVICE)) return change(client, { op: 'zero' });
  return change(client, { op: 'zero', key: existing(serviceOf(attributes)) });
}
