/** Asks a director what the doctor needs to know about it: its rules, its devices, its sysctls. */
import { readlinkSync } from 'node:fs';
import type { DeviceStatus, DirectorStatus, ServiceEntry } from '../../control/api/api.js';
import { ask } from '../../control/api/ask.js';
import { loadConfig } from '../../control/config/config.js';
import { proxied } from '../../control/config/director-config.js';
import { unansweredVips } from '../../control/host/unanswered-vips.js';
import { findKind } from '../../device/kinds.js';
import type { DeviceFact, DirectorFacts, ServiceFact } from '../../doctor/facts.js';
import { invocation } from '../../lab/invocation.js';
import { SVC_PERSISTENT } from '../../service/config.js';
import { UserError } from '../guard.js';
import { withDirector } from '../inquiry.js';

/**
 * The facts of the director on a control socket. `file` is its configuration; '' means the one that
 * it was started with. Throws an Error if no director listens, a ConfigError for the file.
 */
export async function askDirector(socket: string, file: string): Promise<DirectorFacts> {
  const { services, status, sysctls } = await withDirector(socket, async (client) => ({
    ...(await ask(client, { op: 'list' })),
    ...(await ask(client, { op: 'status' })),
    ...(await ask(client, { op: 'getSysctls' })),
  }));
  if (!services || !status || !sysctls) throw new Error(`the director on ${socket} sent an incomplete answer`);
  return {
    services: services.map(serviceFact),
    pid: status.pid,
    devices: status.devices.map(deviceFact),
    expireQuiescentTemplate: sysctls.expire_quiescent_template !== 0,
    refusesStrays: sysctls.nat_icmp_send !== 0,
    ...fromConfiguration(file, status, services),
  };
}

/** As askDirector. Throws a UserError for a director whose interfaces this process does not see. */
export async function askLocalDirector(socket: string, file: string): Promise<DirectorFacts> {
  const facts = await askDirector(socket, file);
  const its = networkNamespace(facts.pid);
  if (its === undefined || its === networkNamespace('self')) return facts;
  const line = `nsenter -t ${facts.pid} -n ${invocation(`ulvs doctor --socket ${socket}`)}`;
  throw new UserError(
    `the director on ${socket} is in another network namespace; run '${line}', or for a lab 'ulvs doctor --lab ID'`,
  );
}

/** undefined: no such process here, as for a director in a container. */
function networkNamespace(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

/** The facts that only the configuration has. A director that runs on rule lines alone has none. */
function fromConfiguration(
  file: string,
  { config, rulesOnly }: DirectorStatus,
  services: readonly ServiceEntry[],
): Pick<DirectorFacts, 'marks' | 'ranges' | 'forwardShared' | 'routes' | 'unheard' | 'proxied' | 'placement'> {
  const placement = { workerCpus: [], isRealtime: false };
  const none = { marks: [], ranges: [], forwardShared: [], routes: [], proxied: [], placement };
  if (file === '' && rulesOnly) return { ...none, unheard: unheard(services, { arp: false, ranges: [] }, []) };
  const settings = loadConfig(file || config);
  const { marks, accept, routes = [], snat, workerCpus, workerPriority } = settings;
  const { ranges, forwardShared } = accept;
  const plain = routes.map(({ to, via, dev }) => ({ to, dev, ...(via !== undefined && { via }) }));
  const placed = { workerCpus, isRealtime: workerPriority === 'realtime' };
  const heard = { unheard: unheard(services, accept, snat), placement: placed };
  return { marks, ranges, forwardShared, routes: plain, proxied: proxied(settings), ...heard };
}

/** VIPs that are lost if no interface has them; the doctor knows the interfaces. */
function unheard(
  services: readonly ServiceEntry[],
  accept: Parameters<typeof unansweredVips>[1],
  snat: NonNullable<Parameters<typeof unansweredVips>[3]>,
): string[] {
  return unansweredVips(services, accept, () => false, snat);
}

/** A kind that this program does not know, of a director of another version, counts as shared. */
function deviceFact({ name, kind, mac, mtu, addresses }: DeviceStatus): DeviceFact {
  const { shared = true, exclusive = false } = findKind(kind) ?? {};
  return { name, kind, shared, exclusive, mac, mtu, addresses };
}

function serviceFact({ key, scheduler, flags, destinations }: ServiceEntry): ServiceFact {
  return { key, scheduler, persistent: (flags & SVC_PERSISTENT) !== 0, destinations };
}
