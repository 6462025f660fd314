/** A Site of the box the doctor runs on: its own namespace alone. A lab's is gathered by lab/faults/gather-lab.ts. */
import type { DirectorFacts, Site } from './facts.js';
import { gatherHost } from './gather-host.js';
import { withProcess } from './process-director.js';
import { vipsOf } from './query.js';
import { askAll } from './who-has.js';

/** What the director on a socket says of itself, and its configuration file. */
export type AskDirector = (socket: string, config: string) => Promise<DirectorFacts>;

/** Only what the box itself shows. */
export async function gatherBox(ask: AskDirector, socket: string, config: string, probe: boolean): Promise<Site> {
  const [said, host] = await Promise.all([
    ask(socket, config),
    gatherHost({ name: 'director', role: 'director', namespace: '', segmentOf: new Map() }),
  ]);
  return withArpAnswers({ director: said, hosts: [withProcess(host, said, [])], arp: [], config, socket }, probe);
}

/** `probe`: the hosts ask on their wires who has the VIPs. */
export async function withArpAnswers(site: Site, probe: boolean): Promise<Site> {
  if (!probe) return site;
  const vips = new Set(site.director.services.flatMap((service) => vipsOf(site, service)));
  return { ...site, arp: await askAll(site.hosts, [...vips]) };
}
