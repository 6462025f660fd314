/**
 * Persistence (ip_vs_sched_persist): a template says where a client, or its network, belongs; connections hang on it.
 *
 *     service                 template's key                              its destination port
 *     port = packet's         protocol, net, 0, VIP, port                 the destination's
 *     FTP (21)                protocol, net, 0, VIP, 0                    0
 *     port 0                  protocol, net, 0, VIP, 0                    0
 *     fwmark                  IP (0), net, 0, mark, 0                     0
 */
import { CONN_TEMPLATE, TICKS } from '../conntrack/entry.js';
import { findTemplate } from '../conntrack/find.js';
import type { Destination } from '../service/destination.js';
import type { VirtualService } from '../service/service.js';
import { Drop } from '../stats/drops.js';
import type { Director } from './director.js';
import { drop } from './fate.js';
import { clientOf, DROPPED, leave, newEntry, openFor, virtualOf } from './schedule.js';

const FTP = 21;
const net = new Int32Array(4);
const markAddress = new Int32Array(4);

export function schedulePersistent(d: Director, service: VirtualService, old: number): number {
  const p = d.packet;
  const exact = service.fwmark === 0 && p.dport === service.port;
  const vport = exact && service.port !== FTP ? p.dport : 0;
  const protocol = !exact && service.fwmark !== 0 ? 0 : p.protocol;
  maskClient(d, service);
  const vaddr = !exact && service.fwmark !== 0 ? markWords(service.fwmark, p.family) : virtualOf(p);
  let template = validTemplate(d, findTemplate(d.connections.table, p.family, protocol, net, vaddr, vport));
  if (template === 0) {
    const dest = service.schedule.schedule(p, d.now);
    d.trace?.noteChoice(service, dest);
    if (dest === null) return leave(d, service, old);
    const dport = exact && service.port !== FTP ? dest.port : 0;
    template = newEntry(d, dest, protocol, net, 0, vaddr, vport, dport, CONN_TEMPLATE);
    if (template === 0) return full(d);
    d.connections.setTimeout(template, service.timeout * TICKS);
  }
  return hang(d, service, template);
}

/** A new connection at the template's destination; the template's timer starts anew. */
function hang(d: Director, service: VirtualService, template: number): number {
  const p = d.packet;
  d.trace?.noteConnection(template, 'client');
  const dest = d.connections.destOf(template) as Destination;
  const dport = p.dport === service.port && dest.port !== 0 ? dest.port : p.dport;
  const entry = openFor(d, service, dest, dport);
  if (entry > 0) d.connections.control(entry, template);
  d.connections.touch(template);
  return entry;
}

function full(d: Director): number {
  drop(d, Drop.tableFull);
  return DROPPED;
}

/** A template whose destination is gone (or, if so set, quiesced) is put aside, unreachable, and not used. */
function validTemplate(d: Director, template: number): number {
  if (template === 0) return 0;
  const dest = d.connections.destOf(template);
  const quiesced = d.sysctl.expire_quiescent_template !== 0 && dest?.weight === 0;
  if (dest?.available && !quiesced && !d.connections.ended(template)) return template;
  d.connections.invalidate(template);
  return 0;
}

function maskClient(d: Director, service: VirtualService): void {
  const client = clientOf(d.packet);
  for (let i = 0; i < 4; i++) net[i] = client[i]! & maskWord(service, d.packet.family, i);
}

function maskWord(service: VirtualService, family: number, i: number): number {
  if (family === 4) return i === 3 ? service.netmask : 0;
  const bits = service.netmask - 32 * i;
  if (bits >= 32) return -1;
  return bits <= 0 ? 0 : -1 << (32 - bits);
}

/** The kernel stores the mark as the first word of an address. */
function markWords(mark: number, family: number): Int32Array {
  markAddress.fill(0);
  markAddress[family === 4 ? 3 : 0] = mark;
  return markAddress;
}
