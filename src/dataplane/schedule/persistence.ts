/**
 * Persistence (ip_vs_sched_persist): a template binds a client, or its network, to a destination;
 * new connections use it.
 *
 *      service                 template's key                              its destination port
 *      port = packet's         protocol, net, 0, VIP, port                 the destination's
 *      FTP (21)                protocol, net, 0, VIP, 0                    0
 *      port 0                  protocol, net, 0, VIP, 0                    0
 *      fwmark                  IP (0), net, 0, mark, 0                     0
 *      with an engine          as these, and the key that it finds in the packet   as these
 */
import type { Destination, VirtualService } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import type { Director } from '../director.js';
import { drop } from '../output/verdict.js';
import { clientOf, DROPPED, openFor, virtualOf } from './new-conn.js';
import { scheduleNoDest } from './no-dest.js';
import { openTemplate, templateFor, usableTemplate } from './template.js';

const FTP = 21;
const markAddress = new Int32Array(4);

export function schedulePersistent(d: Director, service: VirtualService): number {
  const p = d.packet;
  // The template's key: see the table above.
  const exact = service.fwmark === 0 && p.dport === service.port;
  const vport = exact && service.port !== FTP ? p.dport : 0;
  const protocol = !exact && service.fwmark !== 0 ? 0 : p.protocol;
  const vaddr = !exact && service.fwmark !== 0 ? markWords(service.fwmark, p.family) : virtualOf(p);
  if (!templateFor(d, service, clientOf(p), protocol, vaddr, vport)) return dropped(d, Drop.noDialogue);
  // Is there a template with a usable destination? (ip_vs_ct_in_get, ip_vs_check_template)
  let template = usableTemplate(d, undefined);
  if (template === 0) {
    // No: schedule, and open one (ip_vs_conn_new).
    const dest = service.schedule.schedule(p, d.now);
    d.traced?.noteChoice(service, dest);
    if (dest === null) return scheduleNoDest(d, service);
    const dport = exact && service.port !== FTP ? dest.port : 0;
    template = openTemplate(d, service, dest, dport);
    if (template === 0) return dropped(d, Drop.tableFull);
  }
  return openByTemplate(d, service, template);
}

/** Opens a connection at the template's destination, and restarts the template's timer. */
function openByTemplate(d: Director, service: VirtualService, template: number): number {
  const p = d.packet;
  d.traced?.noteConnection(template, 'client');
  const dest = d.connections.destOf(template) as Destination;
  const dport = p.dport === service.port && dest.port !== 0 ? dest.port : p.dport;
  const entry = openFor(d, service, dest, dport);
  if (entry > 0) d.connections.control(entry, template);
  d.connections.touch(template);
  return entry;
}

function dropped(d: Director, reason: number): number {
  drop(d, reason);
  return DROPPED;
}

/** The kernel stores the mark as the first word of an address. */
function markWords(mark: number, family: number): Int32Array {
  markAddress.fill(0);
  markAddress[family === 4 ? 3 : 0] = mark;
  return markAddress;
}
