/**
 * Health checks of gatewaying and tunnel destinations, as clients see them: by the VIP, at that
 * real server. A check is a plain socket of the host. It connects to an address that stands for one
 * destination slot; the route to it leads into the director's TUN.
 *
 *      socket 192.0.0.8:40001 ─► 198.18.0.7:80  ─ TUN ─►  S:61440 ─► VIP:80   to destination 7: its MAC, its tunnel
 *      socket 192.0.0.8:40001 ◄─ 198.18.0.7:80  ◄─ TUN ─  S:61440 ◄─ VIP:80   from the real server
 *
 * IPv6: the socket has 2001:2::1, the slot is in 2001:2::1:SLOT. Pings are not among its checks,
 * since ICMPv6 to the director is its host's (neighbour discovery).
 *
 * S is the director's own address towards the destination. Ports of S: table/check-ports.ts. No
 * connection is entered, no counter of the service moves.
 */
import { type Destination, Method } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import * as icmp from '../../wire/icmp.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
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
/** 2001:2::1, of the network for tests of devices (RFC 5180): the host connects from it. */
export const CHECK_HOST6 = new Int32Array([0x2001_0002, 0, 0, 1]);
/** Last word of the IPv6 address of slot 0. */
const SLOT6 = 0x1_0000;
const target6 = CHECK_HOST6.slice();
const NOBODY = new Int32Array(4);

/** The IPv6 address that stands for a slot; valid until the next call. */
export function checkAddress6(slot: number): Int32Array {
  target6[3] = SLOT6 | slot;
  return target6;
}
const ICMP_ID = 4;

/** Handles packets of health checks; none for any other. */
export function checked(d: Director, ports: CheckPorts): Verdict {
  const p = d.packet;
  if (!ports.uses(p.protocol)) return Verdict.none;
  // Pings are checks by IPv4 only.
  if (p.family === 6 && p.protocol === ipv4.ICMP) return Verdict.none;
  if (p.device !== d.hostLink?.index) return answer(d, ports);
  return isAsked(d) ? ask(d, ports) : Verdict.none;
}

function isAsked(d: Director): boolean {
  const p = d.packet;
  if (p.family === 4) return p.src === HOST && (p.dst & NET_MASK) === CHECK_NET;
  return isSame6(p.src6, CHECK_HOST6) && isSame6(p.dst6, checkAddress6(p.dst6[3]! & 0xffff));
}

function isSame6(one: Int32Array, other: Int32Array): boolean {
  return one[0] === other[0] && one[1] === other[1] && one[2] === other[2] && one[3] === other[3];
}

/** From the check to the destination. */
function ask(d: Director, ports: CheckPorts): FinalVerdict {
  const p = d.packet;
  const dest = d.dests[(p.family === 4 ? p.dst : p.dst6[3]!) & 0xffff];
  if (dest === undefined || dest.family !== p.family) return drop(d, Drop.noRoute);
  const port = ports.portOf(p.protocol, dest.slot, ownPort(d, true), tickOf(d.now));
  const hop = usableOrDrop(d, lookUp(d, dest), 0);
  // A destination on this machine is checked by its own address (control/health).
  if (hop === LOCAL_ROUTE) return drop(d, Drop.noRoute);
  if (hop < 0) return Verdict.dropped;
  d.traced?.note(`health check of ${dest.text}`);
  const { mtu } = d.router;
  const isSent = p.family === 4 ? fromOwn4(d, dest, hop, port) : fromOwn6(d, dest, hop, port);
  return isSent ? send(d, dest, hop, mtu) : drop(d, Drop.noRoute);
}

function lookUp(d: Director, dest: Destination): number {
  return dest.family === 4 ? d.router.lookup4(dest.address, 0, 0) : d.router.lookup6(dest.address6, NOBODY, 0);
}

/** From the director's own address to the VIP. Returns false when the device has no address. */
function fromOwn4(d: Director, dest: Destination, hop: number, port: number): boolean {
  const source = d.router.source || (d.links[d.neighbours.all[hop]!.device]!.address(4)?.words[3] ?? 0);
  if (source !== 0) translate(d, source, dest.service.address, port, true);
  return source !== 0;
}

function fromOwn6(d: Director, dest: Destination, hop: number, port: number): boolean {
  const source = d.router.source6 ?? d.links[d.neighbours.all[hop]!.device]!.address(6)?.words;
  if (source !== undefined) translate6(d, source, dest.service.address6, port, true);
  return source !== undefined;
}

function send(d: Director, dest: Destination, hop: number, mtu: number): FinalVerdict {
  if (dest.method === Method.ipip) return tunnelTo(d, dest, hop, 0, mtu);
  return fitsMtuOrDrop(d, mtu, 0) ? ipOutput(d, hop, mtu) : Verdict.dropped;
}

/** From the destination to the check. */
function answer(d: Director, ports: CheckPorts): Verdict {
  const p = d.packet;
  const owner = ports.ownerOf(p.protocol, ownPort(d, false));
  if (owner === 0 || !isOwn(d)) return Verdict.none;
  const dest = d.dests[owner >>> 16];
  if (dest === undefined || !isFromVip(d, dest)) return Verdict.none;
  d.traced?.note(`answer to the health check of ${dest.text}`);
  if (p.family === 4) translate(d, CHECK_NET | dest.slot, HOST, owner & 0xffff, false);
  else translate6(d, checkAddress6(dest.slot), CHECK_HOST6, owner & 0xffff, false);
  return deliverLocal(d);
}

function isOwn(d: Director): boolean {
  const { family, dst, dst6 } = d.packet;
  if (family === 4) return d.own.find(0, 0, 0, dst, 0, 4) >= 0;
  return d.own.find(dst6[0]!, dst6[1]!, dst6[2]!, dst6[3]!, 0, 6) >= 0;
}

function isFromVip(d: Director, { family, service }: Destination): boolean {
  const p = d.packet;
  if (p.family !== family) return false;
  return family === 4 ? p.src === service.address : isSame6(p.src6, service.address6);
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
  if (p.protocol === ipv4.ICMP) icmp.rewrite16(view, p.l4, p.l4 + ICMP_ID, port);
  else rewritePort(d, port, isSource, delta);
}

function translate6(d: Director, src: Int32Array, dst: Int32Array, port: number, isSource: boolean): void {
  const { view } = d.umem;
  const { l3 } = d.packet;
  rewritePort(d, port, isSource, ipv6.rewriteSrc(view, l3, src) + ipv6.rewriteDst(view, l3, dst));
}

function rewritePort(d: Director, port: number, isSource: boolean, delta: number): void {
  const { view } = d.umem;
  const { protocol, l4 } = d.packet;
  if (protocol === ipv4.TCP) (isSource ? tcp.rewriteSport : tcp.rewriteDport)(view, l4, port, delta);
  else (isSource ? udp.rewriteSport : udp.rewriteDport)(view, l4, port, delta);
}
