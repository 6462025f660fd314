import type { Topology } from '../topology.js';
import { dr } from './dr.js';
import { drBridge } from './dr-bridge.js';
import { drDirectorGateway } from './dr-director-gateway.js';
import { drLars } from './dr-lars.js';
import { drNoIpInterface } from './dr-no-ip-interface.js';
import { drOneNetwork } from './dr-one-network.js';
import { drTwoNetworks } from './dr-two-networks.js';
import { fwmark } from './fwmark.js';
import { fwmarkMultiport } from './fwmark-multiport.js';
import { fwmarkRange } from './fwmark-range.js';
import { macRouted } from './mac-routed.js';
import { nat } from './nat.js';
import { natOneNetStaticRoutes } from './nat-one-net-static-routes.js';
import { natOneNetwork } from './nat-one-network.js';
import { natPolicyRoute } from './nat-policy-route.js';
import { natPortRemap } from './nat-port-remap.js';
import { natTwoIsps } from './nat-two-isps.js';
import { natTwoNetworks } from './nat-two-networks.js';
import { tun } from './tun.js';
import { tunRemote } from './tun-remote.js';

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
  drOneNetwork,
  drTwoNetworks,
  drLars,
  drDirectorGateway,
  drBridge,
  drNoIpInterface,
  tunRemote,
  fwmarkMultiport,
  fwmarkRange,
  macRouted,
];

export function findTopology(name: string): Topology {
  const found = topologies.find((topology) => topology.name === name);
  if (!found)
    throw new Error(`no lab is named "${name}"; there are ${topologies.map((topology) => topology.name).join(', ')}`);
  return found;
}
