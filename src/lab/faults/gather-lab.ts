/** A Site of a lab: what the doctor looks at in every namespace of it. */
import type { LabFacts, Site } from '../../doctor/facts.js';
import { gatherHost } from '../../doctor/gather-host.js';
import { type AskDirector, withArpAnswers } from '../../doctor/gather-site.js';
import { withProcess } from '../../doctor/process-director.js';
import { configPath, socketPath } from '../build/config.js';
import type { Lab } from '../build/lab.js';
import { namespaceOf, SWITCH, switchEnd } from '../names.js';
import { servers } from '../topology.js';

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
  return withArpAnswers({ director: said, hosts, arp: [], config, socket, lab: labFacts(lab) }, probe);
}

function labFacts({ id, spec }: Lab): LabFacts {
  const routes = spec.hosts.flatMap(({ name, routes: own = [] }) =>
    own.map(({ to, via, dev }) => ({ host: name, to, dev, ...(via !== undefined && { via }) })),
  );
  const farEnds = spec.hosts.flatMap(({ name, ports }) =>
    ports.map(({ dev }) => ({ host: name, dev, far: switchEnd(name, dev) })),
  );
  return { id, vips: spec.vips, routes, farEnds, programs: servers(spec).map(({ name, host }) => ({ name, host })) };
}
