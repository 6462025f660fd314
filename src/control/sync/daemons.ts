/**
 * The synchronisation daemons of a director: at most one master and one backup, in the control
 * thread.
 *
 *     start, stop, configure ─┬─► SyncMaster: workers ─► group
 *                             └─► SyncBackup: group ─► workers
 */
import type { Errno } from '../api/api.js';
import type { Message } from '../engine/messages.js';
import { SyncAuth } from './auth.js';
import { SyncBackup } from './backup.js';
import { daemonOf, type SyncDaemon, type SyncOptions, type SyncRole } from './daemon.js';
import type { Common, SyncHost } from './host.js';
import { SyncMaster } from './master.js';
import { USUAL_DELAY } from './master-buffer.js';
import { newSyncStats, type SyncStats } from './stats.js';

/**
 * Connections of an answer that leave in one poll, by worker. The others wait in the ring, and the
 * worker waits for room there. A burst would not fit into the socket of a backup that is busy.
 */
const RESEND_MOST = 1000;

/** The key sync of director.yaml. */
export interface SyncConfig {
  readonly master?: SyncOptions | undefined;
  readonly backup?: SyncOptions | undefined;
  readonly key?: string | undefined;
  /** Age at which a message leaves that is not full, in ms. */
  readonly delay: number;
}

export class SyncDaemons {
  readonly stats: SyncStats = newSyncStats();
  private master: SyncMaster | undefined;
  private backup: SyncBackup | undefined;
  private auth: SyncAuth | undefined;
  /** What the configuration said last. */
  private configured: SyncConfig = { delay: USUAL_DELAY };
  private ports = 1;

  constructor(private readonly host: SyncHost) {}

  /** The interfaces that `config` names and the host does not have. */
  missing({ master, backup }: SyncConfig): string[] {
    const named = Object.entries({ master, backup }).filter(([, one]) => one !== undefined);
    return named
      .filter(([, one]) => this.host.net.mtu(one!.interface) === undefined)
      .map(([role, one]) => `sync.${role}.interface: there is no interface ${one!.interface}`);
  }

  /**
   * Starts and stops daemons as the configuration changed. Those that --start-daemon started stay,
   * unless the file names that role. Throws an Error of one line when a socket fails.
   */
  configure(config: SyncConfig): void {
    const last = this.configured;
    const isCommon = last.key === config.key && last.delay === config.delay;
    this.configured = config;
    if (last.key !== config.key) this.auth = config.key === undefined ? undefined : new SyncAuth(config.key);
    for (const role of ['master', 'backup'] as const) {
      const isSame = JSON.stringify(last[role]) === JSON.stringify(config[role]);
      if (isSame && (isCommon || this.daemonOf(role) === undefined)) continue;
      const wanted = config[role] ?? (isSame || last[role] === undefined ? this.daemonOf(role) : undefined);
      if (last[role] !== undefined || wanted !== undefined) this.stop(role);
      if (wanted !== undefined) this.start(role, wanted);
    }
  }

  /** Opens the sockets anew of an interface that was removed and made again. Call it at times. */
  refresh(): void {
    for (const one of [this.master, this.backup]) {
      if (one === undefined || !one.sockets.isStale()) continue;
      this.stop(one.daemon.role);
      this.start(one.daemon.role, one.daemon);
    }
  }

  /** Messages that tell a fresh worker which daemons run. */
  replay(): Message[] {
    const { master, backup } = this;
    return [
      ...(master === undefined ? [] : [master.message]),
      ...(backup === undefined ? [] : [{ kind: 'syncBackup' as const, running: true }]),
    ];
  }

  private daemonOf(role: SyncRole): SyncDaemon | undefined {
    return (role === 'master' ? this.master : this.backup)?.daemon;
  }

  /** No backup daemon still waits for the connections of the others. */
  get isSettled(): boolean {
    return this.backup?.isSettled ?? true;
  }

  list(): SyncDaemon[] {
    return [this.master, this.backup].flatMap((one) => (one === undefined ? [] : [one.daemon]));
  }

  /**
   * Returns an errno when the daemon was not started (start_sync_thread). Throws when a socket
   * fails.
   */
  start(role: SyncRole, options: SyncOptions): Errno | undefined {
    const mtu = this.host.net.mtu(options.interface);
    if (mtu === undefined) return 'ENODEV';
    if (this.daemonOf(role) !== undefined) return 'EEXIST';
    if (this.master === undefined && this.backup === undefined) this.countPorts();
    this.open(daemonOf(role, options, mtu));
    this.host.polling?.(true);
    return undefined;
  }

  private open(daemon: SyncDaemon): void {
    if (daemon.role === 'backup') this.backup = new SyncBackup(daemon, this.common);
    else
      this.master = new SyncMaster(daemon, this.common, this.configured.delay, (nonce) => nonce === this.backup?.nonce);
  }

  /** As in the kernel, the number of ports is that of the first daemon's start. */
  private countPorts(): void {
    const { sync_ports: ports } = this.host.sysctl();
    this.ports = ports;
  }

  stop(role: SyncRole): Errno | undefined {
    if (this.daemonOf(role) === undefined) return 'ESRCH';
    this.shut(role);
    this.host.polling?.(this.list().length > 0);
    return undefined;
  }

  /** The director ends: what waits is sent. */
  close(): void {
    this.poll(Number.POSITIVE_INFINITY);
    this.master?.flush();
    this.shut('master');
    this.shut('backup');
  }

  private shut(role: SyncRole): void {
    (role === 'master' ? this.master : this.backup)?.close();
    if (role === 'master') this.master = undefined;
    else this.backup = undefined;
  }

  /** Sends what the workers have written, and what is old enough. Call it every 20 ms or so. */
  poll(most = RESEND_MOST): void {
    this.backup?.poll();
    this.master?.poll(most);
  }

  private get common(): Common {
    const { host, ports, auth, stats } = this;
    return { host, ports, auth, stats };
  }
}
