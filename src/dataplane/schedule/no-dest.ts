/**
 * No destination is available (ip_vs_leave). With sysctl cache_bypass a fwmark service forwards
 * such packets to their own destination address (it was made for transparent caches): the
 * connection has no destination and the method bypass.
 */
import { fillEntry } from '../../conntrack/find-wide.js';
import { Method, type VirtualService } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import type { Director } from '../director.js';
import { reset } from '../host/tcp-reset.js';
import { drop } from '../output/verdict.js';
import { icmpErrorFor4, icmpErrorFor6 } from '../xmit/ttl-mtu.js';
import { clientOf, DROPPED, FTP, UNWANTED, virtualOf } from './new-conn.js';

const NOWHERE = new Int32Array(4);

/** Returns an entry, 0 when the service, the sysctl or the table does not allow one. */
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

/** ip_vs_leave: no destination. The client gets ICMP port unreachable, also for TCP. */
export function scheduleNoDest(d: Director, service: VirtualService): number {
  const p = d.packet;
  if (p.proven) return refuseProven(d);
  const entry = openBypass(d, service);
  if (entry !== 0) return entry;
  if (service.port === FTP && p.dport !== FTP) return UNWANTED;
  if (!p.quoted) refuse(d);
  drop(d, Drop.noDestination);
  return DROPPED;
}

/** The SYN proxy has told the client that it is connected. */
function refuseProven(d: Director): number {
  reset(d);
  drop(d, Drop.noDestination);
  return DROPPED;
}

function refuse(d: Director): void {
  const { family, replaced } = d.packet;
  if (family === 4) icmpErrorFor4(d, icmp.UNREACHABLE, icmp.PORT_UNREACHABLE, 0, replaced, true);
  else icmpErrorFor6(d, icmp6.UNREACHABLE, icmp6.PORT_UNREACHABLE, 0, replaced, true);
}
