/**
 * May a reply open a connection of another service? The slow path tries this before it looks for
 * the connection that the reply belongs to (path/inbound.ts, schedule/schedule.ts).
 */
import type { Director } from '../director.js';
import { TCP_RST, TCP_SYN } from '../parse/packet.js';
import { NOT_TCP } from './scan.js';

/** `served`: where a service has the packet's destination. */
export const Opens = { never: 0, served: 1, maybe: 2 } as const;

/** `kind`: the TCP flags, or NOT_TCP. `maybe` also where a mark may choose the route. */
export function replyOpens(d: Director, kind: number): (typeof Opens)[keyof typeof Opens] {
  if (d.connections.withoutPort !== 0 || (d.marks !== undefined && d.router.readsMarks)) return Opens.maybe;
  if (kind !== NOT_TCP) {
    if ((kind & TCP_RST) !== 0) return Opens.never;
    if (d.sysctl.sloppy_tcp !== 0) return Opens.maybe;
    if ((kind & TCP_SYN) === 0) return Opens.never;
  }
  return d.marks !== undefined ? Opens.maybe : Opens.served;
}
