/** What a lab is made of, as plain data: hosts with ports on segments, and what the director and the realservers serve. */
export type LabDevice = 'xdp' | 'packet' | 'tap';
export type Role = 'client' | 'router' | 'director' | 'realserver';
/** How packets reach the realserver; masq replies come back through the director, the others' do not. */
export type Method = 'masq' | 'gatewaying' | 'ipip';

/** One network interface, plugged into a segment (an Ethernet of its own). `address` in CIDR form. */
export interface Port {
  readonly dev: string;
  readonly segment: string;
  readonly mac: string;
  readonly address: string;
}

export interface Route {
  readonly to: string;
  readonly via: string;
  readonly dev: string;
}

export interface Host {
  readonly name: string;
  readonly role: Role;
  readonly ports: readonly Port[];
  readonly routes?: readonly Route[];
  /** Set before any address, so that e.g. arp_announce is in force when the VIP appears. */
  readonly sysctls?: Readonly<Record<string, number>>;
  /** The VIP on a realserver: on lo (DR), or on a TUN that a decapsulator feeds (Tun). CIDR form. */
  readonly extra?: { readonly dev: string; readonly address: string };
}

/** Addresses and ports a realserver listens on. */
export interface Listeners {
  readonly addresses: readonly string[];
  readonly http: number;
  readonly echo: number;
}

export interface Topology {
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
  /** ipvsadm -R lines. */
  readonly rules: readonly string[];
  readonly marks?: readonly string[];
  /** Ranges the director accepts without having an address in them. */
  readonly ranges?: readonly string[];
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

/** Replies of masq realservers pass the director; those of DR and Tun realservers go to the client by themselves. */
export function repliesPassDirector(topology: Topology): boolean {
  return topology.method === 'masq';
}

/** Names of the services as ulvsadm lists them: `TCP 10.0.0.100:80`, `FWM 1`. */
export function serviceNames({ rules }: Topology): { http: string; echo: string } {
  const words = { '-t': 'TCP', '-u': 'UDP', '-f': 'FWM' } as Record<string, string>;
  const names = rules.filter((rule) => rule.startsWith('-A ')).map((rule) => rule.split(' '));
  const [http = '', echo = ''] = names.map(([, kind, address]) => `${words[kind!]} ${address}`);
  return { http, echo };
}
