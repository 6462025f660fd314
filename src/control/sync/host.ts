/** What the synchronisation daemons need of their director. */
import type { Sysctls } from '../../service/sysctl.js';
import type { Message } from '../engine/messages.js';
import type { SyncAuth } from './auth.js';
import type { SyncNet } from './net.js';
import type { SyncStats } from './stats.js';

export interface SyncHost {
  readonly net: SyncNet;
  send(message: Message): void;
  /** ms. */
  now(): number;
  sysctl(): Sysctls;
  readonly workers: number;
  /** Backups do not ask for everything, masters do not answer: as the kernel. */
  readonly plain?: boolean;
  /** From now on `poll` is needed, or no longer. */
  readonly polling?: (needed: boolean) => void;
}

/** What master and backup have in common. A daemon is started anew when something of it changes. */
export interface Common {
  readonly host: SyncHost;
  /** As of the first daemon's start. */
  readonly ports: number;
  /** undefined: messages are not signed. */
  readonly auth: SyncAuth | undefined;
  readonly stats: SyncStats;
}

/** Limits of the sockets, from the sysctls. */
export function limitsOf(host: SyncHost) {
  const sysctl = host.sysctl();
  return { socketSize: sysctl.sync_sock_size, queue: sysctl.sync_qlen_max };
}
