/**
 * The guard of the gap: nft rules that stay when a director with a state is killed. The other
 * intercept rules go with it, the XDP programs too. Until the next director goes on with the
 * connections, the host's stack would answer their packets with RST where it has the address, or
 * forward replies of realservers as they are.
 *
 *     director lives     table ulvs_PID (or XDP) takes the packets; the guard has nothing to do
 *     killed             only the guard drops: clients and realservers wait and repeat
 *     the next one       installs its own rules, then removes those of the dead process
 *
 * A guard that cannot be installed is no reason not to run.
 */
import { spawnSync } from 'node:child_process';
import { NftIntercept } from '../../device/intercept/nft.js';
import type { InterceptRule } from '../../device/intercept/rule.js';
import type { InterceptDelta } from './intercept-set.js';

const NAME = 'kept_';

/** The guard of this process. */
export class GapGuard {
  private readonly nft = NftIntercept.kept(`${NAME}${process.pid}`);
  private isThere = false;

  /** Installs these rules on the interfaces that are there. */
  install(devices: readonly string[], rules: readonly InterceptRule[]): void {
    this.isThere = tried(() => this.nft.install(devices, rules));
  }

  /** Follows a change of the rules. */
  follow({ added, removed }: InterceptDelta): void {
    if (this.isThere && added.length + removed.length > 0) tried(() => this.nft.change(added, removed));
  }

  end(): void {
    if (this.isThere) tried(() => this.nft.remove());
  }
}

/** Removes the guards of processes that `isAlive` does not know. */
export function removeOldGuards(isAlive: (pid: number) => boolean): void {
  const { stdout } = spawnSync('nft', ['list', 'tables', 'netdev'], { encoding: 'utf8' });
  for (const [, pid] of (stdout ?? '').matchAll(/^table netdev ulvs_kept_(\d+)$/gm))
    if (!isAlive(Number(pid))) tried(() => NftIntercept.kept(`${NAME}${pid}`).remove());
}

function tried(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
