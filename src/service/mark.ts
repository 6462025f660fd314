/**
 * A mark rule: iptables' `-t mangle -A PREROUTING ... -j MARK` as plain data. control parses the words, dataplane
 * evaluates them, the stealing of frames prints them as nft words: all three from this one shape.
 * A frame comes with mark 0; the rules run in order, each that matches changes the mark, none ends the run.
 */
import type { Family } from './config.js';

/** `address` in canonical text, host bits zero. */
export interface NetMatch {
  readonly address: string;
  readonly length: number;
  readonly negated: boolean;
}

/** `name` as iptables takes it: a trailing `+` stands for any rest. */
export interface DeviceMatch {
  readonly name: string;
  readonly negated: boolean;
}

export interface ProtocolMatch {
  readonly protocol: number;
  readonly negated: boolean;
}

/** Inclusive ranges, any of which may hold. A later fragment has no ports: it matches no PortMatch, negated or not. */
export interface PortMatch {
  readonly ranges: readonly (readonly [low: number, high: number])[];
  readonly negated: boolean;
}

/** (flags & mask) = value, for each FIN 1 SYN 2 RST 4 PSH 8 ACK 16 URG 32. */
export interface FlagMatch {
  readonly mask: number;
  readonly value: number;
  readonly negated: boolean;
}

export interface IcmpMatch {
  readonly type: number;
  readonly code: readonly [low: number, high: number];
  readonly negated: boolean;
}

/** (mark & mask) = value, of what the rules before it made; both `>>> 0`. */
export interface MarkMatch {
  readonly value: number;
  readonly mask: number;
  readonly negated: boolean;
}

export interface MarkRule {
  /** As the administrator wrote it. */
  readonly text: string;
  /** Absent: both families. Set whenever an address or an ICMP type implies it. */
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
  /** The target, as the kernel holds every form of it: mark = (mark & ~clear) ^ flip. Both `>>> 0`. */
  readonly clear: number;
  readonly flip: number;
}

/** Whether a device's name is meant by a DeviceMatch's `name`. */
export function namesDevice(pattern: string, device: string): boolean {
  return pattern.endsWith('+') ? device.startsWith(pattern.slice(0, -1)) : device === pattern;
}
