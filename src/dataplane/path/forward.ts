/**
 * Forwards a packet that is neither the director's nor of a connection. The director is a router
 * where the host's stack does not see the frames (TAP); elsewhere it leaves the packet to the host.
 */
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import type { Director } from '../director.js';
import { deliverLocal } from '../host/local.js';
import { pass } from '../host/pass.js';
import { sendIcmp4, sendIcmp6 } from '../output/icmp-error.js';
import { ipOutput } from '../output/ip-output.js';
import { drop } from '../output/verdict.js';
import { BLACKHOLE, LOCAL_ROUTE } from '../table/routes.js';
import { decrementTtlOrDrop, fitsMtuOrDrop } from '../xmit/ttl-mtu.js';
import { snatOutgoing } from './snat.js';
import { refuseStray } from './stray-reply.js';

export function forward(d: Director): FinalVerdict {
  if (isMulticast(d)) return pass(d);
  const translated = d.snatRules.rules.length !== 0 ? snatOutgoing(d) : Verdict.none;
  if (translated !== Verdict.none) return translated;
  return d.links[d.packet.device]!.shared ? refuseStray(d) || pass(d) : routeOn(d);
}

/** As the kernel's ip_forward. */
function routeOn(d: Director): FinalVerdict {
  const p = d.packet;
  const hop = p.family === 4 ? d.router.lookup4(p.dst, p.src, p.mark) : d.router.lookup6(p.dst6, p.src6, p.mark);
  const { mtu } = d.router;
  if (hop === LOCAL_ROUTE) return deliverLocal(d);
  if (hop === BLACKHOLE) return drop(d, Drop.noRoute);
  if (hop < 0) return dropUnroutable(d);
  if (!decrementTtlOrDrop(d, 0) || !fitsMtuOrDrop(d, mtu, 0)) return Verdict.dropped;
  return refuseStray(d) || ipOutput(d, hop, mtu);
}

/**
 * A router without a route sends "network unreachable", before it checks the TTL (the kernel's
 * ip_error).
 */
function dropUnroutable(d: Director): FinalVerdict {
  if (d.packet.family === 4) sendIcmp4(d, icmp.UNREACHABLE, icmp.NET_UNREACHABLE, 0, false);
  else sendIcmp6(d, icmp6.UNREACHABLE, icmp6.NO_ROUTE, 0, false);
  return drop(d, Drop.noRoute);
}

function isMulticast(d: Director): boolean {
  const p = d.packet;
  return p.family === 4 ? p.dst >>> 28 >= 0xe : p.dst6[0]! >>> 24 === 0xff;
}
