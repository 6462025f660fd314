/** Route look-ups for connections. */
import { CADDR, DADDR, ENTRY_SHIFT, VADDR, WIDE_CADDR, WIDE_DADDR, WIDE_VADDR } from '../../conntrack/entry.js';
import { type Destination, Method } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import { copyWords } from '../../wire/address.js';
import type { Director } from '../director.js';
import { drop } from '../output/verdict.js';
import { BLACKHOLE, LOCAL_ROUTE } from '../table/routes.js';
import { dropUnreachable } from './ttl-mtu.js';

const source = new Int32Array(4);
const target = new Int32Array(4);
const NOBODY = new Int32Array(4);

/**
 * Route to the client with the virtual address as source (the HOWTO's source routing). Negative:
 * the packet was dropped.
 */
export function routeReply(d: Director, entry: number): number {
  const at = entry << ENTRY_SHIFT;
  const { words } = d.connections;
  if (d.packet.family === 4)
    return usableOrDrop(d, d.router.lookup4(words[at + CADDR]!, words[at + VADDR]!, d.packet.mark), 0);
  const wide = words[at + DADDR]! << ENTRY_SHIFT;
  copyWords(words, wide + WIDE_CADDR, target);
  copyWords(words, wide + WIDE_VADDR, source);
  return usableOrDrop(d, d.router.lookup6(target, source, d.packet.mark), 0);
}

/**
 * Route to the destination: by the entry's address for a connection of the packet's family, else by
 * the destination's own address. A bypass connection has no destination: its packets go to the
 * address that they carry.
 */
export function routeForward(d: Director, entry: number): number {
  const dest = d.connections.destOf(entry);
  if (dest !== undefined && dest.family !== d.packet.family)
    return dest.family === 4 ? d.router.lookup4(dest.address, 0, 0) : d.router.lookup6(dest.address6, NOBODY, 0);
  if (d.connections.methodOf(entry) === Method.bypass) return routeAsAddressed(d);
  const at = entry << ENTRY_SHIFT;
  const { words } = d.connections;
  if (dest?.method === Method.fullnat) return d.router.lookup4(dest.address, 0, 0);
  if (d.packet.family === 4) return d.router.lookup4(words[at + DADDR]!, 0, 0);
  copyWords(words, (words[at + DADDR]! << ENTRY_SHIFT) + WIDE_DADDR, target);
  return d.router.lookup6(target, NOBODY, 0);
}

function routeAsAddressed(d: Director): number {
  const p = d.packet;
  return p.family === 4 ? d.router.lookup4(p.dst, 0, 0) : d.router.lookup6(p.dst6, NOBODY, 0);
}

/**
 * Returns the MTU of the route that was just looked up, or a smaller path MTU that a router
 * reported. Marks the destination as bound to that path MTU.
 */
export function pathMtu(d: Director, dest: Destination | undefined): number {
  const { mtu } = d.router;
  if (!d.pathMtus.some || dest === undefined || dest.family !== 4) return mtu;
  if (!d.pathMtus.isKnown(dest.address, d.now)) return mtu;
  dest.pathBound = true;
  return d.pathMtus.mtu(dest.address, mtu, d.now);
}

/**
 * Returns a neighbour's number or LOCAL_ROUTE. For any other answer the packet was dropped, with an
 * ICMP error unless the route is a blackhole.
 */
export function usableOrDrop(d: Director, hop: number, entry: number): number {
  if (hop >= 0 || hop === LOCAL_ROUTE) return hop;
  if (hop === BLACKHOLE) drop(d, Drop.noRoute);
  else dropUnreachable(d, entry);
  return hop;
}
