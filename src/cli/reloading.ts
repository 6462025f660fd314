/**
 * Reloads of a running director: by SIGHUP, and by requests of clients, which may name another file
 * and may ask for a dry run.
 */
import { statSync } from 'node:fs';
import type { Logger } from 'pino';
import type { AdminReply } from '../control/api/api.js';
import type { Config } from '../control/config/config.js';
import type { Daemon, Reloader } from '../control/daemon/daemon.js';
import type { Fleet } from '../control/fleet/fleet.js';
import type { ServiceManager } from '../control/host/service-manager.js';
import type { Peer } from '../sys/peer.js';

/** What a reload needs. */
export interface ReloadSite {
  /** Reads the director's configuration, or another file. Throws a ConfigError. */
  read(file?: string): Config;
  readonly log: Logger;
  readonly manager: ServiceManager;
  readonly fleet: Fleet | undefined;
}

const READ_BY_ALL = 0o004;

/**
 * Reloads, or says what a reload would do. After a mistake, logs it and keeps the running
 * configuration. `peer`: who asks; absent: a signal.
 */
export async function reloadFor(
  daemon: Daemon,
  { file, dryRun = false }: Parameters<Reloader>[0],
  peer: Peer | undefined,
  { read, log, manager, fleet }: ReloadSite,
): Promise<AdminReply> {
  if (!dryRun) manager.reloading();
  try {
    if (file !== undefined) mayRead(file, peer);
    const config = read(file);
    if (file !== undefined && config.rulesFile !== undefined) mayRead(config.rulesFile, peer);
    if (fleet === undefined ? config.rules !== undefined : !fleet.serves(config))
      throw new Error(`${config.file}: rules.etcd cannot change while the director runs: restart it`);
    const report = await daemon.reload(fleet?.complete(config) ?? config, dryRun);
    if (!dryRun) await fleet?.reloaded(daemon, config);
    return { ok: true, reload: report };
  } catch (error) {
    const { message } = error as Error;
    if (!dryRun) for (const line of message.split('\n')) log.error(`not reloaded: ${line}`);
    return { ok: false, errno: 'EINVAL', text: message };
  } finally {
    if (!dryRun) manager.ready(daemon.heartbeat.status());
  }
}

/**
 * The director may be root and the client not: lines of a file that the client cannot read must not
 * be in the director's error messages. A missing file is told by the reader.
 */
function mayRead(file: string, peer: Peer | undefined): void {
  if (peer === undefined || peer.uid === 0 || peer.uid === process.getuid?.()) return;
  const facts = statSync(file, { throwIfNoEntry: false });
  if (facts === undefined || facts.uid === peer.uid || (facts.mode & READ_BY_ALL) !== 0) return;
  throw new Error(`${file}: permission denied: it should belong to you, or be readable for all`);
}
