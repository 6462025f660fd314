/** Where a flood comes from, where it goes to, and where what is left of it is counted. */

import { inNamespace } from '../../sys/command.js';
import { isIPv6 } from '../../wire/address.js';
import type { Lab } from '../build/lab.js';
import { polling } from '../build/network.js';
import { LabError } from '../error.js';
import { namespaceOf, SWITCH, switchEnd } from '../names.js';
import { addressIn, hostOf, realservers } from '../topology.js';
import type { Kind, Target } from './frame.js';

export interface Place {
  readonly namespace: string;
  readonly device: string;
}

export interface Site {
  readonly client: Place;
  readonly target: Target;
  readonly sinks: readonly Place[];
}

/** A lab that is up: from its client by whatever way its routes say, to every port of its realservers. LabError. */
export async function siteOf(lab: Lab, kind: Kind): Promise<Site> {
  const client = hostOf(lab.spec, 'client');
  const { vip, port } = serviceOf(lab, kind);
  const namespace = namespaceOf(lab.id, client.name);
  const target = { srcMac: client.ports[0]!.mac, dstMac: await nextHop(namespace, vip), vip, port };
  for (const { dev } of client.ports) await polling(namespaceOf(lab.id, SWITCH), switchEnd(client.name, dev));
  const sinks = realservers(lab.spec).flatMap(({ name, ports }) =>
    ports.map(({ dev }) => ({ namespace: namespaceOf(lab.id, name), device: dev })),
  );
  return { client: { namespace, device: client.ports[0]!.dev }, target, sinks };
}

/** Its first service of that protocol, or, where services are marks, where its clients connect to. */
function serviceOf({ spec }: Lab, kind: Kind): { vip: string; port: number } {
  const [vip] = spec.vips;
  if (vip === undefined || isIPv6(vip)) throw new LabError(`lab ${spec.name} has no IPv4 VIP to flood`);
  const option = kind === 'udp' ? '-u' : '-t';
  const services = spec.rules.map((rule) => rule.split(' ')).filter(([verb]) => verb === '-A');
  const found = services.find(([, type]) => type === option)?.[2];
  if (found) return { vip: addressIn(found), port: Number(/:(\d+)$/.exec(found)?.[1] ?? spec.httpPort) };
  if (!services.some(([, type]) => type === '-f'))
    throw new LabError(`lab ${spec.name} has no ${kind === 'udp' ? 'UDP' : 'TCP'} service to flood`);
  return { vip, port: kind === 'udp' ? spec.echoPort : spec.httpPort };
}

/** The MAC that the client sends to for `address`; a packet to it makes the client ask. */
async function nextHop(namespace: string, address: string): Promise<string> {
  await inNamespace(namespace, 'ping', '-c', '1', '-W', '1', address).catch(() => {});
  const { stdout: route } = await inNamespace(namespace, 'ip', '-j', 'route', 'get', address);
  const { gateway = address } = (JSON.parse(route) as { gateway?: string }[])[0] ?? {};
  const { stdout } = await inNamespace(namespace, 'ip', '-j', 'neighbour', 'show', 'to', gateway);
  const mac = (JSON.parse(stdout) as { lladdr?: string }[]).find(({ lladdr }) => lladdr)?.lladdr;
  if (mac === undefined) throw new LabError(`nobody answers the client's ARP for ${gateway}: is the director up?`);
  return mac;
}
