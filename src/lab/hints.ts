/** What to type next, once a lab is up. */

import { endpoint } from '../service/config.js';
import { configPath, socketPath } from './build/config.js';
import type { Lab } from './build/lab.js';
import { isRootless } from './build/rootless.js';
import { placesOf } from './faults/fault.js';
import { faults } from './faults/index.js';
import { typed } from './invocation.js';
import { namespaceOf } from './names.js';
import { realservers } from './topology.js';

export function howToTry(lab: Lab, director: boolean): string[] {
  const inside = (host: string) => `ip netns exec ${namespaceOf(lab.id, host)}`;
  const { vips, httpPort } = lab.spec;
  const first = realservers(lab.spec)[0]!.name;
  const socket = socketPath(lab.id);
  const fault = faults.find((one) => placesOf(one).includes(lab.topology));
  const ours = [
    `ulvsadm --socket ${socket} -Ln --stats`,
    `ulvsadm --socket ${socket} -Lnc`,
    `ulvs trace --socket ${socket} port ${httpPort}`,
    `ulvs doctor --lab ${lab.id}`,
    ...(fault ? [`ulvs lab break ${lab.id} ${fault.name}   # then the doctor again`] : []),
    ...(isRootless() ? [] : [`ulvs lab down ${lab.id}`]),
  ];
  const lines = [
    `lab ${lab.id} is up (${lab.device}). Try:`,
    `  ${inside('client')} curl -s ${quoted(`http://${endpoint(vips[0]!, httpPort)}/`)}`,
    `  ${inside('client')} curl -s ${quoted(`http://${endpoint(vips.at(-1)!, httpPort)}/big?bytes=50000000`)} | sha256sum`,
    `  ${inside(first)} tcpdump -ni eth0`,
    ...ours.map((words) => `  ${typed(words)}`),
  ];
  const start = `  ${inside('director')} ${typed(`ulvs run -c ${configPath(lab.id)}`)}`;
  return director ? lines : [...lines.slice(0, 1), start, ...lines.slice(1)];
}

/** A shell, and curl, would take brackets for a pattern. */
function quoted(url: string): string {
  return url.includes('[') ? `-g '${url}'` : url;
}
