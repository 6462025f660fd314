/** Requests to the director; what it refuses becomes a Refusal with its errno. */
import type { AdminClient, AdminReply, AdminRequest, ServiceEntry } from '../control/api/api.js';
import type { ServiceKey } from '../service/config.js';
import { Refusal } from './refusal.js';

/** Asks for one program, which may list the whole table in many requests. */
export interface ProgramClient extends AdminClient {
  /** Keeps a listing of all services for the requests that follow it. */
  keepListing?(services: readonly ServiceEntry[]): void;
  /** The service as it was in that listing; undefined: the director is to be asked. */
  takeListed?(key: ServiceKey): ServiceEntry | undefined;
}

type Accepted = Extract<AdminReply, { ok: true }>;

/** Rejects with a Refusal. */
export async function askDirector(client: AdminClient, request: AdminRequest): Promise<Accepted> {
  const reply = await client.request(request);
  if (reply.ok) return reply;
  throw new Refusal(reply.errno, reply.text);
}

/** The service with its destinations. Rejects with a Refusal, ESRCH when there is none. */
export async function findService(client: AdminClient, key: ServiceKey | undefined): Promise<ServiceEntry> {
  if (key === undefined) throw new Refusal('ESRCH');
  const { services = [] } = await askDirector(client, { op: 'list', key });
  if (services[0] === undefined) throw new Refusal('ESRCH');
  return services[0];
}

/** All services with their destinations, newest first. */
export async function listServices(client: AdminClient): Promise<ServiceEntry[]> {
  return (await askDirector(client, { op: 'list' })).services ?? [];
}
