/** What to type next, once a lab is up. */
import { configPath, socketPath } from './config.js';
import type { Lab } from './lab.js';
import { namespaceOf, program } from './names.js';
import { isRootless } from './rootless.js';
import { endpoint, realservers } from './topology.js';

export function howToTry(lab: Lab, director: boolean): string[] {
  const inside = (host: string) => `ip netns exec ${namespaceOf(lab.id, host)}`;
  const { vips, httpPort } = lab.spec;
  const first = realservers(lab.spec)[0]!.name;
  const adm = `node ${program('cli/ulvsadm.js')} --socket ${socketPath(lab.id)}`;
  const lines = [
    `lab ${lab.id} is up (${lab.device}). Try:`,
    `  ${inside('client')} curl -s ${quoted(`http://${endpoint(vips[0]!, httpPort)}/`)}`,
    `  ${inside('client')} curl -s ${quoted(`http://${endpoint(vips.at(-1)!, httpPort)}/big?bytes=50000000`)} | sha256sum`,
    `  ${inside(first)} tcpdump -ni eth0`,
    `  ${adm} -Ln --stats`,
    `  ${adm} -Lnc`,
    ...(isRootless() ? [] : [`  node ${program('cli/main.js')} lab down ${lab.id}`]),
  ];
  const start = `  ${inside('director')} node ${program('cli/main.js')} run -c ${configPath(lab.id)}`;
  return director ? lines : [...lines.slice(0, 1), start, ...lines.slice(1)];
}

/** A shell, and curl, would take brackets for a pattern. */
function quoted(url: string): string {
  return url.includes('[') ? `-g '${url}'` : url;
}
