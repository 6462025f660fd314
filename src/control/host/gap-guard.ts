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
 * A guard that cannot be installed is no reason not to run. Nothing waits for it: it follows many
 * rules in slices, a little later.
 */
import { spawnSync } from 'node:child_process';
import { NftIntercept } from '../../device/intercept/nft.js';
import type { InterceptRule } from '../../device/intercept/rule.js';
import { allRules, type InterceptDelta, lengthOf, type RuleDelta } from './rule-counts.js';

const NAME = 'kept_';
/** Rules that follow at once; and those of a slice. */
const FEW = 100;
const SLICE = 1000;
/**
 * Time between two slices, in ms. While many rules come, they wait for the last of them, but no
 * longer than LONGEST_MS: the thread has other work then.
 */
const PAUSE_MS = 100;
const LONGEST_MS = 5000;

/** The guard of this process. */
export class GapGuard {
  private readonly nft = NftIntercept.kept(`${NAME}${process.pid}`);
  private isThere = false;
  /** Changes that are still to follow, in their order. */
  private readonly waiting: InterceptDelta[] = [];
  /** Slices of the change that follows now. */
  private slices: RuleDelta[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** When the oldest of them came, ms. */
  private since = 0;

  /** Installs these rules on the interfaces that are there. */
  install(devices: readonly string[], rules: readonly InterceptRule[]): void {
    this.forget();
    this.isThere = tried(() => this.nft.install(devices, rules));
  }

  /** Follows a change of the rules. */
  follow(delta: InterceptDelta): void {
    const length = lengthOf(delta);
    if (!this.isThere || length === 0) return;
    const isNext = this.waiting.length + this.slices.length === 0;
    if (isNext && length <= FEW) return this.change(allRules(delta));
    if (isNext) this.since = performance.now();
    this.waiting.push(delta);
    this.timer ??= setInterval(() => this.followOn(), PAUSE_MS).unref();
    if (performance.now() - this.since < LONGEST_MS) this.timer.refresh();
  }

  end(): void {
    this.forget();
    if (this.isThere) tried(() => this.nft.remove());
  }

  private followOn(): void {
    if (this.slices.length === 0) this.slices = this.waiting.splice(0, 1).flatMap(slicesOf);
    const next = this.slices.shift();
    if (next === undefined) this.forget();
    else this.change(next);
  }

  private change({ added, removed }: RuleDelta): void {
    tried(() => this.nft.change(added, removed));
  }

  private forget(): void {
    this.waiting.length = 0;
    this.slices = [];
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

function slicesOf(delta: InterceptDelta): RuleDelta[] {
  const { added, removed } = allRules(delta);
  const slices: RuleDelta[] = [];
  for (let i = 0; i < Math.max(added.length, removed.length); i += SLICE)
    slices.push({ added: added.slice(i, i + SLICE), removed: removed.slice(i, i + SLICE) });
  return slices;
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
