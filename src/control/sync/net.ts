/**
 * The network as the daemons of synchronisation see it: UDP sockets of a live host (udp.ts), or the
 * frames of a director in process (frames.ts).
 */
import type { SyncDaemon } from './daemon.js';

/** `from`: the sender's address. */
export type OnDatagram = (bytes: Uint8Array, from: string) => void;

/** Sockets of one daemon, one for each of its ports. */
export interface SyncSockets {
  /** Sends to the group. `index`: which port. Returns false when too many messages wait. */
  send(bytes: Uint8Array, index: number): boolean;
  /** The address that messages leave from. */
  readonly from: string;
  /** The interface was removed and made anew: the sockets are those of the old one. */
  isStale(): boolean;
  close(): void;
}

export interface SyncNet {
  /** undefined: there is no such interface. */
  mtu(name: string): number | undefined;
  /** `ports`: how many, from the daemon's port on. Throws an Error of one line. */
  sender(daemon: SyncDaemon, ports: number, limits: SyncLimits): SyncSockets;
  receiver(daemon: SyncDaemon, ports: number, limits: SyncLimits, onDatagram: OnDatagram): SyncSockets;
}

/** sysctl sync_sock_size (bytes; 0: the system's default) and sync_qlen_max (messages). */
export interface SyncLimits {
  readonly socketSize: number;
  readonly queue: number;
}
