/** A packet that is neither the director's nor a connection's: the director is a router, where the kernel is not one beside it. */
import type { Director } from './director.js';
import { pass } from './fate.js';
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
