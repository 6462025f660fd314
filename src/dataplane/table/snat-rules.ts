/**
 * The rules of `snat:`: which packets of realservers leave with another source address. Plain data,
 * pushed by the owner of the director.
 */
import * as ipv4 from '../../wire/ipv4.js';
import type { PacketInfo } from '../parse/packet.js';
import { covers } from './route-data.js';

export interface SnatRule {
  readonly family: number;
  /** The network whose packets leave with the source `to`. Four words each, IPv4 in the last. */
  readonly words: Int32Array;
  readonly length: number;
  readonly to: Int32Array;
  /** Only packets that leave by this link. −1: by any link but the one they arrived by. */
  readonly device: number;
}

/** Ports below belong to servers and are never used. */
export const FIRST_PORT = 1024;
const PORTS = 65536 - FIRST_PORT;
const source = new Int32Array(4);

export class SnatRules {
  rules: readonly SnatRule[] = [];
  private turn = 0;

  /** Returns the rule for the packet's source, undefined for none. */
  ruleFor(p: PacketInfo): SnatRule | undefined {
    if (p.family === 4) source[3] = p.src;
    else source.set(p.src6);
    for (const rule of this.rules) if (rule.family === p.family && covers(rule, source, p.family)) return rule;
    return undefined;
  }

  /** Returns true for an address that some rule uses as source. */
  has4(address: number): boolean {
    for (const { family, to } of this.rules) if (family === 4 && to[3] === address) return true;
    return false;
  }

  /** Returns true when control/host/intercept-rules.ts intercepts the packet because of snat. */
  takes(p: PacketInfo): boolean {
    if (this.rules.length === 0 || !hasPorts(p)) return false;
    return this.ruleFor(p) !== undefined || (p.dport >= FIRST_PORT && this.isTarget(p));
  }

  /** Returns the next port. Ports are used in turn, so that the first try is nearly always free. */
  nextPort(): number {
    this.turn = (this.turn + 1) % PORTS;
    return FIRST_PORT + this.turn;
  }

  private isTarget({ family, dst, dst6 }: PacketInfo): boolean {
    if (family === 4) return this.has4(dst);
    for (const { to } of this.rules)
      if (to[3] === dst6[3] && to[2] === dst6[2] && to[1] === dst6[1] && to[0] === dst6[0]) return true;
    return false;
  }
}

export function hasPorts({ protocol }: PacketInfo): boolean {
  return protocol === ipv4.TCP || protocol === ipv4.UDP || protocol === ipv4.SCTP;
}
