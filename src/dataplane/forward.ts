/** A packet that is neither the director's nor a connection's: the director is a router, where the kernel is not one beside it. */
import { Drop } from '../stats/drops.js';
import type { Director } from './director.js';
import { drop, pass } from './fate.js';
import { fitsRoute, hasTime } from './hop.js';
import { deliverLocal } from './host.js';
import { usable } from './nexthop.js';
import { LOCAL_ROUTE } from './route.js';
import { send } from './send.js';
import { outgoing } from './snat.js';
import { refuseStray } from './stray.js';

export function forward(d: Director): void {
  const p = d.packet;
  if (!isMulticast(d) && d.sourceNat.rules.length !== 0 && outgoing(d)) return;
  if (isMulticast(d) || (d.links[p.device]!.shared && !refuseStray(d))) return pass(d);
  onward(d);
}

/** From a VIP that an interface of ours has: the kernel would call it a martian (RFC 1812, 5.3.7). */
export function isShared(d: Director): boolean {
  const { family, src, src6 } = d.packet;
  if (family === 4) return d.services.isVip4(src) && d.own.find(0, 0, 0, src, 0, 4) >= 0;
  const [a, b, c, e] = src6;
  return d.services.isVip6(src6) && d.own.find(a!, b!, c!, e!, 0, 6) >= 0;
}

/** The reply of a DR realserver whose router we are; from anywhere else somebody pretends to be us. */
export function forwardShared(d: Director): void {
  if (d.links[d.packet.device]!.forwardsShared) onward(d);
  else drop(d, Drop.badSource);
}

function onward(d: Director): void {
  const p = d.packet;
  if (!hasTime(d, 0)) return;
  const hop = usable(
    d,
    p.family === 4 ? d.router.lookup4(p.dst, p.src, p.mark) : d.router.lookup6(p.dst6, p.src6, p.mark),
    0,
  );
  if (hop === LOCAL_ROUTE) deliverLocal(d);
  else if (hop >= 0) {
    const { mtu } = d.router;
    if (fitsRoute(d, mtu, 0) && !refuseStray(d)) send(d, hop, mtu);
  }
}

function isMulticast(d: Director): boolean {
  const p = d.packet;
  return p.family === 4 ? p.dst >>> 28 >= 0xe : p.dst6[0]! >>> 24 === 0xff;
}
