/**
 * The input of all checks, as plain data: the director's services, and every host that can be
 * inspected. In a lab these are all hosts; on a director's machine it is that machine alone.
 */

import type { ServiceKey } from '../service/config.js';
import type { MarkRule } from '../service/mark.js';
import type { Chain } from './firewall.js';
import type { ProcessorFacts } from './interrupts.js';

/** The part that a host plays in the LVS. `backup` is a second director. */
export type Role = 'client' | 'router' | 'director' | 'backup' | 'realserver';

/** A network interface. */
export interface LinkFact {
  readonly dev: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** The kernel's link kind: veth, bridge, ipip, tun …; '' for a physical device. */
  readonly kind: string;
  /** The veth of a lab by which a realserver's decapsulated packets arrive, in place of tunl0. */
  readonly tunnel?: boolean;
  /** The segment of the lab that the device is plugged into. */
  readonly segment?: string;
  /** ethtool's tx-checksumming: the device leaves TCP and UDP checksums partial. */
  readonly txChecksum?: boolean;
  /** An XDP program of any owner is attached. */
  readonly xdp?: boolean;
  /** The addresses and routes are in the director's process, not in the host's kernel. */
  readonly inProcess?: true;
}

/** An IPv4 or IPv6 address in ip(8)'s notation. */
export interface AddressFact {
  readonly dev: string;
  readonly address: string;
  readonly length: number;
}

/** A route of any table. */
export interface RouteFact {
  readonly to: string;
  readonly length: number;
  readonly type: string;
  readonly table: string;
  readonly metric: number;
  readonly via?: string;
  readonly dev?: string;
}

/** A policy rule (`ip rule`). IPv4 and IPv6 have separate lists. */
export interface PolicyFact {
  readonly six: boolean;
  readonly priority: number;
  readonly table: string;
  /** The source address; '' means all. */
  readonly from: string;
  readonly length: number;
  /**
   * The rule also matches something that the checks do not follow: a mark, a device, a destination.
   */
  readonly more: boolean;
}

/** A listening TCP socket, a UDP socket or a raw socket. */
export interface ListenerFact {
  readonly protocol: string;
  /** `*` for any address, `0.0.0.0` or `::` for any address of one family. */
  readonly address: string;
  /** The port; for a raw socket the IP protocol, as ss(8) prints it. */
  readonly port: string;
}

/** One host: what ip(8), ss(8), sysctl(8), nft(8) and ethtool(8) print there. */
export interface HostFacts {
  readonly name: string;
  readonly role: Role | 'switch';
  /** The network namespace; '' means the one that the doctor runs in. */
  readonly namespace: string;
  readonly links: readonly LinkFact[];
  readonly addresses: readonly AddressFact[];
  readonly routes: readonly RouteFact[];
  readonly policy: readonly PolicyFact[];
  /**
   * By path below /proc/sys/net/ipv4, as `ip_forward` or `conf/eth0/rp_filter`. Those of IPv6 begin
   * with `ipv6/`.
   */
  readonly sysctls: Readonly<Record<string, number>>;
  readonly listeners: readonly ListenerFact[];
  readonly firewall: readonly Chain[];
  /** CPUs, and what they receive. Left out: not gathered. */
  readonly processors?: ProcessorFacts;
}

/** A destination of a virtual service. */
export interface DestinationFact {
  readonly address: string;
  readonly port: number;
  readonly method: string;
  readonly weight: number;
  readonly persistConns: number;
  /** The tunnel type; IPIP if absent. */
  readonly tunnel?: { readonly type: string };
}

/** A virtual service. */
export interface ServiceFact {
  readonly key: ServiceKey;
  readonly scheduler: string;
  readonly persistent: boolean;
  readonly destinations: readonly DestinationFact[];
}

/** A device of the director; `kind` as in director.yaml. */
export interface DeviceFact {
  readonly name: string;
  /** The kind as in director.yaml; for texts only. */
  readonly kind: string;
  /**
   * The host's kernel has the interface, too. Otherwise addresses and routes are in the process.
   */
  readonly shared: boolean;
  /** Packets that the director intercepts are not seen by anybody else on the machine. */
  readonly exclusive: boolean;
  readonly mac: string;
  readonly mtu: number;
  readonly addresses: readonly string[];
}

/** What the director reports about itself, and what its configuration file adds. */
export interface DirectorFacts {
  readonly services: readonly ServiceFact[];
  readonly pid: number;
  readonly devices: readonly DeviceFact[];
  readonly expireQuiescentTemplate: boolean;
  /**
   * The sysctl nat_icmp_send: a packet from a destination without a connection is answered by an
   * ICMP error.
   */
  readonly refusesStrays: boolean;
  readonly marks: readonly MarkRule[];
  readonly ranges: readonly string[];
  readonly forwardShared: readonly string[];
  /** Routes of director.yaml, which a TAP director has in place of the kernel's. */
  readonly routes: readonly ConfiguredRoute[];
  /** VIPs for which the director itself does not answer ARP, and which no router sends here. */
  readonly unheard: readonly string[];
  /** Services that have a SYN proxy, always or in a flood. */
  readonly proxied: readonly ServiceKey[];
  /** CPUs and priority of the workers, of director.yaml. */
  readonly placement: { readonly workerCpus: readonly number[]; readonly isRealtime: boolean };
}

/** A route of director.yaml. Without `via` the network is on the wire. */
export interface ConfiguredRoute {
  readonly to: string;
  readonly via?: string;
  readonly dev: string;
}

/** The MACs that answered an ARP request or a neighbour solicitation for a VIP. */
export interface ArpAnswer {
  readonly vip: string;
  /** The host and the device that sent the request. */
  readonly host: string;
  readonly dev: string;
  readonly macs: readonly string[];
}

/** Everything that the checks may look at. */
export interface Facts {
  readonly director: DirectorFacts;
  readonly hosts: readonly HostFacts[];
  readonly arp: readonly ArpAnswer[];
  /** The director's configuration file and control socket, for the commands in `fix`. */
  readonly config: string;
  readonly socket: string;
  readonly lab?: LabFacts;
}

/** What is known about a lab beyond its hosts. */
export interface LabFacts {
  readonly id: string;
  /** The addresses that the lab's clients connect to. */
  readonly vips: readonly string[];
  /** The routes of the topology: the state before anybody changed anything. */
  readonly routes: readonly {
    readonly host: string;
    readonly to: string;
    readonly via?: string;
    readonly dev: string;
  }[];
  /** The switch's end of the veth of each port. */
  readonly farEnds: readonly { readonly host: string; readonly dev: string; readonly far: string }[];
  /** The service programs, and the host that each runs on. */
  readonly programs: readonly { readonly name: string; readonly host: string }[];
}

/** One thing that is wrong: what, how it was seen, what follows from it, and how to fix it. */
export interface Finding {
  readonly id: string;
  /** The host that the fix changes. */
  readonly host: string;
  readonly wrong: string;
  readonly seen: string;
  readonly consequence: string;
  /** Shell commands, to be run in this order. */
  readonly fix: readonly string[];
}

/** A check is a pure function of the facts. CONTRIBUTING and README.md tell how to add one. */
export type Check = (facts: Facts) => Finding[];
