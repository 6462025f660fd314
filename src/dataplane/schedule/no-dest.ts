/**
 * cache_bypass: a fwmark service that has no destination lets its packets go where they wanted to (it was made for
 * transparent caches). The connection has no destination, its method is bypass (ip_vs_leave).
 */
import { fillEntry } from '../../conntrack/find-wide.js';
import { Method } from '../../service/destination.js';
import type { VirtualService } from '../../service/service.js';
import type { Director } from '../director.js';
import { clientOf, virtualOf } from './schedule.js';

const NOWHERE = new Int32Array(4);

/** An entry, 0 when the service, the sysctl or the table will not have it. */
export function openBypass(d: Director, service: VirtualService): number {
  const p = d.packet;
  if (d.sysctl.cache_bypass === 0 || service.fwmark === 0 || p.quoted) return 0;
  if (p.family === 4 ? d.isLocal4(p.dst) : d.isLocal6(p.dst6)) return 0;
  const { connections } = d;
  const entry = connections.table.alloc();
  if (entry === 0) return 0;
  const vaddr = virtualOf(p);
  if (
    fillEntry(connections.table, entry, p.family, p.protocol, clientOf(p), p.sport, vaddr, p.dport, NOWHERE, 0) === 0
  ) {
    connections.table.free(entry);
    return 0;
  }
  connections.open(entry, undefined, Method.bypass);
  return entry;
}
