import type { Destination } from './destination.js';
import type { VirtualService } from './service.js';

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

/** One file each in src/schedulers, listed in its index. */
export interface Scheduler {
  readonly name: string;
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
