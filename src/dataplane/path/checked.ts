/**
 * Health checks of gatewaying and tunnel destinations, as clients see them: by the VIP, at that
 * real server. A check is a plain socket of the host. It connects to an address that stands for one
 * destination slot; the route to it leads into the director's TUN.
 *
 *      socket 192.0.0.8:40001 ─► 198.18.0.7:80  ─ TUN ─►  S:61440 ─► VIP:80   to destination 7: its MAC, its tunnel
 *      socket 192.0.0.8:40001 ◄─ 198.18.0.7:80  ◄─ TUN ─  S:61440 ◄─ VIP:80   from the real server
 *
 * S is the director's own address towards the destination. Ports of S: table/check-ports.ts. No
 * connection is entered, no counter of the service moves.
 */
import { type Destination, Method } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import * as icmp from '../../wire/icmp.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as tcp from '../../wire/tcp.js';
import * as udp from '../../wire/udp.js';
import { type Director, tickOf } from '../director.js';
import { deliverLocal } from '../host/local.js';
import { ipOutput } from '../output/ip-output.js';
import { drop } from '../output/verdict.js';
import type { CheckPorts } from '../table/check-ports.js';
import { LOCAL_ROUTE } from '../table/routes.js';
import { usableOrDrop } from '../xmit/next-hop.js';
import { fitsMtuOrDrop } from '../xmit/ttl-mtu.js';
import { tunnelTo } from '../xmit/tunnel.js';

/** 198.18.0.0/16, of the networks for tests of devices (RFC 2544); the slot is the last 16 bits. */
export const CHECK_NET = 0xc6120000 | 0;
const NET_MASK = 0xffff0000 | 0;
/** Address of the TUN (device/tun/host.ts), from which the host connects. */
const HOST = 0xc0000008 | 0;
const ICMP_ID = 4;

/** Handles packets of health checks; none for any other. */
export function checked(d: Director, ports: CheckPorts): Verdict {
  const p = d.packet;
  if (p.family !== 4 || !ports.uses(p.protocol)) return Verdict.none;
  if (p.device === d.hostLink?.index)
    return p.src === HOST && (p.dst & NET_MASK) === CHECK_NET ? ask(d, ports) : Verdict.none;
  return answer(d, ports);
}

/** From the check to the destination. */
function ask(d: Director, ports: CheckPorts): FinalVerdict {
  const p = d.packet;
  const dest = d.dests[p.dst & 0xffff];
  if (dest === undefined || dest.family !== 4) return drop(d, Drop.noRoute);
  const port = ports.portOf(p.protocol, dest.slot, ownPort(d, true), tickOf(d.now));
  const hop = usableOrDrop(d, d.router.lookup4(dest.address, 0, 0), 0);
  // A destination on this machine is checked by its own address (control/health).
  if (hop === LOCAL_ROUTE) return drop(d, Drop.noRoute);
  if (hop < 0) return Verdict.dropped;
  const source = d.router.source || (d.links[d.neighbours.all[hop]!.device]!.address(4)?.words[3] ?? 0);
  if (source === 0) return drop(d, Drop.noRoute);
  d.traced?.note(`health check of ${dest.text}`);
  const { mtu } = d.router;
  translate(d, source, dest.service.address, port, true);
  return send(d, dest, hop, mtu);
}

function send(d: Director, dest: Destination, hop: number, mtu: number): FinalVerdict {
  if (dest.method === Method.ipip) return tunnelTo(d, dest, hop, 0, mtu);
  return fitsMtuOrDrop(d, mtu, 0) ? ipOutput(d, hop, mtu) : Verdict.dropped;
}

/** From the destination to the check. */
function answer(d: Director, ports: CheckPorts): Verdict {
  const p = d.packet;
  const owner = ports.ownerOf(p.protocol, ownPort(d, false));
  if (owner === 0 || d.own.find(0, 0, 0, p.dst, 0, 4) < 0) return Verdict.none;
  const dest = d.dests[owner >>> 16];
  if (dest === undefined || p.src !== dest.service.address) return Verdict.none;
  d.traced?.note(`answer to the health check of ${dest.text}`);
  translate(d, CHECK_NET | dest.slot, HOST, owner & 0xffff, false);
  return deliverLocal(d);
}

/** The port on the director's side, or the id of a ping. */
function ownPort(d: Director, isSource: boolean): number {
  const p = d.packet;
  if (p.protocol !== ipv4.ICMP) return isSource ? p.sport : p.dport;
  const isPing = p.icmpType === icmp.ECHO_REQUEST || p.icmpType === icmp.ECHO_REPLY;
  return isPing && p.l4len >= icmp.HEADER ? d.umem.view.getUint16(p.l4 + ICMP_ID) : 0;
}

/** Rewrites both addresses, and the port on the director's side: the source's port or the other. */
function translate(d: Director, src: number, dst: number, port: number, isSource: boolean): void {
  const p = d.packet;
  const { view } = d.umem;
  const delta = ipv4.rewriteSrc(view, p.l3, src) + ipv4.rewriteDst(view, p.l3, dst);
  if (p.protocol === ipv4.TCP) (isSource ? tcp.rewriteSport : tcp.rewriteDport)(view, p.l4, port, delta);
  else if (p.protocol === ipv4.UDP) (isSource ? udp.rewriteSport : udp.rewriteDport)(view, p.l4, port, delta);
  else icmp.rewrite16(view, p.l4, p.l4 + ICMP_ID, port);
}
