import { arpAnswers } from './check/arp.js';
import { fragNeeded, neighboursFound, repliesPass } from './check/firewalls.js';
import { listening } from './check/listeners.js';
import { acceptance, markRules } from './check/marks.js';
import { redirects, repliesByDirector } from './check/nat.js';
import { onSegment, routesToRealservers, tunnelMtu, wireMtu } from './check/paths.js';
import { directorAsGateway, reversePath, tunnelEnds, vipThere } from './check/realserver.js';
import { synAckRetries, templates, weights } from './check/services.js';
import type { Check, Finding, Site } from './facts.js';
import { unique } from './query.js';

/** A new check is a function and one line here. */
const checks: readonly Check[] = [
  repliesByDirector,
  redirects,
  reversePath,
  vipThere,
  arpAnswers,
  listening,
  directorAsGateway,
  routesToRealservers,
  onSegment,
  tunnelEnds,
  tunnelMtu,
  wireMtu,
  fragNeeded,
  repliesPass,
  neighboursFound,
  markRules,
  acceptance,
  weights,
  synAckRetries,
  templates,
];

export function examine(site: Site): Finding[] {
  return unique(checks.flatMap((check) => check(site)));
}
