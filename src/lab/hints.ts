/** Hints that `lab up` prints: what to type next. */

import { endpoint } from '../service/config.js';
import { configPath, socketPath } from './build/config.js';
import type { Lab } from './build/lab.js';
import { isRootless } from './build/rootless.js';
import { topologiesOf } from './faults/fault.js';
import { faults } from './faults/index.js';
import { invocation } from './invocation.js';
import { addressOf, realservers } from './topology.js';

/**
 * The hints for a lab that is up, one a line. Without a director (`director` false) the first one
 * tells how to start it.
 */
export function hintsFor(lab: Lab, director: boolean): string[] {
  const inside = (host: string) => invocation(`ulvs lab exec ${lab.id} ${host} --`);
  const { vips, httpPort, hosts } = lab.spec;
  const client = addressOf(hosts.find(({ name }) => name === 'client')!);
  const first = realservers(lab.spec)[0]!.name;
  const socket = socketPath(lab.id);
  const fault = faults.find((one) => topologiesOf(one).includes(lab.topology));
  const ours = [
    `ulvsadm --socket ${socket} -Ln --stats`,
    `ulvsadm --socket ${socket} -Lnc`,
    `ulvs trace --socket ${socket} host ${client}   # then curl on another terminal`,
    `ulvs doctor --lab ${lab.id}`,
    ...(fault ? [`ulvs lab break ${lab.id} ${fault.name}   # then run the doctor again, and its fix`] : []),
    ...(isRootless() ? [] : [`ulvs lab down ${lab.id}`]),
  ];
  const lines = [
    `lab ${lab.id} is up (devices of kind ${lab.device}). Try:`,
    `  ${inside('client')} curl -s ${quoted(`http://${endpoint(vips[0]!, httpPort)}/`)}`,
    `  ${inside('client')} curl -s ${quoted(`http://${endpoint(vips.at(-1)!, httpPort)}/big?bytes=50000000`)} | wc -c`,
    `  ${inside(first)} tcpdump -ni eth0`,
    ...ours.map((words) => `  ${invocation(words)}`),
  ];
  const start = `  ${inside('director')} ${invocation(`ulvs run -c ${configPath(lab.id)}`)}`;
  return director ? lines : [...lines.slice(0, 1), start, ...lines.slice(1)];
}

/** Quotes an IPv6 URL: the shell and curl would take its brackets for a pattern. */
function quoted(url: string): string {
  if (url.includes('[')) return `-g '${url}'`;
  return url.includes('?') ? `'${url}'` : url;
}
