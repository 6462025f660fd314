/**
 * What the doctor looks at, gathered once as plain data: the director's services and every host it can see. Of a lab that is
 * all of them, of a director box only its own.
 */

import type { ServiceKey } from '../service/config.js';
import type { MarkRule } from '../service/mark.js';
import type { Chain } from './firewall.js';

/** What a host is in the LVS; `backup`: a second director. */
export type Role = 'client' | 'router' | 'director' | 'backup' | 'realserver';

export interface LinkFact {
  readonly dev: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** veth, bridge, ipip, tun …; '' where the kernel names none. */
  readonly kind: string;
  /** A lab's own kind of tunl0. */
  readonly tunnel?: boolean;
  /** The wire it is plugged into, in a lab. */
  readonly segment?: string;
  /** Checksums of what it sends are left for later. */
  readonly txChecksum?: boolean;
  /** Somebody's XDP program sees what comes in there first. */
  readonly xdp?: boolean;
  /** Its addresses and routes are in the director's process, not in the host. */
  readonly inProcess?: true;
}

/** IPv4 or IPv6, as ip(8) writes them. */
export interface AddressFact {
  readonly dev: string;
  readonly address: string;
  readonly length: number;
}

export interface RouteFact {
  readonly to: string;
  readonly length: number;
  readonly type: string;
  readonly table: string;
  readonly metric: number;
  readonly via?: string;
  readonly dev?: string;
}

/** IPv4 and IPv6 have rules of their own. */
export interface PolicyFact {
  readonly six: boolean;
  readonly priority: number;
  readonly table: string;
  /** '' for all. */
  readonly from: string;
  readonly length: number;
  /** It asks for more than a source address (a mark, a device). */
  readonly more: boolean;
}

export interface ListenerFact {
  readonly protocol: string;
  /** '*' for any, `0.0.0.0` or `::` for any of its family. */
  readonly address: string;
  /** Of a raw socket: the IP protocol. */
  readonly port: string;
}

export interface HostFacts {
  readonly name: string;
  readonly role: Role | 'switch';
  /** '' for the doctor's own. */
  readonly namespace: string;
  readonly links: readonly LinkFact[];
  readonly addresses: readonly AddressFact[];
  readonly routes: readonly RouteFact[];
  readonly policy: readonly PolicyFact[];
  /** Below net/ipv4: `ip_forward`, `conf/eth0/rp_filter`; of IPv6 `ipv6/conf/all/forwarding`. */
  readonly sysctls: Readonly<Record<string, number>>;
  readonly listeners: readonly ListenerFact[];
  readonly firewall: readonly Chain[];
}

export interface DestinationFact {
  readonly address: string;
  readonly port: number;
  readonly method: string;
  readonly weight: number;
  readonly persistConns: number;
  /** IPIP when left out. */
  readonly tunnel?: { readonly type: string };
}

export interface ServiceFact {
  readonly key: ServiceKey;
  readonly scheduler: string;
  readonly persistent: boolean;
  readonly destinations: readonly DestinationFact[];
}

export interface DeviceFact {
  readonly name: string;
  /** For words. */
  readonly kind: string;
  /** The host's stack has the interface too; else addresses and routes are in the process. */
  readonly shared: boolean;
  /** What the director intercepts on it, nobody else on the box sees. */
  readonly exclusive: boolean;
  readonly mac: string;
  readonly mtu: number;
  readonly addresses: readonly string[];
}

/** What the director says of itself and what its configuration says of it. */
export interface DirectorFacts {
  readonly services: readonly ServiceFact[];
  readonly pid: number;
  readonly devices: readonly DeviceFact[];
  readonly expireQuiescentTemplate: boolean;
  /** It answers a destination's packet that belongs to no connection by an ICMP error (nat_icmp_send). */
  readonly refusesStrays: boolean;
  readonly marks: readonly MarkRule[];
  readonly ranges: readonly string[];
  readonly forwardShared: readonly string[];
}

/** Who answered when somebody on the wire asked for a VIP, by ARP or neighbour discovery. */
export interface ArpAnswer {
  readonly vip: string;
  /** Host and device that asked. */
  readonly host: string;
  readonly dev: string;
  readonly macs: readonly string[];
}

export interface Site {
  readonly director: DirectorFacts;
  readonly hosts: readonly HostFacts[];
  readonly arp: readonly ArpAnswer[];
  /** For commands. */
  readonly config: string;
  readonly socket: string;
  readonly lab?: LabFacts;
}

export interface LabFacts {
  readonly id: string;
  /** Its clients connect to these. */
  readonly vips: readonly string[];
  /** As the topology has them: what was configured before anybody broke it. */
  readonly routes: readonly {
    readonly host: string;
    readonly to: string;
    readonly via?: string;
    readonly dev: string;
  }[];
  /** The other end of each port's veth, at the switch. */
  readonly farEnds: readonly { readonly host: string; readonly dev: string; readonly far: string }[];
  /** Service programs by host. */
  readonly programs: readonly { readonly name: string; readonly host: string }[];
}

export interface Finding {
  readonly id: string;
  /** The host that is to be mended. */
  readonly host: string;
  readonly wrong: string;
  readonly seen: string;
  readonly consequence: string;
  /** Shell commands, in this order. */
  readonly mend: readonly string[];
}

/** A check is a pure function; a new one is one file and one line in index.ts. */
export type Check = (site: Site) => Finding[];
