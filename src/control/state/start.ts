/**
 * The rules with which a director starts that goes on with a state. While director.yaml says what
 * the former process read, the changes of ulvsadm come back. A file that says something else wins,
 * as at a reload, and the log says what it undoes. Services, timeouts and sysctls are each judged
 * alone.
 *
 *     file then = file now ─► what ran          file then ≠ file now ─► the file; no rules in it: what ran
 */
import { isDeepStrictEqual } from 'node:util';
import type { ServiceEntry } from '../api/api.js';
import type { Config } from '../config/config.js';
import { NO_STATS } from '../rules/counters.js';
import type { Rules } from '../rules/rules.js';
import type { Base } from './journal.js';

/** What to start with. */
export interface Start extends Base {
  /**
   * The file is not what it was: what of the rules of the former process is undone must be said.
   */
  readonly isOther: boolean;
}

/** `then`: the file when the former process read it; `ran`: what that process had at its end. */
export function startOf(now: Base, then: Base | undefined, ran: Base, hasRules: boolean): Start {
  const isSame = (of: keyof Base) => then !== undefined && isDeepStrictEqual(plain(then[of]), plain(now[of]));
  const isOther = hasRules && !isSame('services');
  return {
    isOther,
    services: isOther ? now.services : ran.services,
    sysctl: isSame('sysctl') ? ran.sysctl : now.sysctl,
    timeouts: isSame('timeouts') ? ran.timeouts : now.timeouts,
  };
}

/** Services without their counts, which are no part of a configuration. */
export function withoutCounts(services: readonly ServiceEntry[]): ServiceEntry[] {
  return services.map((service) => ({
    ...service,
    stats: NO_STATS,
    destinations: service.destinations.map((destination) => {
      return { ...destination, stats: NO_STATS, activeConns: 0, inactConns: 0, persistConns: 0 };
    }),
  }));
}

/** As it comes back from a file. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** What a configuration says. `wanted`: the rule table that its rules make. */
export function baseOf(config: Config, wanted: Rules): Base {
  return { services: withoutCounts(wanted.entries()), sysctl: config.sysctl, timeouts: timeoutsOf(wanted) };
}

/** The configuration has rules; otherwise what ran stays. */
export function hasRules({ ruleLines, rulesFile, rules }: Config): boolean {
  return ruleLines.length > 0 || rulesFile !== undefined || rules !== undefined;
}

/** The timeouts of the configuration, or of a `--set` among its rules. */
export function timeoutsOf(rules: Rules): Config['timeouts'] {
  const { reply } = rules.request({ op: 'getTimeouts' });
  if (!reply.ok || reply.timeouts === undefined) throw new Error('a rule table without timeouts');
  return reply.timeouts;
}
