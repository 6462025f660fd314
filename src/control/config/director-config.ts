/** A director's whole configuration as plain data, every default filled in. Addresses and MACs are text in canonical form. */
import type { MarkRule } from '../../service/mark.js';
import type { Sysctls } from '../../service/sysctl.js';
import type { Timeouts } from '../api/api.js';

export type DeviceChoice = 'xdp' | 'packet' | 'tap' | 'cap' | 'auto';

export interface DeviceConfig {
  readonly name: string;
  readonly kind: DeviceChoice;
  /** Absent: the interface's own. */
  readonly mac?: string | undefined;
  /** With prefix lengths: 10.0.0.254/24. */
  readonly addresses: readonly string[];
  readonly mtu: number;
  readonly promiscuous: boolean;
}

export interface RouteConfig {
  /** A network; `default` is written out for its family. */
  readonly to: string;
  readonly via?: string | undefined;
  readonly dev: string;
  readonly src?: string | undefined;
  /** 254 is main. */
  readonly table: number;
  readonly mtu?: number | undefined;
  /** `via` is on the wire of `dev` though on no network of it. */
  readonly onlink: boolean;
}

export interface PolicyConfig {
  readonly priority: number;
  readonly table: number;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly iif?: string | undefined;
  readonly mark?: { readonly value: number; readonly mask: number } | undefined;
}

export interface NeighbourConfig {
  readonly ip: string;
  readonly dev: string;
  readonly mac: string;
}

/** VIP-less acceptance: packets for `ranges` are the director's though no device has the address. */
export interface AcceptConfig {
  /** Answer ARP (neighbour solicitations) for the ranges. Without it a router must send them here. */
  readonly arp: boolean;
  /** Answer echo requests for the ranges and send ICMP errors as them; without it they are mute, as the kernel's are. */
  readonly icmp: boolean;
  readonly ranges: readonly string[];
  /** Devices by which packets from our own VIPs are forwarded: the director is the DR realservers' router (HOWTO 7.5.2). */
  readonly forwardShared: readonly string[];
  /** Addresses of the director's own that full NAT speaks with to destinations; IPv4, on no interface, answered by ARP. */
  readonly sources: readonly string[];
  /** Full NAT tells destinations the client's address by the TOA option. */
  readonly toa: boolean;
}

/** What comes from the network `from` on its own account leaves as `to`. */
export interface SnatConfig {
  readonly from: string;
  readonly to: string;
  /** Only what leaves by it; absent: by whatever device it did not come in by. */
  readonly dev?: string | undefined;
}

/** A line as for `ipvsadm -R`, and where it stands. */
export interface RuleLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

export interface Config {
  /** The file it came from, as it was named. */
  readonly file: string;
  readonly devices: readonly DeviceConfig[];
  /** Where their names stand in the file, in their order. */
  readonly deviceLines: readonly number[];
  /** undefined: from the kernel. */
  readonly routes: readonly RouteConfig[] | undefined;
  readonly policy: readonly PolicyConfig[];
  readonly neighbours: readonly NeighbourConfig[];
  readonly marks: readonly MarkRule[];
  readonly accept: AcceptConfig;
  readonly sysctl: Sysctls;
  readonly timeouts: Timeouts;
  /** Ports the helper listens on; an empty list turns it off. */
  readonly helpers: { readonly ftp: readonly number[] };
  readonly snat: readonly SnatConfig[];
  readonly ruleLines: readonly RuleLine[];
  /** Absolute. */
  readonly rulesFile: string | undefined;
  /** Absolute path of the control socket. */
  readonly socket: string;
  readonly connections: { readonly max: number };
  readonly workers: number;
}

/** What may change while the director runs. */
export type Settings = Pick<Config, 'sysctl' | 'marks' | 'accept' | 'timeouts' | 'helpers' | 'snat'>;
