/**
 * The network of an outage's testbed: a client with two paths to the director, and realservers. The
 * interfaces of the director hang on bridges, so that they can be deleted alone.
 *
 *     client: eth0 10.1.0.1 ── br0 ── eth0 10.1.0.254 :director: eth2 10.2.0.254 ── br2 ── eth0 10.2.0.11 :server
 *             eth1 10.3.0.1 ── br1 ── eth1 10.3.0.254                                ├── eth0 10.2.0.12 :server-2
 *             eth2 10.4.0.1 ── br3 ── replies by DR and Tun ── eth1 10.4.0.11, …     …
 *
 * With wires, a program carries the frames between each interface of the director and its bridge:
 *
 *     director eth0 ═ d-eth0 ─ impaired-wire ─ w-eth0 ═ b-eth0 ─ br0
 */
import { command, inNamespace, ipBatch } from '../../sys/command.js';
import { enablePolling } from '../build/network.js';
import type { MethodName } from '../flood/testbed.js';
import { namespaceOf } from '../names.js';

export const VIPS = ['10.1.0.100', '10.3.0.100'] as const;
const ADDRESSES = ['10.1.0.254/24', '10.3.0.254/24', '10.2.0.254/24'] as const;
const BRIDGE = 'type bridge mcast_snooping 0 stp_state 0 forward_delay 0';
const SYSCTLS = [
  'net.ipv6.conf.all.disable_ipv6=1',
  'net.ipv6.conf.default.disable_ipv6=1',
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
  'net.ipv4.conf.all.arp_ignore=1',
];

/** The director's interfaces. */
export const INTERFACES = ['eth0', 'eth1', 'eth2'] as const;
export type InterfaceName = (typeof INTERFACES)[number];

export type HostName = 'switch' | 'client' | 'director' | `server${string}`;

/** Names of the realservers, the first one is `server`. */
export function serverNames(servers: number): HostName[] {
  return Array.from({ length: servers }, (_, i): HostName => (i === 0 ? 'server' : `server-${i + 1}`));
}

export function hostNames(servers: number): HostName[] {
  return ['switch', 'client', 'director', ...serverNames(servers)];
}

/** Address of realserver number `i`. */
export function addressOf(i: number): string {
  return `10.2.0.${11 + i}`;
}

/** Rejects, as all methods, with a CommandError. */
export class OutageNetwork {
  constructor(
    private readonly id: string,
    private readonly method: MethodName,
    private readonly servers: number,
    private readonly wires: boolean,
  ) {}

  namespace(host: HostName): string {
    return namespaceOf(this.id, host);
  }

  /** Ends of each wire in the switch's namespace, for the program that is the wire. */
  get wireEnds(): string[] {
    return INTERFACES.map((name) => `d-${name}:w-${name}`);
  }

  /** In the switch's namespace: by which frames of clients go to the director and come from it. */
  get passages(): { readonly to: readonly string[]; readonly from: string } {
    return { to: ['d-eth0', 'd-eth1'], from: 'd-eth2' };
  }

  async build(): Promise<void> {
    const hosts = hostNames(this.servers);
    for (const host of hosts) await command('ip', ['netns', 'add', this.namespace(host)]);
    for (const host of hosts) await inNamespace(this.namespace(host), 'sysctl', '-qw', ...SYSCTLS);
    const bridges = [0, 1, 2, 3].flatMap((i) => [`link add br${i} ${BRIDGE}`, `link set br${i} up`]);
    await ipBatch(this.namespace('switch'), bridges);
    for (const name of INTERFACES) await this.plug(name);
    await this.plugFar('client', 'eth0', 'br0', '10.1.0.1/24');
    await this.plugFar('client', 'eth1', 'br1', '10.3.0.1/24');
    await this.plugFar('client', 'eth2', 'br3', '10.4.0.1/24');
    for (const [i, name] of serverNames(this.servers).entries()) {
      await this.plugFar(name, 'eth0', 'br2', `${addressOf(i)}/24`);
      await this.plugFar(name, 'eth1', 'br3', `10.4.0.${11 + i}/24`);
      await ipBatch(this.namespace(name), ['link set lo up', ...this.replies()]);
    }
    await ipBatch(this.namespace('client'), ['link set lo up']);
  }

  /** How a realserver answers, by method. */
  private replies(): string[] {
    const direct = ['10.1.0.0/24', '10.3.0.0/24'].map((net) => `route add ${net} via 10.4.0.1 dev eth1`);
    const vips = VIPS.map((vip) => `address add ${vip}/32 dev lo`);
    if (this.method === 'nat') return ['route add default via 10.2.0.254'];
    if (this.method === 'dr') return [...vips, ...direct];
    return [...vips, ...direct, 'link add tunl9 type veth peer name tunl9x', 'link set tunl9 up', 'link set tunl9x up'];
  }

  /** Makes an interface of the director, with its address, on its bridge. */
  async plug(name: InterfaceName): Promise<void> {
    const i = INTERFACES.indexOf(name);
    const far = `d-${name}`;
    const queues = 'numrxqueues 4 numtxqueues 4';
    const hub = this.namespace('switch');
    await ipBatch(hub, [
      `link add ${far} ${queues} type veth peer name new-${name} ${queues} netns ${this.namespace('director')}`,
      ...(this.wires ? wireTo(name, `br${i}`) : [`link set ${far} master br${i}`]),
      `link set ${far} up`,
    ]);
    // XDP needs a receive queue for each queue by which the other end sends.
    for (const [space, dev] of [
      [hub, far],
      [this.namespace('director'), `new-${name}`],
    ] as const)
      await inNamespace(space, 'ethtool', '-L', dev, 'rx', '1', 'tx', '1');
    await enablePolling(hub, far);
    // Named last: the director attaches an interface as soon as it has its name.
    const up = [`link set new-${name} name ${name}`, `address add ${ADDRESSES[i]} dev ${name}`, `link set ${name} up`];
    await ipBatch(this.namespace('director'), up);
  }

  private async plugFar(host: HostName, dev: string, bridge: string, address: string): Promise<void> {
    const far = `${host === 'client' ? 'c' : host.replace('server', 's')}-${dev}`;
    await ipBatch(this.namespace('switch'), [
      `link add ${far} type veth peer name ${dev} netns ${this.namespace(host)}`,
      `link set ${far} master ${bridge}`,
      `link set ${far} up`,
    ]);
    await ipBatch(this.namespace(host), [`address add ${address} dev ${dev}`, `link set ${dev} up`]);
  }
}

/** The end of a wire, and its way to the bridge. */
function wireTo(name: InterfaceName, bridge: string): string[] {
  return [
    `link add w-${name} type veth peer name b-${name}`,
    `link set b-${name} master ${bridge}`,
    `link set w-${name} up`,
    `link set b-${name} up`,
  ];
}
