/**
 * Source NAT for packets that realservers send on their own: connections that they open, and stray
 * replies of connections that are gone. No private address leaves.
 *
 *      opened here     RIP:rport -> host:port   ══►   to:sport -> host:port        a connection like a masq one, without
 *                      RIP:rport <- host:port   ◄══   to:sport <- host:port        destination; its answers are ordinary replies
 *      stray reply     RIP:rport -> client      ══►   VIP:vport -> client          by the service of that destination
 *      anything else                                  dropped
 *
 * The realserver keeps its own port where that is free.
 */
import { CONN_INACTIVE, CONN_OUTGOING } from '../../conntrack/entry.js';
import { fillEntry } from '../../conntrack/find-wide.js';
import { Method, type VirtualService } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import * as tcp from '../../wire/tcp.js';
import * as udp from '../../wire/udp.js';
import type { Director } from '../director.js';
import { findFromClient } from '../ftp/find-conn.js';
import { ipOutput } from '../output/ip-output.js';
import { drop } from '../output/verdict.js';
import { TCP_ACK, TCP_RST, TCP_SYN } from '../parse/packet.js';
import { FIRST_PORT, hasPorts, type SnatRule } from '../table/snat-rules.js';
import { decrementTtlOrDrop, fitsMtuOrDrop } from '../xmit/ttl-mtu.js';
import { outbound } from './outbound.js';

const TRIES = 128;
const far = new Int32Array(4);
const near = new Int32Array(4);

/**
 * Handles a packet that belongs to no connection, if a rule of snat is about it; none for any
 * other.
 */
export function snatOutgoing(d: Director): Verdict {
  // Where the host shares the device, the host handles protocols without ports.
  if (!hasPorts(d.packet) && d.links[d.packet.device]!.shared) return Verdict.none;
  const rule = d.snatRules.ruleFor(d.packet);
  if (rule === undefined) return Verdict.none;
  const hop = nextHopOutside(d, rule);
  if (hop < 0) return Verdict.none;
  const { mtu } = d.router;
  const service = servedBy(d);
  if (service !== undefined && isReply(d)) return sendAs(d, service, hop, mtu);
  if (!mayOpen(d)) return drop(d, Drop.privateSource);
  return open(d, rule) ? outbound(d) : drop(d, Drop.noSourcePort);
}

/**
 * Returns the next hop of a packet that leaves the inside, negative when it stays inside or has no
 * route.
 */
function nextHopOutside(d: Director, rule: SnatRule): number {
  const p = d.packet;
  const hop = p.family === 4 ? d.router.lookup4(p.dst, p.src, p.mark) : d.router.lookup6(p.dst6, p.src6, p.mark);
  if (hop < 0) return -1;
  const { device } = d.neighbours.all[hop]!;
  return (rule.device < 0 ? device !== p.device : device === rule.device) ? hop : -1;
}

/**
 * Returns the service whose masq destination sent the packet. A fwmark service has no address to
 * send from.
 */
function servedBy(d: Director): VirtualService | undefined {
  const p = d.packet;
  if (p.protocol !== ipv4.TCP && p.protocol !== ipv4.UDP) return undefined;
  const { src6 } = p;
  const slot =
    p.family === 4
      ? d.masqSources.find(0, 0, 0, p.src, p.protocol, p.sport)
      : d.masqSources.find(src6[0]!, src6[1]!, src6[2]!, src6[3]!, p.protocol, p.sport);
  const service = slot < 0 ? undefined : d.dests[slot]?.service;
  return service === undefined || service.fwmark !== 0 || service.port === 0 ? undefined : service;
}

/** Returns true unless the packet is the first one of a connection that the realserver opens. */
function isReply({ packet: p }: Director): boolean {
  return p.protocol !== ipv4.TCP || (p.tcpFlags & (TCP_SYN | TCP_ACK)) !== TCP_SYN;
}

/** Returns true for a packet that may open or continue a connection. */
function mayOpen({ packet: p }: Director): boolean {
  return p.protocol === ipv4.TCP ? (p.tcpFlags & TCP_RST) === 0 : hasPorts(p);
}

/**
 * The connection is gone, but its virtual address and port are known: sends the stray reply from
 * them.
 */
function sendAs(d: Director, service: VirtualService, hop: number, mtu: number): FinalVerdict {
  const p = d.packet;
  const { view } = d.umem;
  if (!decrementTtlOrDrop(d, 0) || !fitsMtuOrDrop(d, mtu, 0)) return Verdict.dropped;
  const delta =
    p.family === 4 ? ipv4.rewriteSrc(view, p.l3, service.address) : ipv6.rewriteSrc(view, p.l3, service.address6);
  if (p.protocol === ipv4.TCP) tcp.rewriteSport(view, p.l4, service.port, delta);
  else udp.rewriteSport(view, p.l4, service.port, delta);
  return ipOutput(d, hop, mtu);
}

/**
 * Opens a connection as if the far host were a client of `to`. Returns false without a free port or
 * room in the table.
 */
function open(d: Director, rule: SnatRule): boolean {
  const { connections, packet: p } = d;
  const { table } = connections;
  readEnds(d);
  const port = freePort(d, rule);
  const entry = port === 0 ? 0 : table.alloc();
  if (entry === 0) return false;
  if (fillEntry(table, entry, p.family, p.protocol, far, p.dport, rule.to, port, near, p.sport) === 0) {
    table.free(entry);
    return false;
  }
  connections.open(entry, undefined, Method.masq | CONN_INACTIVE | CONN_OUTGOING);
  return true;
}

function readEnds({ packet: p }: Director): void {
  if (p.family === 6) {
    far.set(p.dst6);
    near.set(p.src6);
  } else {
    far[3] = p.dst;
    near[3] = p.src;
  }
}

/**
 * Returns a port that no connection to the same far host and port uses, and no service. 0: none
 * found.
 */
function freePort(d: Director, rule: SnatRule): number {
  const p = d.packet;
  let port = p.sport;
  for (let i = 0; i < TRIES; i++) {
    if (port >= FIRST_PORT && isFree(d, rule.to, port)) return port;
    port = d.snatRules.nextPort();
  }
  return 0;
}

function isFree(d: Director, to: Int32Array, port: number): boolean {
  const p = d.packet;
  const [a0, a1, a2, a3] = p.family === 4 ? [0, 0, 0, to[3]] : to;
  return !d.services.has(a0!, a1!, a2!, a3!, p.protocol, port) && findFromClient(d, far, p.dport, to, port) === 0;
}
