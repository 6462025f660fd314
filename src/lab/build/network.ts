/**
 * Builds the network of a topology. Each port is a veth; its other end is in the switch namespace,
 * in the bridge of its segment. All ports of a segment share that wire.
 *
 *     client: eth0 ───── client-eth0 ┐ switch:            ┌ rs1-eth0 ───── rs1: eth0
 *                                    ├ front     back ────┤
 *     director: eth0 ─ director-eth0 ┘                    └ director-eth1 ─ director: eth1
 *
 * With TAP devices the director's namespace has another bridge for each port and no address: IP
 * address and MAC exist in the director's process only.
 *
 *     ── wire0 ─ br0 ─ eth0 (TAP) ═══ director process
 */

import { readdirSync, statSync } from 'node:fs';
import { kindOf } from '../../device/kinds.js';
import { command, inNamespace, ipBatch } from '../../sys/command.js';
import { isIPv6 } from '../../wire/address.js';
import { namespaceOf, outerEnd, SWITCH, switchEnd } from '../names.js';
import { type Host, type LabDevice, type Port, type Route, segments, type Topology, usesIPv6 } from '../topology.js';

const BRIDGE = 'type bridge mcast_snooping 0 stp_state 0 forward_delay 0';
const QUIET = { 'net.ipv6.conf.all.disable_ipv6': 1, 'net.ipv6.conf.default.disable_ipv6': 1 };

/**
 * IPv6 without delay: no duplicate address detection, no autoconfiguration, no router
 * advertisements.
 */
const SIX = {
  'net.ipv6.conf.all.accept_dad': 0,
  'net.ipv6.conf.default.accept_dad': 0,
  'net.ipv6.conf.all.accept_ra': 0,
  'net.ipv6.conf.default.accept_ra': 0,
};

/** The names of all namespaces of a lab; the switch is first. */
export function namespaces(topology: Topology, id: string): string[] {
  return [SWITCH, ...topology.hosts.map((host) => host.name)].map((name) => namespaceOf(id, name));
}

export async function buildNetwork(topology: Topology, id: string, device: LabDevice): Promise<void> {
  for (const namespace of namespaces(topology, id)) await command('ip', ['netns', 'add', namespace]);
  const basics = usesIPv6(topology) ? SIX : QUIET;
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

/** Runs the commands that need a running director: routes into its TUN device. */
export async function finishNetwork(topology: Topology, id: string, device: LabDevice): Promise<void> {
  for (const host of topology.hosts)
    if (host.afterStart && (kindOf(device).shared || !isDirector(host)))
      await ipBatch(namespaceOf(id, host.name), host.afterStart);
}

/** Whether the director's devices are TAPs, which need a bridge to the wire. */
export function isTap(device: LabDevice): boolean {
  return kindOf(device).needs === '/dev/net/tun';
}

function isDirector({ role }: Host): boolean {
  return role === 'director' || role === 'backup';
}

/** A director with several workers has one queue for each, in both directions. */
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

/** The largest IP packet: GRO may have merged packets before they are decapsulated. */
const LONGEST = 65_535;

/**
 * The commands that add a realserver's VIP. With a tunnel it is on a veth, to whose outer end the
 * decapsulator writes.
 */
function extraAddress({ vip }: Host): string[] {
  if (!vip) return [];
  const address = `address add ${vip.address} dev ${vip.dev}${nodad(vip.address)}`;
  if (vip.dev === 'lo') return [address];
  const pair = [vip.dev, outerEnd(vip.dev)];
  return [
    `link add ${pair[0]} type veth peer name ${pair[1]}`,
    ...pair.map((dev) => `link set ${dev} mtu ${LONGEST} up`),
    address,
  ];
}

/**
 * Enables GRO on a veth. Frames that XDP redirects to a veth are dropped unless its peer runs NAPI,
 * which GRO turns on.
 */
export async function enablePolling(namespace: string, dev: string): Promise<void> {
  await inNamespace(namespace, 'ethtool', '-K', dev, 'gro', 'on');
}

/** The commands for a TAP device and the bridge between it and wire `i`. */
export function tapPort({ dev }: Pick<Port, 'dev'>, i: number): string[] {
  const members = [`wire${i}`, dev].flatMap((name) => [`link set ${name} master br${i}`, `link set ${name} up`]);
  return [`link add br${i} ${BRIDGE}`, `tuntap add dev ${dev} mode tap`, ...members, `link set br${i} up`];
}

async function setSysctls(namespace: string, values: Readonly<Record<string, number>>): Promise<void> {
  await inNamespace(namespace, 'sysctl', '-qw', ...Object.entries(values).map(([name, value]) => `${name}=${value}`));
}

/** Deletes those of the namespaces that exist; their veths and bridges go with them. */
export async function removeNetwork(names: readonly string[]): Promise<void> {
  const present = await presentNamespaces();
  for (const name of names) if (present.has(name)) await removeNamespace(name);
}

/** Processes in these namespaces. */
export function processesIn(names: readonly string[]): { namespace: string; pid: number }[] {
  const byInode = new Map(names.map((name) => [inodeOf(`/run/netns/${name}`), name]));
  byInode.delete(undefined);
  return readdirSync('/proc').flatMap((entry) => {
    const namespace = /^\d+$/.test(entry) ? byInode.get(inodeOf(`/proc/${entry}/ns/net`)) : undefined;
    return namespace === undefined ? [] : [{ namespace, pid: Number(entry) }];
  });
}

/** The inode of a namespace; undefined: it is gone, as the process may be. */
function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

async function presentNamespaces(): Promise<Set<string>> {
  const { stdout } = await command('ip', ['netns', 'list']);
  return new Set(stdout.split('\n').map((line) => line.split(' ')[0]!));
}

/** It is no error if another `lab down` has deleted it meanwhile. */
async function removeNamespace(name: string): Promise<void> {
  try {
    await command('ip', ['netns', 'del', name]);
  } catch (error) {
    if ((await presentNamespaces()).has(name)) throw error;
  }
}
