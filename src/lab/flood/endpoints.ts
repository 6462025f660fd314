/** The endpoints of a flood: where it is sent, its target, and where it is counted. */
import { inNamespace } from '../../sys/command.js';
import { isIPv6 } from '../../wire/address.js';
import type { Lab } from '../build/lab.js';
import { enablePolling } from '../build/network.js';
import { LabError } from '../error.js';
import { namespaceOf, SWITCH, switchEnd } from '../names.js';
import { addressOfEndpoint, hostOf, realservers } from '../topology.js';
import type { Kind, Target } from './frame.js';

/** A device in a network namespace. */
export interface NetDevice {
  readonly namespace: string;
  readonly device: string;
}

export interface Endpoints {
  readonly client: NetDevice;
  readonly target: Target;
  readonly sinks: readonly NetDevice[];
}

/**
 * The endpoints in a lab that is up: from its client along the lab's routes to every port of the
 * realservers. Throws a LabError if the lab has no such service over IPv4, or the director does not
 * answer ARP.
 */
export async function endpointsOf(lab: Lab, kind: Kind): Promise<Endpoints> {
  const client = hostOf(lab.spec, 'client');
  const { vip, port } = serviceOf(lab, kind);
  const namespace = namespaceOf(lab.id, client.name);
  const target = { srcMac: client.ports[0]!.mac, dstMac: await nextHop(namespace, vip), vip, port };
  for (const { dev } of client.ports) await enablePolling(namespaceOf(lab.id, SWITCH), switchEnd(client.name, dev));
  const sinks = realservers(lab.spec).flatMap(({ name, ports }) =>
    ports.map(({ dev }) => ({ namespace: namespaceOf(lab.id, name), device: dev })),
  );
  return { client: { namespace, device: client.ports[0]!.dev }, target, sinks };
}

/**
 * The lab's first service of that protocol; with services by mark the address that its clients use.
 */
function serviceOf({ spec }: Lab, kind: Kind): { vip: string; port: number } {
  const [vip] = spec.vips;
  if (vip === undefined || isIPv6(vip)) throw new LabError(`lab ${spec.name} has no IPv4 VIP to flood`);
  const option = kind === 'udp' ? '-u' : '-t';
  const services = spec.rules.map((rule) => rule.split(' ')).filter(([verb]) => verb === '-A');
  const found = services.find(([, type]) => type === option)?.[2];
  if (found) return { vip: addressOfEndpoint(found), port: Number(/:(\d+)$/.exec(found)?.[1] ?? spec.httpPort) };
  if (!services.some(([, type]) => type === '-f'))
    throw new LabError(`lab ${spec.name} has no ${kind === 'udp' ? 'UDP' : 'TCP'} service to flood`);
  return { vip, port: kind === 'udp' ? spec.echoPort : spec.httpPort };
}

/** The MAC of the client's next hop for `address`. A ping makes the client resolve it. */
async function nextHop(namespace: string, address: string): Promise<string> {
  await inNamespace(namespace, 'ping', '-c', '1', '-W', '1', address).catch(() => {});
  const { stdout: route } = await inNamespace(namespace, 'ip', '-j', 'route', 'get', address);
  const { gateway = address } = (JSON.parse(route) as { gateway?: string }[])[0] ?? {};
  const { stdout } = await inNamespace(namespace, 'ip', '-j', 'neighbour', 'show', 'to', gateway);
  const mac = (JSON.parse(stdout) as { lladdr?: string }[]).find(({ lladdr }) => lladdr)?.lladdr;
  if (mac === undefined) throw new LabError(`nobody answers the client's ARP for ${gateway}: is the director up?`);
  return mac;
}
