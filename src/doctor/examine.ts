/** The list of checks, and the function that runs them all. */
import { arpAnswers, unansweredVips } from './check/arp.js';
import { fragNeeded, neighbourDiscovery, replyFirewalls } from './check/firewalls.js';
import { listening } from './check/listeners.js';
import { acceptance, markRules } from './check/marks.js';
import { redirects, repliesByDirector } from './check/nat.js';
import { onSegment, routesToRealservers, tunnelMtu, wireMtu } from './check/paths.js';
import { interruptsOfWorkers, nodesOfWorkers } from './check/processors.js';
import { directorAsGateway, reversePath, tunnelEnds, vipPresent } from './check/realserver.js';
import { synAckRetries, templates, weights } from './check/services.js';
import type { Check, Facts, Finding } from './facts.js';
import { uniqueFindings } from './queries.js';

/** A new check is a function in check/ and a line here. */
const checks: readonly Check[] = [
  repliesByDirector,
  redirects,
  reversePath,
  vipPresent,
  arpAnswers,
  unansweredVips,
  listening,
  directorAsGateway,
  routesToRealservers,
  onSegment,
  tunnelEnds,
  tunnelMtu,
  wireMtu,
  fragNeeded,
  replyFirewalls,
  neighbourDiscovery,
  markRules,
  acceptance,
  weights,
  synAckRetries,
  templates,
  interruptsOfWorkers,
  nodesOfWorkers,
];

/** Runs every check on the facts and returns each finding once. Sends nothing. */
export function examine(facts: Facts): Finding[] {
  return uniqueFindings(checks.flatMap((check) => check(facts)));
}
