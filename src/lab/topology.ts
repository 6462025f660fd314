/** What a lab is made of, as plain data: hosts with ports on segments, and what the director and the realservers serve. */

import type { DeviceKind } from '../device/kinds.js';
import type { Role } from '../doctor/facts.js';
import { isIPv6 } from '../wire/address.js';

/** The kind of a director's devices. */
export type LabDevice = DeviceKind;
/** How packets reach the realserver; replies of masq and full NAT come back through the director, the others' do not. */
export type Method = 'masq' | 'fullnat' | 'gatewaying' | 'ipip';

/** One network interface, plugged into a segment (an Ethernet of its own). `address` in CIDR form, '' for none. */
export interface Port {
  readonly dev: string;
  readonly segment: string;
  readonly mac: string;
  readonly address: string;
  /** Further addresses of the interface. */
  readonly also?: readonly string[];
}

/** `via` left out: the network is on the wire itself. `table`: another than main. */
export interface Route {
  readonly to: string;
  readonly via?: string;
  readonly dev: string;
  readonly table?: number;
}

/** `ip rule`: packets from this address (or network) ask that table. */
export interface Policy {
  readonly priority: number;
  readonly from: string;
  readonly table: number;
}

export interface Host {
  readonly name: string;
  readonly role: Role;
  readonly ports: readonly Port[];
  readonly routes?: readonly Route[];
  readonly policy?: readonly Policy[];
  /** Set before any address, so that e.g. arp_announce is in force when the VIP appears. */
  readonly sysctls?: Readonly<Record<string, number>>;
  /** The VIP on a realserver: on lo (DR), or on a veth that a decapsulator feeds (Tun). CIDR form. */
  readonly extra?: { readonly dev: string; readonly address: string };
  /** More for ip(8), a command a line without the word ip, when the rest is set up. */
  readonly ip?: readonly string[];
  /** The same, once the director runs. */
  readonly late?: readonly string[];
  /** Lines for nft(8). */
  readonly nft?: readonly string[];
  /** A director's devices where they are not its ports (a bridge of them). */
  readonly devices?: readonly Omit<Port, 'segment'>[];
}

/** Addresses and ports a realserver listens on. */
export interface Listeners {
  readonly addresses: readonly string[];
  readonly http: number;
  readonly echo: number;
  /** More ports for HTTP. */
  readonly alsoHttp?: readonly number[];
  /** The HTTP sockets take what TPROXY gives them (IP_TRANSPARENT). */
  readonly transparent?: boolean;
}

/** A service program: one a realserver, unless a topology says otherwise. `rip`: where the director's rules send to. */
export interface Server extends Listeners {
  readonly name: string;
  readonly host: string;
  readonly rip: string;
  /** Stands behind another service than the one that all checks are about, or behind none. */
  readonly beyond?: true;
}

/** A wire that is watched during all checks: the port of a host, packets in pcap's words, and whether there may be any. */
export interface Watch {
  readonly name: string;
  readonly host: string;
  readonly dev: string;
  readonly filter: string;
  readonly expect: 'none' | 'some';
}

/** `C`: the kind of check a topology adds of its own (lab/checks/run.ts has the type; only lab/checks reads the list). */
export interface Topology<C = unknown> {
  readonly name: string;
  readonly summary: string;
  readonly drawing: string;
  readonly method: Method;
  readonly hosts: readonly Host[];
  /** What clients connect to: one address, or many of a range. */
  readonly vips: readonly string[];
  readonly httpPort: number;
  readonly echoPort: number;
  readonly listeners: (realserver: Host) => Listeners;
  /** Instead of one a realserver. */
  readonly servers?: readonly Server[];
  /** ipvsadm -R lines. */
  readonly rules: readonly string[];
  readonly marks?: readonly string[];
  /** Ranges the director accepts without having an address in them. */
  readonly ranges?: readonly string[];
  /** Whether the director answers ARP for VIPs that no interface has; true when left out. */
  readonly arp?: boolean;
  /** Addresses that full NAT speaks from. */
  readonly sources?: readonly string[];
  /** Devices by which packets from our VIPs are forwarded. */
  readonly forwardShared?: readonly string[];
  /** The director's devices must be shared with the host's own stack (device/kinds.ts). */
  readonly hostStack?: true;
  /** Replies pass the director though the method does not need it (it is the realservers' router, or a server). */
  readonly repliesPass?: true;
  readonly watches?: readonly Watch[];
  /** The director's workers; one when left out. */
  readonly workers?: number;
  /** What this topology is for, on top of what is asked of all. */
  readonly checks?: readonly C[];
}

/** The address without the prefix length. */
export function bare(cidr: string): string {
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
  return bare(host.ports[0]!.address);
}

export function segments(topology: Topology): string[] {
  return [...new Set(topology.hosts.flatMap((host) => host.ports.map((port) => port.segment)))];
}

/** Every service program of the lab. */
export function servers(topology: Topology): readonly Server[] {
  return topology.servers ?? realservers(topology).map((host) => serverOn(host, topology.listeners(host)));
}

/** The one service program of a host. */
export function serverOn(host: Host, listeners: Listeners): Server {
  return { ...listeners, name: host.name, host: host.name, rip: addressOf(host) };
}

/** Those that answer what clients ask of the VIPs. */
export function balanced(topology: Topology): readonly Server[] {
  return servers(topology).filter(({ beyond }) => !beyond);
}

/** The address of an endpoint. */
export function addressIn(text: string): string {
  return /^\[(.*)\]/.exec(text)?.[1] ?? text.split(':')[0]!;
}

export function isSix({ vips }: Topology): boolean {
  return isIPv6(vips[0]!);
}

/** Connections of masq realservers are seen both ways, so that the director counts replies. */
export function repliesAreCounted({ method }: Topology): boolean {
  return method === 'masq' || method === 'fullnat';
}

/** Replies of masq realservers pass the director; those of DR and Tun realservers go to the client by themselves. */
export function repliesPassDirector(topology: Topology): boolean {
  return topology.repliesPass ?? repliesAreCounted(topology);
}

/** Names of the services as ulvsadm lists them (`TCP 10.0.0.100:80`, `FWM 1`), and what each takes. */
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
