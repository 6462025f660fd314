/**
 * Replies of masq connections, as in the kernel's ip_vs_out_hook and handle_response: the source
 * becomes the virtual address. The packet is first forwarded (TTL, MTU), then handled as a reply:
 * this is the order of the kernel's hooks.
 */

import { CONN_HELPER, CONN_ONE_PACKET, CONN_SYNPROXY, WITH_SHIFTS } from '../../conntrack/entry.js';
import { findOut6 } from '../../conntrack/find-wide.js';
import { Direction } from '../../conntrack/states.js';
import { Method } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import * as ipv4 from '../../wire/ipv4.js';
import { countOut, setState } from '../account.js';
import type { Director } from '../director.js';
import { answerFitsOrDrop, ftpOut } from '../ftp/ftp.js';
import { deliverLocal } from '../host/local.js';
import { fullSnat, mainOf } from '../nat/fullnat.js';
import { isTranslated, snat } from '../nat/masq.js';
import { spliceFromDestination } from '../nat/shift.js';
import { ipOutput } from '../output/ip-output.js';
import { drop } from '../output/verdict.js';
import { DROPPED } from '../schedule/new-conn.js';
import { LOCAL_ROUTE } from '../table/routes.js';
import { routeReply } from '../xmit/next-hop.js';
import { decrementTtlOrDrop, fitsMtuOrDrop } from '../xmit/ttl-mtu.js';
import { answerByReset, isBeingReset } from './reset.js';
import { openFromServer } from './server-opened.js';
import { Answer, acknowledge, isAwaiting, takeAnswer } from './synproxy.js';

/** Handles a reply of a masq or full NAT connection; none for any other packet. */
export function outbound(d: Director): Verdict {
  const { protocol } = d.packet;
  if (protocol !== ipv4.TCP && protocol !== ipv4.UDP && protocol !== ipv4.SCTP) return Verdict.none;
  // Does the packet belong to a connection, as its reply? (conn_out_get)
  const entry = findOut(d);
  // No: may its sender open one? (ip_vs_new_conn_out)
  if (entry === 0) return d.serversMayOpen ? openedByServer(d) : Verdict.none;
  if (!isTranslated(d, entry)) return Verdict.none;
  d.traced?.noteConnection(entry, 'destination');
  if (isAwaiting(d, entry)) return firstReply(d, entry);
  if (!isBeingReset(d, entry) || d.packet.parts !== 0) return reply(d, entry);
  answerByReset(d);
  const verdict = reply(d, entry);
  d.connections.remove(entry);
  return verdict;
}

/** The SYN proxy waits for this packet. */
function firstReply(d: Director, entry: number): FinalVerdict {
  const answer = takeAnswer(d, entry);
  if (answer === Answer.none) return drop(d, Drop.synProxyWaits);
  const verdict = reply(d, entry);
  if (answer === Answer.open) acknowledge(d, entry);
  return verdict;
}

/**
 * The packet is no reply, but a destination of a service with a persistence engine may open a
 * connection.
 */
function openedByServer(d: Director): Verdict {
  const entry = openFromServer(d);
  if (entry <= 0) return entry === DROPPED ? Verdict.dropped : Verdict.none;
  d.traced?.noteConnection(entry, 'destination');
  const verdict = reply(d, entry);
  if ((d.connections.flagsOf(entry) & CONN_ONE_PACKET) !== 0) d.connections.release(entry);
  return verdict;
}

/** The kernel's ip_forward, then handle_response. */
function reply(d: Director, entry: number): FinalVerdict {
  // Forward the packet: TTL, route, MTU (ip_forward).
  if (!decrementTtlOrDrop(d, 0)) return Verdict.dropped;
  const hop = routeReply(d, entry);
  const { mtu } = d.router;
  if (hop < 0 && hop !== LOCAL_ROUTE) return Verdict.dropped;
  if (hop >= 0 && !fitsMtuOrDrop(d, mtu, 0)) return Verdict.dropped;
  // Let the helper read it, count it, set the state (ip_vs_app_pkt_out, ip_vs_set_state).
  const flags = d.connections.flagsOf(entry);
  const seqAdj = (flags & CONN_HELPER) !== 0;
  if (seqAdj && !ftpOut(d, entry)) return Verdict.dropped;
  countOut(d, entry, d.packet.l3len);
  setState(d, entry, Direction.output);
  if ((flags & CONN_ONE_PACKET) === 0) d.connections.touch(entry);
  if (seqAdj && hop >= 0 && !answerFitsOrDrop(d, entry, mtu)) return Verdict.dropped;
  if ((flags & WITH_SHIFTS) === CONN_SYNPROXY) spliceFromDestination(d, d.connections.seqAdjOf(entry));
  // Rewrite the source and send it (snat_handler).
  if (d.connections.methodOf(entry) === Method.fullnat) fullSnat(d, entry);
  else snat(d, entry);
  return hop === LOCAL_ROUTE ? deliverLocal(d) : ipOutput(d, hop, mtu);
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
