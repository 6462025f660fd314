/**
 * Reload: replaces the running configuration by another: rules, marks, accept, sysctls, timeouts,
 * helpers, snat and routes. Everything or nothing: what can fail comes first.
 *
 *     fixed keys ─► dry run ─► interfaces ─► room for the rules ─► host ─► workers ─► sync, health, log
 *     └──────── a mistake: nothing has changed ──────────┘
 */
import type { ChangeRequest, ReloadReport, ServiceEntry } from '../api/api.js';
import type { Config } from '../config/config.js';
import { refuseFixed } from '../config/restart-only.js';
import { checkDestinations } from '../host/attach.js';
import { changes } from '../rules/diff.js';
import { reloadDiff } from '../rules/reload-diff.js';
import { logReload, reloadWords, replyWords } from '../rules/reload-words.js';
import type { Rules } from '../rules/rules.js';
import { baseOf, hasRules, timeoutsOf } from '../state/start.js';
import { checkProxied, checkSync, logWarnings, wantedRules } from './checks.js';
import type { Parts } from './parts.js';

/** What a reload does to the rule table. */
interface Difference {
  readonly running: readonly ServiceEntry[];
  readonly services: readonly ServiceEntry[];
  readonly requests: readonly ChangeRequest[];
}

/**
 * A configuration without rules keeps the services. One with rules undoes changes made by ulvsadm
 * since, and the log names them. A dry run changes nothing and says what would change. Rejects with
 * an Error, one line for each mistake.
 */
export async function reload(parts: Parts, config: Config, dryRun = false): Promise<ReloadReport> {
  if (parts.isHandingOver()) throw new Error('another process takes over from this director: reload that one');
  refuseFixed(parts.config, config);
  const wanted = await wantedRules(config, parts.around);
  if (parts.live === undefined) checkDestinations(config, wanted.entries());
  checkSync(parts, config);
  const difference = differenceTo(parts, config, wanted);
  const undone = reloadDiff(parts.loaded, difference.running, difference.services);
  const running = { ...parts.config, ...parts.requests.settings };
  const words = reloadWords(running, config, difference.requests, parts.before());
  const report = { changes: replyWords(words), undone };
  if (dryRun) return report;
  applyConfig(parts, config, wanted, difference);
  for (const text of undone) parts.log.warn(`undone by the reload: ${text}`);
  logWarnings(parts);
  logReload(words, parts.log);
  const count = words.words.length + words.more;
  parts.log.info({ services: difference.services.length, changes: count }, 'configuration reloaded');
  return report;
}

/** Throws when the table has no room for it. */
function differenceTo(parts: Parts, config: Config, wanted: Rules): Difference {
  const { rules } = parts.requests;
  const running = rules.entries();
  const services = hasRules(config) ? wanted.entries() : running;
  checkProxied(config, services);
  const requests = changes(running, services);
  const lack = rules.slots.lackOfRoom(requests);
  if (lack !== undefined) throw new Error(`${config.file}: ${lack}`);
  return { running, services, requests };
}

/** The host's stack first: it can still refuse. */
function applyConfig(parts: Parts, config: Config, wanted: Rules, { services, requests }: Difference): void {
  parts.host?.configure(services, config);
  parts.config = config;
  parts.loaded = services;
  parts.requests.set({ ...config, timeouts: timeoutsOf(wanted) });
  parts.change(timeoutsOf(wanted), requests);
  parts.keeper?.basedOn(baseOf(config, wanted));
  parts.sendNetwork();
  parts.sync.configure(config.sync);
  parts.health.configure(config.checks);
}
