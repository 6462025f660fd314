/** A rule table without a dataplane: rules are checked by it before anything changes. */
import { ENGINE_NAMES } from '../../persistence/index.js';
import { SCHEDULER_NAMES } from '../../schedulers/index.js';
import type { AdminClient, AdminReply, AdminRequest } from '../api/api.js';
import { CHANGES } from '../api/changes.js';
import type { Config } from '../config/config.js';
import { proxied } from '../config/director-config.js';
import type { ZeroPoints } from '../rules/counter-base.js';
import { type CountersView, noCounters } from '../rules/counters.js';
import type { RulesRequest } from '../rules/outcome.js';
import { Rules } from '../rules/rules.js';

/** Requests that the rule table itself answers. */
const RULES: ReadonlySet<AdminRequest['op']> = new Set<RulesRequest['op']>([...CHANGES, 'getTimeouts', 'list']);

/**
 * An empty rule table with the timeouts and SYN proxies of a configuration. A table that is only
 * compared needs no counters.
 */
export function newRules(
  { timeouts, serviceOptions }: Pick<Config, 'timeouts' | 'serviceOptions'>,
  counters: CountersView = noCounters,
  zeroPoints?: ZeroPoints,
): Rules {
  const rules = new Rules({ schedulers: SCHEDULER_NAMES, engines: ENGINE_NAMES, counters, timeouts, zeroPoints });
  rules.proxy(proxied({ serviceOptions }));
  return rules;
}

/** A client of a rule table that forwards nothing. */
export function dryClient(rules: Rules): AdminClient {
  return { request: async (request) => dryAnswer(rules, request) };
}

function dryAnswer(rules: Rules, request: AdminRequest): AdminReply {
  if (request.op === 'batch') return { ok: true, replies: request.requests.map((one) => rules.request(one).reply) };
  return isRulesRequest(request) ? rules.request(request).reply : { ok: true };
}

function isRulesRequest(request: AdminRequest): request is RulesRequest {
  return RULES.has(request.op);
}
