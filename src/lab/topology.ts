/**
 * The description of a lab as plain data: hosts with ports on segments, routes, and what the
 * director and the realservers serve.
 */
import type { DeviceKind } from '../device/kinds.js';
import type { Role } from '../doctor/facts.js';
import { isIPv6 } from '../wire/address.js';

/** The kind of a director's devices. */
export type LabDevice = DeviceKind;
/**
 * The forwarding method. Replies of masq and full NAT pass the director; those of the others do
 * not.
 */
export type Method = 'masq' | 'fullnat' | 'gatewaying' | 'ipip';

/**
 * What a student must know before. easy: one forwarding method. medium: one thing more, such as
 * marks or a second network. hard: several of them at once, or policy routing.
 */
export type Level = 'easy' | 'medium' | 'hard';

/**
 * A network interface, plugged into a segment (a separate Ethernet). `address` is in CIDR form, ''
 * for none.
 */
export interface Port {
  readonly dev: string;
  readonly segment: string;
  readonly mac: string;
  readonly address: string;
  /** Further addresses of the interface, in CIDR form. */
  readonly also?: readonly string[];
}

/** A route. Without `via` the network is on the wire. `table` is a table other than main. */
export interface Route {
  readonly to: string;
  readonly via?: string;
  readonly dev: string;
  readonly table?: number;
}

/** A policy rule (`ip rule`): packets from this address or network use that table. */
export interface Policy {
  readonly priority: number;
  readonly from: string;
  readonly table: number;
}

/** A host of the lab: one network namespace. */
export interface Host {
  readonly name: string;
  readonly role: Role;
  readonly ports: readonly Port[];
  readonly routes?: readonly Route[];
  readonly policy?: readonly Policy[];
  /**
   * Sysctls, set before any address, so that e.g. arp_announce is in force when the VIP appears.
   */
  readonly sysctls?: Readonly<Record<string, number>>;
  /**
   * The VIP of a realserver in CIDR form: on lo (DR), or on a veth that a decapsulator feeds (Tun).
   */
  readonly vip?: { readonly dev: string; readonly address: string };
  /** Further commands for ip(8), without the word ip, run after the host is set up. */
  readonly ip?: readonly string[];
  /** Commands for ip(8) that are run once the director is up. */
  readonly afterStart?: readonly string[];
  /** A ruleset for nft(8), one line each. */
  readonly nft?: readonly string[];
  /** The director's devices, if they are not its ports (a bridge of them). */
  readonly devices?: readonly Omit<Port, 'segment'>[];
  /** The director's own source addresses of full NAT, in place of those of the topology. */
  readonly sources?: readonly string[];
}

/** A program of others that runs in a lab from its start. */
export interface Daemon {
  readonly name: string;
  /** The host in whose namespace it runs. */
  readonly host: string;
  /** The command, and the Debian package that has it. */
  readonly command: string;
  readonly debianPackage: string;
  /** Its words and the text of its configuration; `folder` is that of the lab. */
  readonly words: (folder: string) => readonly string[];
  readonly config?: string;
  /** What it writes to its log when it is ready. */
  readonly ready: RegExp;
}

/**
 * A fleet: the directors have their rules from etcd at this address, and announce their VIPs to a
 * router.
 */
export interface FleetSpec {
  readonly endpoint: string;
  /** The host on which etcd runs. */
  readonly host: string;
}

/** The addresses and ports that a realserver's program listens on. */
export interface Listeners {
  readonly addresses: readonly string[];
  readonly http: number;
  readonly echo: number;
  /** Further HTTP ports. */
  readonly alsoHttp?: readonly number[];
  /** The sockets accept packets that TPROXY redirects (IP_TRANSPARENT). */
  readonly transparent?: boolean;
}

/**
 * A service program; each realserver has one unless the topology says otherwise. `rip` is the
 * address in the director's rules.
 */
export interface Server extends Listeners {
  readonly name: string;
  readonly host: string;
  readonly rip: string;
  /** The program serves another service than the one that all checks use, or none. They skip it. */
  readonly excluded?: true;
}

/**
 * A wire that is captured during all checks: the port of a host, a pcap filter, and whether packets
 * must or must not match it.
 */
export interface Watch {
  readonly name: string;
  readonly host: string;
  readonly dev: string;
  readonly filter: string;
  readonly expect: 'none' | 'some';
}

/**
 * One lab. `C` is the type of the checks that a topology adds (lab/checks/run.ts has it; only
 * lab/checks reads the list).
 */
export interface Topology<C = unknown> {
  readonly name: string;
  readonly summary: string;
  readonly level: Level;
  /** What the lab is for, in a few words for `ulvs lab list`. */
  readonly teaches: string;
  readonly drawing: string;
  readonly method: Method;
  readonly hosts: readonly Host[];
  /** The addresses that clients connect to: one, or many of a range. */
  readonly vips: readonly string[];
  /**
   * An interface of the director, or of an existing server, has a VIP. In other topologies only
   * realservers have it.
   */
  readonly vipOnHost?: true;
  readonly httpPort: number;
  readonly echoPort: number;
  readonly listeners: (realserver: Host) => Listeners;
  /** The service programs, if they are not one for each realserver. */
  readonly servers?: readonly Server[];
  /** The director's rules, lines as for `ipvsadm -R`. */
  readonly rules: readonly string[];
  readonly marks?: readonly string[];
  /** Ranges that the director accepts without having an address in them. */
  readonly ranges?: readonly string[];
  /** Whether the director answers ARP for VIPs that no interface has. Default: true. */
  readonly arp?: boolean;
  /** The source addresses of full NAT. */
  readonly sources?: readonly string[];
  /** Devices on which the director forwards packets whose source is a VIP. */
  readonly forwardShared?: readonly string[];
  /** The director's devices must be shared with the host's kernel (device/kinds.ts). */
  readonly hostStack?: true;
  /**
   * Replies pass the director although the method does not require it: the director is the
   * realservers' router, or a server itself.
   */
  readonly repliesPass?: true;
  readonly watches?: readonly Watch[];
  /** Programs of others, started before the director. */
  readonly daemons?: readonly Daemon[];
  readonly fleet?: FleetSpec;
  /** The number of the director's workers. Default: 1. */
  readonly workers?: number;
  /**
   * Both directors run, and keepalived on each, with these configurations by the name of the host.
   * The first VIP is on the host with the role director at the start.
   */
  readonly keepalived?: Readonly<Record<string, string>>;
  /** Further lines of the director.yaml of each director. */
  readonly config?: readonly string[];
  /** The user that the director becomes. Default: it stays root. */
  readonly user?: string;
  /** Checks of what is special about this topology, in addition to those of all labs. */
  readonly checks?: readonly C[];
}

/** The address of a CIDR text, without the prefix length. */
export function withoutPrefix(cidr: string): string {
  return cidr.split('/')[0]!;
}

export function hostOf(topology: Topology, role: Role): Host {
  const host = topology.hosts.find((candidate) => candidate.role === role);
  if (!host) throw new Error(`lab ${topology.name} has no ${role}`);
  return host;
}

export function realservers(topology: Topology): Host[] {
  return topology.hosts.filter((host) => host.role === 'realserver');
}

/** CIP, DIP or RIP: the address of the host's first port. */
export function addressOf(host: Host): string {
  return withoutPrefix(host.ports[0]!.address);
}

export function segments(topology: Topology): string[] {
  return [...new Set(topology.hosts.flatMap((host) => host.ports.map((port) => port.segment)))];
}

/** All service programs of the lab. */
export function servers(topology: Topology): readonly Server[] {
  return topology.servers ?? realservers(topology).map((host) => serverOn(host, topology.listeners(host)));
}

/** The service program of a host that has one. */
export function serverOn(host: Host, listeners: Listeners): Server {
  return { ...listeners, name: host.name, host: host.name, rip: addressOf(host) };
}

/** The service programs behind the VIPs. */
export function balanced(topology: Topology): readonly Server[] {
  return servers(topology).filter(({ excluded }) => !excluded);
}

/** The address of an endpoint, `10.0.0.1:80` or `[2001:db8::1]:80`. */
export function addressOfEndpoint(text: string): string {
  return /^\[(.*)\]/.exec(text)?.[1] ?? text.split(':')[0]!;
}

export function usesIPv6({ vips }: Topology): boolean {
  return isIPv6(vips[0]!);
}

/** Whether the director counts replies: masq and full NAT see both directions. */
export function repliesAreCounted({ method }: Topology): boolean {
  return method === 'masq' || method === 'fullnat';
}

/**
 * Whether replies pass the director. Replies of DR and Tun realservers normally go to the client
 * directly.
 */
export function repliesPassDirector(topology: Topology): boolean {
  return topology.repliesPass ?? repliesAreCounted(topology);
}

/**
 * The services of the lab, named as ulvsadm lists them (`TCP 10.0.0.100:80`, `FWM 1`), and the
 * protocols that each receives.
 */
export function servicesOf({ rules, marks = [] }: Topology): Service[] {
  const added = rules.filter((rule) => rule.startsWith('-A ')).map((rule) => rule.split(' '));
  return added.map(([, kind, address = '']) => {
    if (kind === '-t') return { name: `TCP ${address}`, tcp: true, udp: false };
    if (kind === '-u') return { name: `UDP ${address}`, tcp: false, udp: true };
    const mine = marks.filter((mark) => mark.endsWith(`--set-mark ${address}`));
    const takes = (protocol: string) => mine.some((mark) => !/ -p /.test(mark) || mark.includes(` -p ${protocol}`));
    return { name: `FWM ${address}`, tcp: takes('tcp'), udp: takes('udp') };
  });
}

export interface Service {
  readonly name: string;
  readonly tcp: boolean;
  readonly udp: boolean;
}
