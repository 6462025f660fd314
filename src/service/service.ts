/**
 * Services, destinations and schedulers on the packet path.
 *
 *     VirtualService ── destinations (newest first) ──► Destination ── gauges ──► counters (shared memory)
 *           └─ schedule: Schedule, made by Scheduler.bind ──► chooses one of the destinations
 */
import { type Counters, GAUGES, Gauge } from '../stats/counters.js';
import { format4, format6 } from '../wire/address.js';
import { SVC_ONEPACKET, SVC_PERSISTENT } from './config.js';
import type { PersistenceEngine } from './persistence-engine.js';
import type { SynProxy } from './syn-proxy.js';
import { defaultSysctls, type Sysctls } from './sysctl.js';

/** Forwarding methods in connection entries: the numbers of IPVS (IP_VS_CONN_F_*), and fullnat. */
export const Method = { masq: 0, local: 1, ipip: 2, gatewaying: 3, bypass: 4, fullnat: 5 } as const;
export type MethodNumber = (typeof Method)[keyof typeof Method];
/** Encapsulations (IP_VS_CONN_F_TUNNEL_TYPE_*). */
export const TunnelKind = { ipip: 0, gue: 1, gre: 2 } as const;

/** Of all that is IPv4, of which there may be much; nobody writes it. */
const NO_ADDRESS6 = new Int32Array(4);

/**
 * A destination on the packet path. Its gauges lie in the shared counters under its slot, where
 * other threads read them. After its removal it stays, unavailable, while connections name its
 * slot. Adding the same destination again revives it (the kernel's dest_trash).
 */
export class Destination {
  /** IPv4 address as int32; IPv6 is in address6. */
  address = 0;
  address6: Int32Array = NO_ADDRESS6;
  family = 4;
  port = 0;
  method: number = Method.masq;
  weight = 1;
  /** The last weight above 0, by which mh fills its table. */
  lastWeight = 1;
  upperThreshold = 0;
  lowerThreshold = 0;
  tunnelKind: number = TunnelKind.ipip;
  tunnelPort = 0;
  /** 0 none, 1 csum, 2 remote csum. */
  tunnelChecksum = 0;
  /**
   * A packet was sent since a router first reported the path MTU (dataplane/path/icmp-tunnel.ts).
   */
  pathBound = false;
  /** False once removed from its service. */
  available = true;
  /** Templates bind no client to it any more. */
  draining = false;
  /** Its connections end: those of TCP by RST, those of UDP at once (dataplane/end-conns.ts). */
  endsTcp = false;
  endsUdp = false;

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

  /** The address as text: a text for each of very many would be work for V8's collector. */
  get text(): string {
    return this.family === 4 ? format4(this.address) : format6(this.address6);
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
  /** Connections that thresholds count; templates do not count. */
  get total(): number {
    return this.active + this.inactive;
  }
  /** `total` reached the upper threshold and has not fallen below the lower one since. */
  get overloaded(): boolean {
    return this.gauges[this.gaugeRow + Gauge.overloaded] !== 0;
  }
  set overloaded(is: boolean) {
    this.gauges[this.gaugeRow + Gauge.overloaded] = is ? 1 : 0;
  }
  /** Adds `n` to a Gauge. */
  add(gauge: number, n: number): void {
    if (this.shared) Atomics.add(this.gauges, this.gaugeRow + gauge, n);
    else this.gauges[this.gaugeRow + gauge]! += n;
  }

  /** Call after a connection was bound: at the upper threshold the destination is overloaded. */
  noteBound(): void {
    if (this.upperThreshold !== 0 && this.total >= this.upperThreshold) this.overloaded = true;
  }

  /**
   * Call after a connection was unbound: below the lower threshold, or without one below three
   * quarters of the upper, the destination is no longer overloaded (ip_vs_unbind_dest).
   */
  noteUnbound(): void {
    if (this.lowerThreshold !== 0) {
      if (this.total < this.lowerThreshold) this.overloaded = false;
    } else if (this.total * 4 < this.upperThreshold * 3 || this.upperThreshold === 0) {
      this.overloaded = false;
    }
  }

  /**
   * Call after thresholds were edited: from the upper one on it is overloaded, between the two it
   * stays as it was.
   */
  noteThresholds(): void {
    if (this.upperThreshold === 0) this.overloaded = false;
    else if (this.total >= this.upperThreshold) this.overloaded = true;
    else this.noteUnbound();
  }
}

/**
 * What a scheduler may read of the packet that opens a connection; PacketInfo of the dataplane is
 * one.
 */
export interface Arrival {
  readonly family: number;
  readonly protocol: number;
  /** IPv4 addresses as int32 in host order. */
  readonly src: number;
  readonly dst: number;
  readonly src6: Int32Array;
  readonly dst6: Int32Array;
  readonly sport: number;
  readonly dport: number;
  /**
   * The packet is one that an ICMP error quotes, with source and destination swapped. The kernel's
   * dh and lblc take the client for its destination.
   */
  readonly quoted?: boolean;
}

/**
 * The scheduler of one service, with its state. Changes of destinations are reported after they
 * were made.
 */
export interface Schedule {
  /**
   * The destination for a new connection; null: none. Called once per connection, allocates
   * nothing. `now` in ms.
   */
  schedule(arrival: Arrival, now: number): Destination | null;
  /** `index`: place in service.destinations, where a new destination is at 0. */
  destAdded?(index: number): void;
  /** `index`: former place in service.destinations. */
  destRemoved?(index: number): void;
  /** The weight or a threshold was edited. */
  destUpdated?(dest: Destination): void;
  /** Housekeeping, once a minute (lblc, lblcr); `now` in ms. */
  sweep?(now: number): void;
}

/**
 * A scheduler: a file in src/schedulers and a line in its index. Help, trace and documents take
 * their words from here.
 */
export interface Scheduler {
  readonly name: string;
  /** The rule by which it chooses, for a trace: `the least (active + 1) / weight`. */
  readonly chooses: string;
  /**
   * Names of the flags SVC_SCHED1, 2 and 3, in this order, as `ulvsadm -b` takes them; three at
   * most.
   */
  readonly flags?: readonly string[];
  /** Earlier choices change later ones. Several workers remember each for itself. */
  readonly remembers?: boolean;
  /**
   * The choice for a client depends on the order of the destinations. Directors of a fleet agree
   * only when their lists are equal, order included.
   */
  readonly ordered?: boolean;
  bind(service: VirtualService): Schedule;
}

/** The weight is above 0 and the destination is not overloaded. */
export function eligible(dest: Destination): boolean {
  return dest.weight > 0 && !dest.overloaded;
}

/**
 * The load that lc and wlc compare: an active connection counts as 256 inactive ones
 * (ip_vs_dest_conn_overhead).
 */
export function overhead(dest: Destination): number {
  return dest.active * 256 + dest.inactive;
}

/** A virtual service on the packet path. Its key is protocol, address and port, or the fwmark. */
export class VirtualService {
  /** As of keyText. */
  key = '';
  family = 4;
  protocol = 0;
  address = 0;
  address6: Int32Array = NO_ADDRESS6;
  port = 0;
  fwmark = 0;
  /** SVC_* bits. */
  flags = 0;
  /** Persistence timeout in seconds. */
  timeout = 0;
  /** Persistence granularity. IPv4: mask as int32. IPv6: prefix length. */
  netmask = -1;
  /**
   * The persistence engine. It may let servers open connections even when the service is not
   * persistent.
   */
  engine: PersistenceEngine | undefined;
  /** Idle times of its own, in ticks; undefined: it has none. */
  idle: { tcp: number; tcpfin: number; udp: number; shortest: number } | undefined;
  /** As in ServiceOptions. */
  resetIdle = false;
  resetRemoved = false;
  rescheduleUdp = false;
  /** The SYN proxy; undefined: the service never has one. */
  synProxy: SynProxy | undefined;
  /** False once deleted. Its destinations may stay longer, in the trash. */
  available = true;
  /** Newest first, as in the kernel. */
  readonly destinations: Destination[] = [];
  /** Name of the scheduler of `schedule`. */
  scheduler = '';
  schedule!: Schedule;

  /** `settings`: holds the current sysctls, which lblc and lblcr read; a Director is one. */
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

  /** Adds a destination at the head of the list. */
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
