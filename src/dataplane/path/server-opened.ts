/**
 * A masq destination opens a connection: it was not asked, or its one-packet connection is gone.
 * Where the service's persistence engine provides for it (sip), its datagram opens a connection as
 * if the far host had sent first. The datagram leaves with the service's address, and the answers
 * find the connection (the kernel's ip_vs_new_conn_out).
 *
 *      RIP:rport -> host:port   ══►   VIP:vport -> host:port      template: this host, this Call-ID, this destination
 */
import { CONN_ONE_PACKET } from '../../conntrack/entry.js';
import type { Destination, VirtualService } from '../../service/service.js';
import * as ipv4 from '../../wire/ipv4.js';
import { countConnection } from '../account.js';
import type { Director } from '../director.js';
import { DROPPED, newEntry, UNWANTED } from '../schedule/new-conn.js';
import { openTemplate, templateFor, usableTemplate } from '../schedule/template.js';
import { fitsMtuOrDrop } from '../xmit/ttl-mtu.js';

const far = new Int32Array(4);
const near = new Int32Array(4);

/**
 * Returns the connection, UNWANTED when the packet is not for this code, DROPPED when it was
 * dropped.
 */
export function openFromServer(d: Director): number {
  const p = d.packet;
  if (!d.serversMayOpen || p.protocol !== ipv4.UDP || p.ttl <= 1) return UNWANTED;
  const dest = senderOf(d);
  if (dest === undefined || !hasOwnEndpoint(dest.service) || isLocal(d)) return UNWANTED;
  if (!crossesOrDrop(d)) return DROPPED;
  return open(d, dest.service, dest);
}

/** Finds the masq destination that sent the packet. */
function senderOf(d: Director): Destination | undefined {
  const { family, src, src6, protocol, sport } = d.packet;
  const slot =
    family === 4
      ? d.masqSources.find(0, 0, 0, src, protocol, sport)
      : d.masqSources.find(src6[0]!, src6[1]!, src6[2]!, src6[3]!, protocol, sport);
  return slot < 0 ? undefined : d.dests[slot];
}

/** A service of a mark or of all ports has no address and port to send from. */
function hasOwnEndpoint({ engine, fwmark, port }: VirtualService): boolean {
  return engine?.serversMayOpen === true && fwmark === 0 && port !== 0;
}

function isLocal(d: Director): boolean {
  const p = d.packet;
  return p.family === 4 ? d.isLocal4(p.dst) : d.isLocal6(p.dst6);
}

/**
 * A router checks the size before any connection is looked for. Without a route, another part of
 * the path answers. Returns false when the packet was dropped.
 */
function crossesOrDrop(d: Director): boolean {
  const p = d.packet;
  const hop = p.family === 4 ? d.router.lookup4(p.dst, p.src, p.mark) : d.router.lookup6(p.dst6, p.src6, p.mark);
  return hop < 0 || fitsMtuOrDrop(d, d.router.mtu, 0);
}

function open(d: Director, service: VirtualService, dest: Destination): number {
  const p = d.packet;
  readEnds(d, service);
  let template = 0;
  if (service.persistent) {
    if (!templateFor(d, service, far, p.protocol, near, service.port)) return UNWANTED;
    template = usableTemplate(d, dest) || openTemplate(d, service, dest, p.sport);
    if (template === 0) return UNWANTED;
  }
  const flags = service.onePacket ? CONN_ONE_PACKET : 0;
  const entry = newEntry(d, dest, p.protocol, far, p.dport, near, service.port, p.sport, flags);
  if (entry === 0) return UNWANTED;
  if (template !== 0) {
    d.connections.control(entry, template);
    d.connections.touch(template);
  }
  countConnection(d, dest.slot, service.slot);
  d.traced?.noteService(service);
  return entry;
}

/** The far host is the client, the service's address the virtual one. */
function readEnds({ packet: p }: Director, service: VirtualService): void {
  if (p.family === 6) {
    far.set(p.dst6);
    near.set(service.address6);
  } else {
    far[3] = p.dst;
    near[3] = service.address;
  }
}
