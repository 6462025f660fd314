/**
 * Builds a topology out of namespaces. Every port is a veth whose other end is in the switch namespace, in the bridge of
 * its segment; that is the wire everybody on a segment shares.
 *
 *     client: eth0 ───── client-eth0 ┐ switch:            ┌ rs1-eth0 ───── rs1: eth0
 *                                    ├ front     back ────┤
 *     director: eth0 ─ director-eth0 ┘                    └ director-eth1 ─ director: eth1
 *
 * With a kind that makes a TAP the director's own namespace has one bridge more a port, and no address: IP and MAC live in the process.
 *
 *     ── wire0 ─ br0 ─ eth0 (TAP) ═══ director process
 */

import { kindOf } from '../../device/kinds.js';
import { command, inNamespace, ipBatch } from '../../sys/command.js';
import { isIPv6 } from '../../wire/address.js';
import { namespaceOf, outsideOf, SWITCH, switchEnd } from '../names.js';
import { type Host, isSix, type LabDevice, type Port, type Route, segments, type Topology } from '../topology.js';

const BRIDGE = 'type bridge mcast_snooping 0 stp_state 0 forward_delay 0';
const QUIET = { 'net.ipv6.conf.all.disable_ipv6': 1, 'net.ipv6.conf.default.disable_ipv6': 1 };

/** IPv6 at once: no address waits to be found unique, none is made up, routers say nothing of themselves. */
const SIX = {
  'net.ipv6.conf.all.accept_dad': 0,
  'net.ipv6.conf.default.accept_dad': 0,
  'net.ipv6.conf.all.accept_ra': 0,
  'net.ipv6.conf.default.accept_ra': 0,
};

/** Names of all namespaces of a lab, the switch first. */
export function namespaces(topology: Topology, id: string): string[] {
  return [SWITCH, ...topology.hosts.map((host) => host.name)].map((name) => namespaceOf(id, name));
}

export async function buildNetwork(topology: Topology, id: string, device: LabDevice): Promise<void> {
  for (const namespace of namespaces(topology, id)) await command('ip', ['netns', 'add', namespace]);
  const basics = isSix(topology) ? SIX : QUIET;
  for (const host of topology.hosts) await setSysctls(namespaceOf(id, host.name), { ...basics, ...host.sysctls });
  const hub = namespaceOf(id, SWITCH);
  await setSysctls(hub, QUIET);
  await ipBatch(
    hub,
    segments(topology).flatMap((segment) => [`link add ${segment} ${BRIDGE}`, `link set ${segment} up`]),
  );
  for (const host of topology.hosts) {
    const viaTap = isTap(device) && isDirector(host);
    await ipBatch(
      hub,
      host.ports.flatMap((port, i) => plug(id, host, port, viaTap ? `wire${i}` : port.dev, queuesOf(topology, host))),
    );
    await ipBatch(namespaceOf(id, host.name), viaTap ? host.ports.flatMap(tapPort) : hostSetup(host));
    if (host.nft)
      await command('ip', ['netns', 'exec', namespaceOf(id, host.name), 'nft', '-f', '-'], host.nft.join('\n'));
  }
}

/** What only works when the director runs: routes into its own interface. */
export async function finishNetwork(topology: Topology, id: string, device: LabDevice): Promise<void> {
  for (const host of topology.hosts)
    if (host.late && (kindOf(device).shared || !isDirector(host))) await ipBatch(namespaceOf(id, host.name), host.late);
}

/** The director's interface is a TAP, which needs a bridge to the wire. */
export function isTap(device: LabDevice): boolean {
  return kindOf(device).needs === '/dev/net/tun';
}

function isDirector({ role }: Host): boolean {
  return role === 'director' || role === 'backup';
}

/** A director of several workers has a queue for each, both ways. */
function queuesOf({ workers = 1 }: Topology, host: Host): string {
  return workers > 1 && isDirector(host) ? ` numrxqueues ${workers} numtxqueues ${workers}` : '';
}

function plug(id: string, host: Host, port: Port, dev: string, queues: string): string[] {
  const far = switchEnd(host.name, port.dev);
  return [
    `link add ${far}${queues} type veth peer name ${dev}${queues} netns ${namespaceOf(id, host.name)}`,
    `link set ${far} master ${port.segment}`,
    `link set ${far} up`,
  ];
}

function hostSetup(host: Host): string[] {
  return [
    'link set lo up',
    ...host.ports.flatMap(portSetup),
    ...(host.routes ?? []).map(routeWords),
    ...(host.policy ?? []).map(
      ({ priority, from, table }) => `rule add priority ${priority} from ${from} lookup ${table}`,
    ),
    ...extraAddress(host),
    ...(host.ip ?? []),
  ];
}

function portSetup({ dev, mac, address, also = [] }: Port): string[] {
  const addresses = [address, ...also].filter(Boolean).map((one) => `address add ${one} dev ${dev}${nodad(one)}`);
  return [`link set ${dev} address ${mac}`, ...addresses, `link set ${dev} up`];
}

function nodad(address: string): string {
  return isIPv6(address) ? ' nodad' : '';
}

function routeWords({ to, via, dev, table }: Route): string {
  return `route add ${to}${via ? ` via ${via}` : ''} dev ${dev}${table ? ` table ${table}` : ''}`;
}

/** As long as IP allows: the kernel may have put packets together before they come out of the tunnel. */
const LONGEST = 65_535;

/** The VIP of a realserver; where there is a tunnel, it is on a veth whose far end its decapsulator writes to. */
function extraAddress({ extra }: Host): string[] {
  if (!extra) return [];
  const address = `address add ${extra.address} dev ${extra.dev}${nodad(extra.address)}`;
  if (extra.dev === 'lo') return [address];
  const pair = [extra.dev, outsideOf(extra.dev)];
  return [
    `link add ${pair[0]} type veth peer name ${pair[1]}`,
    ...pair.map((dev) => `link set ${dev} mtu ${LONGEST} up`),
    address,
  ];
}

/** A veth takes frames from XDP only if its peer polls: GRO on, there. */
export async function polling(namespace: string, dev: string): Promise<void> {
  await inNamespace(namespace, 'ethtool', '-K', dev, 'gro', 'on');
}

/** A TAP behind a bridge to wire `i`. */
export function tapPort({ dev }: Pick<Port, 'dev'>, i: number): string[] {
  const members = [`wire${i}`, dev].flatMap((name) => [`link set ${name} master br${i}`, `link set ${name} up`]);
  return [`link add br${i} ${BRIDGE}`, `tuntap add dev ${dev} mode tap`, ...members, `link set br${i} up`];
}

async function setSysctls(namespace: string, values: Readonly<Record<string, number>>): Promise<void> {
  await inNamespace(namespace, 'sysctl', '-qw', ...Object.entries(values).map(([name, value]) => `${name}=${value}`));
}

/** Deletes what is there of the lab's namespaces; the veths and bridges go with them. */
export async function removeNetwork(names: readonly string[]): Promise<void> {
  const present = await presentNamespaces();
  for (const name of names) if (present.has(name)) await removeNamespace(name);
}

async function presentNamespaces(): Promise<Set<string>> {
  const { stdout } = await command('ip', ['netns', 'list']);
  return new Set(stdout.split('\n').map((line) => line.split(' ')[0]!));
}

/** That another `lab down` was faster is no error. */
async function removeNamespace(name: string): Promise<void> {
  try {
    await command('ip', ['netns', 'del', name]);
  } catch (error) {
    if ((await presentNamespaces()).has(name)) throw error;
  }
}
