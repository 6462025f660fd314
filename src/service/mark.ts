/**
 * A mark rule as plain data: iptables' `-t mangle -A PREROUTING ... -j MARK`. control/mark parses
 * it, dataplane evaluates it, and device/intercept prints it as an nft rule. A frame comes in with
 * mark 0. Rules run in order. Each rule that matches changes the mark, and none ends the run.
 */
import type { Family } from './config.js';

/** Matches an address in a network. `address`: canonical text, host bits zero. */
export interface NetMatch {
  readonly address: string;
  readonly length: number;
  readonly negated: boolean;
}

/** Matches the incoming device. `name`: as in iptables; a trailing `+` stands for any rest. */
export interface DeviceMatch {
  readonly name: string;
  readonly negated: boolean;
}

/** Matches the IP protocol. */
export interface ProtocolMatch {
  readonly protocol: number;
  readonly negated: boolean;
}

/**
 * Matches a port in one of the ranges, both ends included. A later fragment has no ports and
 * matches no PortMatch, negated or not.
 */
export interface PortMatch {
  readonly ranges: readonly (readonly [low: number, high: number])[];
  readonly negated: boolean;
}

/** Matches TCP flags: (flags & mask) = value. FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32. */
export interface FlagMatch {
  readonly mask: number;
  readonly value: number;
  readonly negated: boolean;
}

/** Matches ICMP type and code; both ends of the range of codes are included. */
export interface IcmpMatch {
  readonly type: number;
  readonly code: readonly [low: number, high: number];
  readonly negated: boolean;
}

/** Matches the mark that earlier rules have set: (mark & mask) = value. Both are unsigned. */
export interface MarkMatch {
  readonly value: number;
  readonly mask: number;
  readonly negated: boolean;
}

/** A rule. Absent matches match everything. */
export interface MarkRule {
  /** As the administrator wrote it. */
  readonly text: string;
  /** Absent: both families. Set when an address or an ICMP type implies it. */
  readonly family?: Family;
  readonly device?: DeviceMatch;
  readonly src?: NetMatch;
  readonly dst?: NetMatch;
  readonly protocol?: ProtocolMatch;
  readonly sports?: PortMatch;
  readonly dports?: PortMatch;
  readonly tcpFlags?: FlagMatch;
  readonly icmp?: IcmpMatch;
  readonly mark?: MarkMatch;
  /**
   * The target, in the form of the kernel (xt_mark): mark = (mark & ~clear) ^ flip. Both are
   * unsigned.
   */
  readonly clear: number;
  readonly flip: number;
}

/** The `name` of a DeviceMatch stands for this device. */
export function namesDevice(pattern: string, device: string): boolean {
  return pattern.endsWith('+') ? device.startsWith(pattern.slice(0, -1)) : device === pattern;
}
