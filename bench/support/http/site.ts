/**
 * The network of the balancers, which use it one after the other. It has two Ethernets. The VIP is
 * on neither of them, so a route of the client selects where packets to the VIP go.
 *
 *                  front 10.0.0.0/24                 back 192.168.1.0/24
 *     client .1 ──────────┬────────── .254 balancer .254 ──────────┐
 *                         ├── .11 rs1, VIP on lo ─────────── .11 ──┤     masq, DNAT, proxies: in by front, out by back
 *                         └── .12 rs2, VIP on lo ─────────── .12 ──┘     gatewaying, direct: front alone
 *
 * A realserver sends packets from its back address through the balancer. It sends packets from the
 * VIP directly to the client.
 */

import { buildNetwork, namespaces, removeNetwork } from '../../../src/lab/build/network.js';
import { client, FORWARDING, NO_REDIRECTS, realserver, withVip } from '../../../src/lab/hosts.js';
import { namespaceOf, SWITCH, switchEnd } from '../../../src/lab/names.js';
import type { Host, Topology } from '../../../src/lab/topology.js';
import { inNamespace, ipBatch } from '../../../src/sys/command.js';

export const VIP = '10.9.0.1';
export const FRONT = { balancer: '10.0.0.254', realservers: ['10.0.0.11', '10.0.0.12'] } as const;
export const BACK = { balancer: '192.168.1.254', realservers: ['192.168.1.11', '192.168.1.12'] } as const;

/**
 * Enough local ports for 60,000 connections to one address. The queues in ROOMY hold as many new
 * ones.
 */
const PORTS = 'net.ipv4.ip_local_port_range=1024 65535';
const ROOMY = {
  'net.core.somaxconn': 4096,
  'net.ipv4.tcp_max_syn_backlog': 8192,
  // With DR, replies take another path than requests. rp_filter would drop them.
  'net.ipv4.conf.all.rp_filter': 0,
  'net.ipv4.conf.default.rp_filter': 0,
};

/** Turns br_netfilter off in the switch: with it, bridged frames would pass the firewall. */
const WIRE_ONLY = 'f=/proc/sys/net/bridge/bridge-nf-call-iptables; [ ! -e $f ] || echo 0 > $f';

/** A short name, because the name of the switch's end of a device contains it. */
export const BALANCER = 'lb';

export interface Site {
  readonly id: string;
  readonly topology: Topology;
  /**
   * The balancer's devices: front, back. No other device of this machine has one of these names.
   */
  readonly devices: readonly [string, string];
}

export function planSite(name: string): Site {
  const id = `http-${name}-${process.pid}`;
  const devices = [`f${process.pid}`, `b${process.pid}`] as const;
  const hosts = [client(['front', '10.0.0.1/24'], FRONT.balancer), balancer(devices), server(1), server(2)].map(roomy);
  const unused = { drawing: '', summary: '', level: 'hard', teaches: '', rules: [] } as const;
  const listeners = () => ({ addresses: [], http: 80, echo: 7 });
  return {
    id,
    devices,
    topology: { ...unused, listeners, name: id, method: 'masq', hosts, vips: [VIP], httpPort: 80, echoPort: 7 },
  };
}

function roomy(host: Host): Host {
  return { ...host, sysctls: { ...ROOMY, ...NO_REDIRECTS, ...host.sysctls } };
}

function balancer([front, back]: readonly [string, string]): Host {
  return {
    name: BALANCER,
    role: 'router',
    ports: [
      { dev: front, segment: 'front', mac: '02:00:00:00:0d:00', address: `${FRONT.balancer}/24` },
      { dev: back, segment: 'back', mac: '02:00:00:00:0d:01', address: `${BACK.balancer}/24` },
    ],
    sysctls: FORWARDING,
  };
}

function server(n: number): Host {
  const host = realserver(n, [
    ['front', `${FRONT.realservers[n - 1]}/24`],
    ['back', `${BACK.realservers[n - 1]}/24`],
  ]);
  const byBalancer = { to: 'default', via: BACK.balancer, dev: 'eth1', table: 100 };
  const policy = [{ priority: 100, from: BACK.realservers[n - 1]!, table: 100 }];
  return { ...host, ...withVip(VIP), routes: [byBalancer], policy };
}

export async function build({ topology, id }: Site): Promise<void> {
  await buildNetwork(topology, id, 'xdp');
  await inNamespace(namespaceOf(id, SWITCH), 'sh', '-c', WIRE_ONLY);
  for (const { name } of topology.hosts) await inNamespace(namespaceOf(id, name), 'sysctl', '-qw', PORTS);
}

export function remove({ topology, id }: Site): Promise<void> {
  return removeNetwork(namespaces(topology, id));
}

/**
 * The client's multipath route spreads the connections over the realservers, without a balancer.
 */
export async function routeDirect({ id }: Site): Promise<void> {
  const hops = FRONT.realservers.map((via) => `nexthop via ${via} dev eth0`).join(' ');
  await inNamespace(namespaceOf(id, 'client'), 'sysctl', '-qw', 'net.ipv4.fib_multipath_hash_policy=1');
  await ipBatch(namespaceOf(id, 'client'), [`route replace ${VIP}/32 ${hops}`]);
}

export function routeByBalancer({ id }: Site): Promise<void> {
  return ipBatch(namespaceOf(id, 'client'), [`route replace ${VIP}/32 via ${FRONT.balancer} dev eth0`]);
}

/** All interfaces of the site, with those of the switch. */
export function interfaces({ topology, id }: Site): [namespace: string, dev: string][] {
  return topology.hosts.flatMap(({ name, ports }) =>
    ports.flatMap(({ dev }): [string, string][] => [
      [namespaceOf(id, name), dev],
      [namespaceOf(id, SWITCH), switchEnd(name, dev)],
    ]),
  );
}
