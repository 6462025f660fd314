/**
 * Sends a client's packet by its connection's forwarding method (ip_vs_nat_xmit, ip_vs_dr_xmit,
 * ip_vs_tunnel_xmit, ip_vs_bypass_xmit; docs/ipvs-reference.md section 10).
 */

import {
  CONN_ANSWERED,
  CONN_FULLNAT,
  CONN_HELPER,
  CONN_NO_CPORT,
  CONN_SYNPROXY,
  WITH_SHIFTS,
} from '../../conntrack/entry.js';
import { fillClientPort } from '../../conntrack/expected.js';
import { Method } from '../../service/service.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import type { Director } from '../director.js';
import { ftpIn } from '../ftp/ftp.js';
import { deliverLocal } from '../host/local.js';
import { fullDnat } from '../nat/fullnat.js';
import { dnat } from '../nat/masq.js';
import { spliceFromClient } from '../nat/shift.js';
import { ipOutput } from '../output/ip-output.js';
import { LOCAL_ROUTE } from '../table/routes.js';
import { pathMtu, routeForward, usableOrDrop } from './next-hop.js';
import { decrementTtlOrDrop, fitsMtuOrDrop } from './ttl-mtu.js';
import { xmitTunnel } from './tunnel.js';

export function xmit(d: Director, entry: number): FinalVerdict {
  switch (d.connections.methodOf(entry)) {
    case Method.masq:
    case Method.fullnat:
      return xmitMasq(d, entry);
    case Method.ipip:
      return xmitTunnel(d, entry);
    case Method.local:
      return deliverLocal(d);
    default:
      // Gatewaying, and bypass: gatewaying to the address that the packet carries.
      return xmitGatewaying(d, entry);
  }
}

function xmitMasq(d: Director, entry: number): FinalVerdict {
  const flags = d.connections.flagsOf(entry);
  if ((flags & CONN_NO_CPORT) !== 0) fillClientPort(d.connections, entry, d.packet.sport);
  // Route to the destination (__ip_vs_get_out_rt).
  const hop = nextHop(d, entry);
  if (hop < 0 && hop !== LOCAL_ROUTE) return Verdict.dropped;
  const mtu = pathMtu(d, d.connections.destOf(entry));
  if (hop >= 0 && (!decrementTtlOrDrop(d, entry) || !fitsMtuOrDrop(d, mtu, entry))) return Verdict.dropped;
  // Let the helper read it, then rewrite it (ip_vs_app_pkt_in, dnat_handler).
  if ((flags & CONN_HELPER) !== 0 && !ftpIn(d, entry)) return Verdict.dropped;
  if ((flags & WITH_SHIFTS) === CONN_SYNPROXY && (flags & CONN_ANSWERED) !== 0)
    spliceFromClient(d, d.connections.seqAdjOf(entry));
  if ((flags & CONN_FULLNAT) !== 0) fullDnat(d, entry, mtu);
  else dnat(d, entry);
  return hop === LOCAL_ROUTE ? deliverLocal(d) : ipOutput(d, hop, mtu);
}

function xmitGatewaying(d: Director, entry: number): FinalVerdict {
  const hop = nextHop(d, entry);
  if (hop === LOCAL_ROUTE) return deliverLocal(d);
  // The path MTU does not count here: the kernel looks up the neighbour, not a path.
  const { mtu } = d.router;
  if (hop < 0 || !decrementTtlOrDrop(d, entry) || !fitsMtuOrDrop(d, mtu, entry)) return Verdict.dropped;
  return ipOutput(d, hop, mtu);
}

/** Returns a neighbour or LOCAL_ROUTE. Negative: the packet was dropped. */
function nextHop(d: Director, entry: number): number {
  return usableOrDrop(d, routeForward(d, entry), entry);
}
