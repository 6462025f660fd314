import { type Counters, GAUGES, Gauge } from '../stats/counters.js';
import type { VirtualService } from './service.js';

/** Forwarding methods as the connection entry stores them: IPVS's own numbers (IP_VS_CONN_F_*), and full NAT, which IPVS has not. */
export const Method = { masq: 0, local: 1, ipip: 2, gatewaying: 3, bypass: 4, fullnat: 5 } as const;
export type MethodNumber = (typeof Method)[keyof typeof Method];
export const TunnelKind = { ipip: 0, gue: 1, gre: 2 } as const;

/**
 * A destination on the packet path: what the scheduler looks at and where xmit sends to. Its connection gauges live in
 * the shared counters under its slot, so that anyone may read them. After removal it stays here, unavailable, for as long
 * as connections name its slot: adding the same destination again revives it (IPVS's "trash").
 */
export class Destination {
  /** The address as the administrator sees it. */
  text = '';
  /** IPv4 address, signed int32; for IPv6 the four words are in address6. */
  address = 0;
  readonly address6 = new Int32Array(4);
  family = 4;
  port = 0;
  method: number = Method.masq;
  weight = 1;
  /** The last weight that was not 0: mh keeps its table by it. */
  lastWeight = 1;
  upperThreshold = 0;
  lowerThreshold = 0;
  tunnelKind: number = TunnelKind.ipip;
  tunnelPort = 0;
  /** 0 none, 1 csum, 2 remote csum. */
  tunnelChecksum = 0;
  /** A packet went its way since a router first spoke of the path's MTU (dataplane/path/icmp-tunnel.ts). */
  pathBound = false;
  /** False once removed from its service. */
  available = true;

  private readonly gauges: Int32Array;
  private readonly gaugeRow: number;
  private readonly shared: boolean;

  constructor(
    readonly slot: number,
    public service: VirtualService,
    readonly counters: Counters,
  ) {
    this.gauges = counters.gauges;
    this.shared = counters.shared;
    this.gaugeRow = slot * GAUGES;
  }

  get active(): number {
    return this.gauges[this.gaugeRow + Gauge.active]!;
  }
  get inactive(): number {
    return this.gauges[this.gaugeRow + Gauge.inactive]!;
  }
  get persistent(): number {
    return this.gauges[this.gaugeRow + Gauge.persistent]!;
  }
  get references(): number {
    return this.gauges[this.gaugeRow + Gauge.references]!;
  }
  /** What thresholds look at; templates do not count. */
  get total(): number {
    return this.active + this.inactive;
  }
  /** Total connections reached the upper threshold and have not fallen below the lower one. */
  get overloaded(): boolean {
    return this.gauges[this.gaugeRow + Gauge.overloaded] !== 0;
  }
  set overloaded(is: boolean) {
    this.gauges[this.gaugeRow + Gauge.overloaded] = is ? 1 : 0;
  }
  add(gauge: number, n: number): void {
    if (this.shared) Atomics.add(this.gauges, this.gaugeRow + gauge, n);
    else this.gauges[this.gaugeRow + gauge]! += n;
  }

  /** After a connection was bound: reaching the upper threshold closes the door. */
  noteBound(): void {
    if (this.upperThreshold !== 0 && this.total >= this.upperThreshold) this.overloaded = true;
  }

  /** After a connection was unbound: below the lower threshold, or three quarters of the upper, it opens again. */
  noteUnbound(): void {
    if (this.lowerThreshold !== 0) {
      if (this.total < this.lowerThreshold) this.overloaded = false;
    } else if (this.total * 4 < this.upperThreshold * 3 || this.upperThreshold === 0) {
      this.overloaded = false;
    }
  }

  /** After the thresholds were edited: at or over the upper one sets, under the low mark clears, between keeps. */
  noteThresholds(): void {
    if (this.upperThreshold === 0) this.overloaded = false;
    else if (this.total >= this.upperThreshold) this.overloaded = true;
    else this.noteUnbound();
  }
}
