/** A daemon of connection synchronisation: its options, with the kernel's defaults and limits. */
import { isIPv6 } from '../../wire/address.js';
import { GROUP, PORT } from '../../wire/sync.js';

export type SyncRole = 'master' | 'backup';

/** What --start-daemon may say; what it leaves out has a default. */
export interface SyncOptions {
  readonly interface: string;
  /** 0 to 255. A backup with 0 takes the messages of every id. */
  readonly syncid: number;
  /** Bytes of a message. */
  readonly maxlen?: number | undefined;
  readonly group?: string | undefined;
  readonly port?: number | undefined;
  readonly ttl?: number | undefined;
}

/** A running daemon, as `ulvsadm -L --daemon` shows it. */
export interface SyncDaemon {
  readonly role: SyncRole;
  readonly interface: string;
  readonly syncid: number;
  readonly maxlen: number;
  readonly group: string;
  readonly port: number;
  readonly ttl: number;
}

const ETHERNET_MTU = 1500;
const UDP_HEADER = 8;
const LONGEST = 65_535;
/** The smallest --sync-maxlen of a backup. */
const BACKUP_SHORTEST = 1024;

/** The daemon with all options filled in (start_sync_thread). `mtu`: of the interface. */
export function daemonOf(role: SyncRole, options: SyncOptions, mtu: number): SyncDaemon {
  const { interface: name, syncid, maxlen, group = GROUP, port = PORT, ttl = 1 } = options;
  const headers = (isIPv6(group) ? 40 : 20) + UDP_HEADER;
  const usual = role === 'backup' ? Math.min(Math.max(mtu, ETHERNET_MTU), LONGEST) : ETHERNET_MTU;
  const shortest = role === 'backup' ? BACKUP_SHORTEST : 1;
  const length = maxlen === undefined ? usual - headers : Math.min(Math.max(maxlen, shortest), LONGEST - headers);
  return { role, interface: name, syncid, maxlen: length, group, port, ttl };
}
