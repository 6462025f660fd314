/**
 * Goes on with the rules of a former process, as far as the configuration is what it was
 * (start.ts).
 */
import type { Logger } from 'pino';
import type { ChangeRequest, Timeouts } from '../api/api.js';
import type { Config } from '../config/config.js';
import { changes } from '../rules/diff.js';
import { reloadDiff } from '../rules/reload-diff.js';
import type { Requests } from '../server/requests.js';
import type { Base } from './journal.js';
import type { Inherited } from './keeper.js';
import { hasRules, startOf, timeoutsOf } from './start.js';

/**
 * Gives the requests the former rules and settings. `base`: what the configuration says. Returns
 * what the configuration changes of them; the caller applies it. The log says what is undone.
 */
export function resume(
  requests: Requests,
  config: Config,
  inherited: Inherited,
  base: Base,
  log: Logger,
): { timeouts: Timeouts; requests: ChangeRequest[] } {
  const { rules } = requests;
  requests.restore(inherited.actions);
  const running = rules.entries();
  const ran = { services: running, sysctl: inherited.sysctl ?? base.sysctl, timeouts: timeoutsOf(rules) };
  const start = startOf(base, inherited.base, ran, hasRules(config));
  if (start.isOther) requests.renameTable();
  const lost = start.isOther ? reloadDiff(inherited.base?.services ?? [], running, start.services) : [];
  for (const text of lost) log.warn(`undone by the start, because the file has changed: ${text}`);
  requests.set({ ...config, sysctl: start.sysctl, timeouts: start.timeouts });
  log.info({ services: rules.serviceCount }, 'goes on with the rules of the former process');
  return { timeouts: start.timeouts, requests: changes(running, start.services) };
}
