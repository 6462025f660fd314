/** The list of topologies. */
import { LabError } from '../error.js';
import type { Topology } from '../topology.js';
import { dr } from './dr.js';
import { drBridge } from './dr-bridge.js';
import { drDirectorGateway } from './dr-director-gateway.js';
import { drForwardShared } from './dr-forward-shared.js';
import { drLars } from './dr-lars.js';
import { drLocalClient } from './dr-local-client.js';
import { drNoIpInterface } from './dr-no-ip-interface.js';
import { drOneNetwork } from './dr-one-network.js';
import { drTwoNetworks } from './dr-two-networks.js';
import { fleet } from './fleet.js';
import { forwardHook } from './forward-hook.js';
import { fullNat } from './full-nat.js';
import { fwmark } from './fwmark.js';
import { fwmarkMultiport } from './fwmark-multiport.js';
import { fwmarkRange } from './fwmark-range.js';
import { ipv6Dr } from './ipv6-dr.js';
import { ipv6Nat } from './ipv6-nat.js';
import { localnode } from './localnode.js';
import { macRouted } from './mac-routed.js';
import { nat } from './nat.js';
import { natOneNetStaticRoutes } from './nat-one-net-static-routes.js';
import { natOneNetwork } from './nat-one-network.js';
import { natPolicyRoute } from './nat-policy-route.js';
import { natPortRemap } from './nat-port-remap.js';
import { natTwoIsps } from './nat-two-isps.js';
import { natTwoNetworks } from './nat-two-networks.js';
import { pairDr, pairNat } from './pair.js';
import { proxyArpFailover } from './proxy-arp-failover.js';
import { threeTier } from './three-tier.js';
import { tpRealserver } from './tp-realserver.js';
import { tp22Realserver } from './tp22-realserver.js';
import { tproxyRealserver } from './tproxy-realserver.js';
import { tun } from './tun.js';
import { tunRemote } from './tun-remote.js';

/** The topologies of `lab demo`. */
export const basics: readonly Topology[] = [nat, dr, tun, fwmark];

/** A new topology is a file, two lines here and a row in docs (src/lab/README.md tells more). */
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
  drForwardShared,
  drBridge,
  drNoIpInterface,
  drLocalClient,
  localnode,
  tunRemote,
  fwmarkMultiport,
  fwmarkRange,
  macRouted,
  proxyArpFailover,
  forwardHook,
  tpRealserver,
  tp22Realserver,
  tproxyRealserver,
  threeTier,
  fullNat,
  ipv6Nat,
  ipv6Dr,
  pairNat,
  pairDr,
  fleet,
];

/** Throws a LabError with all names if there is no topology of this name. */
export function findTopology(name: string): Topology {
  const found = topologies.find((topology) => topology.name === name);
  if (!found)
    throw new LabError(
      `no lab is named "${name}"; there are ${topologies.map((topology) => topology.name).join(', ')}`,
    );
  return found;
}
