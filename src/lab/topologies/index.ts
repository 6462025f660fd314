import type { Topology } from '../topology.js';
import { dr } from './dr.js';
import { fwmark } from './fwmark.js';
import { nat } from './nat.js';
import { natOneNetStaticRoutes } from './nat-one-net-static-routes.js';
import { natOneNetwork } from './nat-one-network.js';
import { natPolicyRoute } from './nat-policy-route.js';
import { natPortRemap } from './nat-port-remap.js';
import { natTwoIsps } from './nat-two-isps.js';
import { natTwoNetworks } from './nat-two-networks.js';
import { tun } from './tun.js';

/** The four of `lab demo`. */
export const basics: readonly Topology[] = [nat, dr, tun, fwmark];

/** A new lab is one file and one line here. */
export const topologies: readonly Topology[] = [
  ...basics,
  natTwoNetworks,
  natOneNetwork,
  natOneNetStaticRoutes,
  natTwoIsps,
  natPortRemap,
  natPolicyRoute,
];

export function findTopology(name: string): Topology {
  const found = topologies.find((topology) => topology.name === name);
  if (!found)
    throw new Error(`no lab is named "${name}"; there are ${topologies.map((topology) => topology.name).join(', ')}`);
  return found;
}
