/**
 * The model the packet path schedules by: a virtual service, its destinations, and the scheduler at work for it.
 *
 *     VirtualService ── destinations (newest first) ──► Destination ── gauges ──► counters (shared memory)
 *           └─ schedule: Schedule, made by Scheduler.bind ──► chooses one of the destinations
 */
import { type Counters, GAUGES, Gauge } from '../stats/counters.js';
import { SVC_ONEPACKET, SVC_PERSISTENT } from './config.js';
import type { PersistenceEngine } from './persistence-engine.js';
import { defaultSysctls, type Sysctls } from './sysctl.js';

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

/** What a scheduler may look at: the packet that opens a connection. PacketInfo of the dataplane is one. */
export interface Arrival {
  readonly family: number;
  readonly protocol: number;
  /** IPv4 addresses as signed int32. */
  readonly src: number;
  readonly dst: number;
  readonly src6: Int32Array;
  readonly dst6: Int32Array;
  readonly sport: number;
  readonly dport: number;
  /** It is the packet that an ICMP error quotes, turned round: what the kernel's dh and lblc take for its destination is the client. */
  readonly quoted?: boolean;
}

/** A scheduler at work for one service; its state lives here. Destination changes are told after they were made. */
export interface Schedule {
  /** The destination for a new connection, or null when none can take it. Called per connection: allocates nothing. */
  schedule(arrival: Arrival, now: number): Destination | null;
  /** `index` is where it stands, or stood, in service.destinations (new ones come to the head, index 0). */
  destAdded?(index: number): void;
  destRemoved?(index: number): void;
  /** Weight or thresholds were edited. */
  destUpdated?(dest: Destination): void;
  /** Housekeeping once a minute (lblc, lblcr); `now` in ms. */
  sweep?(now: number): void;
}

/** A scheduler: a file in src/schedulers and a line in its index. Help, trace and documents take their words from here. */
export interface Scheduler {
  readonly name: string;
  /** The rule by which it chooses, for a trace: `the least (active + 1) / weight`. */
  readonly chooses: string;
  /** Names of the flags SVC_SCHED1, 2 and 3, in this order, as `ulvsadm -b` takes them; three at most. */
  readonly flags?: readonly string[];
  /** Earlier choices change later ones. Several workers remember each for itself. */
  readonly remembers?: boolean;
  bind(service: VirtualService): Schedule;
}

/** Weight above 0 and not overloaded: what all schedulers but dh ask before they choose. */
export function eligible(dest: Destination): boolean {
  return dest.weight > 0 && !dest.overloaded;
}

/** The load that lc and wlc compare: IPVS of kernel 6.1 weighs an active connection like 256 inactive ones. */
export function overhead(dest: Destination): number {
  return dest.active * 256 + dest.inactive;
}

/** A virtual service on the packet path. Address and port are its key, or the fwmark is. */
export class VirtualService {
  family = 4;
  protocol = 0;
  address = 0;
  readonly address6 = new Int32Array(4);
  port = 0;
  fwmark = 0;
  /** SVC_* bits. */
  flags = 0;
  /** Persistence timeout in seconds. */
  timeout = 0;
  /** IPv4: mask as int32; IPv6: prefix length. */
  netmask = -1;
  /** The persistence engine, which may speak for servers even where nothing is persistent. */
  engine: PersistenceEngine | undefined;
  /** False once deleted; its destinations may outlive it in the trash. */
  available = true;
  /** In the kernel's order: newest first. */
  readonly destinations: Destination[] = [];
  /** Name of the scheduler that `schedule` is the work of. */
  scheduler = '';
  schedule!: Schedule;

  /** `settings` holds the sysctls as they are now (a Director does): lblc and lblcr ask for theirs. */
  constructor(
    readonly slot: number,
    readonly settings: { readonly sysctl: Sysctls } = { sysctl: defaultSysctls() },
  ) {}

  get persistent(): boolean {
    return (this.flags & SVC_PERSISTENT) !== 0;
  }
  get onePacket(): boolean {
    return (this.flags & SVC_ONEPACKET) !== 0;
  }

  add(dest: Destination): void {
    this.destinations.unshift(dest);
    this.schedule.destAdded?.(0);
  }
  remove(dest: Destination): void {
    const index = this.destinations.indexOf(dest);
    this.destinations.splice(index, 1);
    this.schedule.destRemoved?.(index);
  }
}
