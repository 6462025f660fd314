/** A rule table behind an AdminClient, for the tests of ulvsadm. */
import type { AdminClient } from '../../src/control/api/api.js';
import { noCounters } from '../../src/control/rules/counters.js';
import { Rules } from '../../src/control/rules/rules.js';
import { dryClient } from '../../src/control/server/dry-client.js';
import { offlineNames, PortNames } from '../../src/ulvsadm/names.js';

/** The schedulers of kernel 6.1. */
const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh'];

/** A rule table without a dataplane. */
export function inProcess(
  rules = new Rules({ schedulers: SCHEDULERS, engines: ['sip'], counters: noCounters }),
): AdminClient {
  return dryClient(rules);
}

/** The ports of /etc/services that occur in the recordings; the file of this machine may differ. */
export const recordedNames = offlineNames(
  new PortNames(`
discard 9/udp sink null
ftp 21/tcp
domain 53/tcp
domain 53/udp
http 80/tcp www
https 443/tcp
https 443/udp
http-alt 8080/tcp webcache
http-alt 8080/udp
sip 5060/tcp
sip 5060/udp
sip-tls 5061/udp
`),
);
