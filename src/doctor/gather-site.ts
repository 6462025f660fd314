/** A Site of a lab (every namespace of it) or of the box the doctor runs on (its own namespace alone). */
import { configPath, socketPath } from '../lab/build/config.js';
import type { Lab } from '../lab/build/lab.js';
import { namespaceOf, SWITCH } from '../lab/names.js';
import { servers } from '../lab/topology.js';
import type { DirectorFacts, LabFacts, Site } from './facts.js';
import { gatherHost } from './gather-host.js';
import { withProcess } from './process-director.js';
import { vipsOf } from './query.js';
import { askAll } from './who-has.js';

/** What the director on a socket says of itself, and its configuration file. */
export type AskDirector = (socket: string, config: string) => Promise<DirectorFacts>;

/** `probe`: who has the VIPs is asked on the wires, too. */
export async function gatherLab(lab: Lab, ask: AskDirector, probe = true): Promise<Site> {
  const socket = socketPath(lab.id);
  const config = configPath(lab.id);
  const [said, ...looked] = await Promise.all([
    ask(socket, config),
    gatherHost({ name: SWITCH, role: 'switch', namespace: namespaceOf(lab.id, SWITCH), segmentOf: new Map() }),
    ...lab.spec.hosts.map(({ name, role, ports, extra }) => {
      const tunnel = extra && extra.dev !== 'lo' ? { tunnel: extra.dev } : {};
      const segmentOf = new Map(ports.map(({ dev, segment }) => [dev, segment]));
      return gatherHost({ name, role, namespace: namespaceOf(lab.id, name), segmentOf, ...tunnel });
    }),
  ]);
  const spec = lab.spec.hosts.find(({ role }) => role === 'director')!;
  const hosts = looked.map((host) => (host.role === 'director' ? withProcess(host, said, spec.routes ?? []) : host));
  return finish({ director: said, hosts, arp: [], config, socket, lab: labFacts(lab) }, probe);
}

/** Only what the box itself shows. */
export async function gatherBox(ask: AskDirector, socket: string, config: string, probe: boolean): Promise<Site> {
  const [said, host] = await Promise.all([
    ask(socket, config),
    gatherHost({ name: 'director', role: 'director', namespace: '', segmentOf: new Map() }),
  ]);
  return finish({ director: said, hosts: [withProcess(host, said, [])], arp: [], config, socket }, probe);
}

async function finish(site: Site, probe: boolean): Promise<Site> {
  if (!probe) return site;
  const vips = new Set(site.director.services.flatMap((service) => vipsOf(site, service)));
  return { ...site, arp: await askAll(site.hosts, [...vips]) };
}

function labFacts({ id, spec }: Lab): LabFacts {
  const routes = spec.hosts.flatMap(({ name, routes: own = [] }) =>
    own.map(({ to, via, dev }) => ({ host: name, to, dev, ...(via !== undefined && { via }) })),
  );
  return { id, vips: spec.vips, routes, programs: servers(spec).map(({ name, host }) => ({ name, host })) };
}
