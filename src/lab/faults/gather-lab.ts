/** Gathers the facts of a lab: every namespace of it. */
import type { Facts, LabFacts } from '../../doctor/facts.js';
import { gatherHost } from '../../doctor/gather-host.js';
import { type AskDirector, withArpAnswers } from '../../doctor/gather-machine.js';
import { withUnsharedDevices } from '../../doctor/unshared-devices.js';
import { configPath, socketPath } from '../build/config.js';
import type { Lab } from '../build/lab.js';
import { namespaceOf, SWITCH, switchEnd } from '../names.js';
import { servers } from '../topology.js';

/** With `probe`, requests on the wires who has each VIP. */
export async function gatherLab(lab: Lab, ask: AskDirector, probe = true): Promise<Facts> {
  const socket = socketPath(lab.id);
  const config = configPath(lab.id);
  const [directorFacts, ...gathered] = await Promise.all([
    ask(socket, config),
    gatherHost({ name: SWITCH, role: 'switch', namespace: namespaceOf(lab.id, SWITCH), segmentOf: new Map() }),
    ...lab.spec.hosts.map(({ name, role, ports, vip }) => {
      const tunnel = vip && vip.dev !== 'lo' ? { tunnel: vip.dev } : {};
      const segmentOf = new Map(ports.map(({ dev, segment }) => [dev, segment]));
      return gatherHost({ name, role, namespace: namespaceOf(lab.id, name), segmentOf, ...tunnel });
    }),
  ]);
  const spec = lab.spec.hosts.find(({ role }) => role === 'director')!;
  const hosts = gathered.map((host) =>
    host.role === 'director' ? withUnsharedDevices(host, directorFacts, spec.routes ?? []) : host,
  );
  return withArpAnswers({ director: directorFacts, hosts, arp: [], config, socket, lab: labFacts(lab) }, probe);
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
