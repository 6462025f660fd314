/** A packet that is neither the director's nor a connection's: the director is a router, where the kernel is not one beside it. */
import type { Director } from './director.js';
import { pass } from './fate.js';
import { fitsRoute, hasTime } from './hop.js';
import { deliverLocal } from './host.js';
import { usable } from './nexthop.js';
import { LOCAL_ROUTE } from './route.js';
import { send } from './send.js';

export function forward(d: Director): void {
  const p = d.packet;
  if (d.links[p.device]!.shared) return pass(d);
  if (isMulticast(d)) return pass(d);
  if (!hasTime(d, 0)) return;
  const hop = usable(
    d,
    p.family === 4 ? d.router.lookup4(p.dst, p.src, p.mark) : d.router.lookup6(p.dst6, p.src6, p.mark),
    0,
  );
  if (hop === LOCAL_ROUTE) deliverLocal(d);
  else if (hop >= 0 && fitsRoute(d, d.router.mtu, 0)) send(d, hop, d.router.mtu);
}

function isMulticast(d: Director): boolean {
  const p = d.packet;
  return p.family === 4 ? p.dst >>> 28 >= 0xe : p.dst6[0]! >>> 24 === 0xff;
}
