/**
 * Replies of masq connections, as in the kernel's ip_vs_out_hook and handle_response: the source
 * becomes the virtual address. The packet is first forwarded (TTL, MTU), then handled as a reply:
 * this is the order of the kernel's hooks.
 */
import { CONN_HELPER, CONN_ONE_PACKET } from '../../conntrack/entry.js';
import { findOut6 } from '../../conntrack/find-wide.js';
import { Direction } from '../../conntrack/states.js';
import { Method } from '../../service/service.js';
import * as ipv4 from '../../wire/ipv4.js';
import { countOut, setState } from '../account.js';
import type { Director } from '../director.js';
import { answerFitsOrDrop, ftpOut } from '../ftp/ftp.js';
import { deliverLocal } from '../host/local.js';
import { fullSnat, mainOf } from '../nat/fullnat.js';
import { isTranslated, snat } from '../nat/masq.js';
import { ipOutput } from '../output/ip-output.js';
import { DROPPED } from '../schedule/new-conn.js';
import { LOCAL_ROUTE } from '../table/routes.js';
import { routeReply } from '../xmit/next-hop.js';
import { decrementTtlOrDrop, fitsMtuOrDrop } from '../xmit/ttl-mtu.js';
import { openFromServer } from './server-opened.js';

/** Returns true when the packet is a reply of a masq connection and was handled. */
export function outbound(d: Director): boolean {
  const { protocol } = d.packet;
  if (protocol !== ipv4.TCP && protocol !== ipv4.UDP && protocol !== ipv4.SCTP) return false;
  const entry = findOut(d);
  if (entry === 0) return d.serversMayOpen && openedByServer(d);
  if (!isTranslated(d, entry)) return false;
  d.traced?.noteConnection(entry, 'destination');
  reply(d, entry);
  return true;
}

/**
 * The packet is no reply, but a destination of a service with a persistence engine may open a
 * connection.
 */
function openedByServer(d: Director): boolean {
  const entry = openFromServer(d);
  if (entry <= 0) return entry === DROPPED;
  d.traced?.noteConnection(entry, 'destination');
  reply(d, entry);
  if ((d.connections.flagsOf(entry) & CONN_ONE_PACKET) !== 0) d.connections.release(entry);
  return true;
}

function reply(d: Director, entry: number): void {
  if (!decrementTtlOrDrop(d, 0)) return;
  const hop = routeReply(d, entry);
  const { mtu } = d.router;
  if (hop < 0 && hop !== LOCAL_ROUTE) return;
  if (hop >= 0 && !fitsMtuOrDrop(d, mtu, 0)) return;
  const flags = d.connections.flagsOf(entry);
  const seqAdj = (flags & CONN_HELPER) !== 0;
  if (seqAdj && !ftpOut(d, entry)) return;
  countOut(d, entry, d.packet.l3len);
  setState(d, entry, Direction.output);
  if ((flags & CONN_ONE_PACKET) === 0) d.connections.touch(entry);
  if (seqAdj && hop >= 0 && !answerFitsOrDrop(d, entry, mtu)) return;
  if (d.connections.methodOf(entry) === Method.fullnat) fullSnat(d, entry);
  else snat(d, entry);
  if (hop === LOCAL_ROUTE) deliverLocal(d);
  else ipOutput(d, hop, mtu);
}

function findOut(d: Director): number {
  const p = d.packet;
  const { table } = d.connections;
  const found =
    p.family === 4
      ? table.findOut4(p.protocol, p.src, p.sport, p.dst, p.dport)
      : findOut6(table, p.protocol, p.src6, p.sport, p.dst6, p.dport);
  const entry = mainOf(d, found);
  if (entry === 0 || !d.connections.ended(entry)) return entry;
  d.connections.expireNow(entry);
  return 0;
}
