import type { Topology } from '../topology.js';
import { dr } from './dr.js';
import { fwmark } from './fwmark.js';
import { nat } from './nat.js';
import { tun } from './tun.js';

/** A new lab is one file and one line here. */
export const topologies: readonly Topology[] = [nat, dr, tun, fwmark];

export function findTopology(name: string): Topology {
  const found = topologies.find((topology) => topology.name === name);
  if (!found)
    throw new Error(`no lab is named "${name}"; there are ${topologies.map((topology) => topology.name).join(', ')}`);
  return found;
}
