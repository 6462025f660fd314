/**
 * Packets whose source is a VIP that an interface of the director has. The kernel drops them as
 * martians (RFC 1812, 5.3.7). Where the director is the router of its DR realservers they are the
 * replies (HOWTO 7.5.2, forward_shared).
 */
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import type { Director } from '../director.js';
import { ipOutput } from '../output/ip-output.js';
import { drop } from '../output/verdict.js';
import { LOCAL_ROUTE } from '../table/routes.js';
import { usableOrDrop } from '../xmit/next-hop.js';
import { decrementTtlOrDrop, fitsMtuOrDrop } from '../xmit/ttl-mtu.js';

export function isShared(d: Director): boolean {
  const { family, src, src6 } = d.packet;
  if (family === 4) return d.services.isVip4(src) && d.own.find(0, 0, 0, src, 0, 4) >= 0;
  const [a, b, c, e] = src6;
  return d.services.isVip6(src6) && d.own.find(a!, b!, c!, e!, 0, 6) >= 0;
}

/**
 * Forwards the packet to the client if its device is named in `accept.forwardShared`. On any other
 * device the source address is forged.
 */
export function forwardShared(d: Director): FinalVerdict {
  const p = d.packet;
  if (!d.links[p.device]!.forwardsShared) return drop(d, Drop.badSource);
  if (!decrementTtlOrDrop(d, 0)) return Verdict.dropped;
  const { router } = d;
  const hop = usableOrDrop(
    d,
    p.family === 4 ? router.lookup4(p.dst, 0, p.mark) : router.lookup6(p.dst6, NOBODY, p.mark),
    0,
  );
  const { mtu } = router;
  if (hop === LOCAL_ROUTE) return drop(d, Drop.badSource);
  if (hop < 0 || !fitsMtuOrDrop(d, mtu, 0)) return Verdict.dropped;
  return ipOutput(d, hop, mtu);
}

const NOBODY = new Int32Array(4);
