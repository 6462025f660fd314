/**
 * Gathers the facts of a director's own machine: its namespace alone. The facts of a lab are
 * gathered by lab/faults/gather-lab.ts.
 */
import type { DirectorFacts, Facts } from './facts.js';
import { gatherHost } from './gather-host.js';
import { vipsOf } from './queries.js';
import { withUnsharedDevices } from './unshared-devices.js';
import { askAllVips } from './who-has.js';

/** Asks the director on a control socket about itself, and reads its configuration file. */
export type AskDirector = (socket: string, config: string) => Promise<DirectorFacts>;

/** Gathers the local machine. With `probe` the machine also asks by ARP who has each VIP. */
export async function gatherMachine(ask: AskDirector, socket: string, config: string, probe: boolean): Promise<Facts> {
  const [directorFacts, host] = await Promise.all([
    ask(socket, config),
    gatherHost({ name: 'director', role: 'director', namespace: '', segmentOf: new Map() }),
  ]);
  return withArpAnswers(
    {
      director: directorFacts,
      hosts: [withUnsharedDevices(host, directorFacts, directorFacts.routes)],
      arp: [],
      config,
      socket,
    },
    probe,
  );
}

/** With `probe`, adds who answers ARP and neighbour solicitations for each VIP, on every wire. */
export async function withArpAnswers(facts: Facts, probe: boolean): Promise<Facts> {
  if (!probe) return facts;
  const vips = new Set(facts.director.services.flatMap((service) => vipsOf(facts, service)));
  return { ...facts, arp: await askAllVips(facts.hosts, [...vips]) };
}
