/** Opens a connection: fills an entry, binds it to its destination, hashes it (ip_vs_conn_new). */
import { CONN_INACTIVE, CONN_MIXED, CONN_NOOUTPUT, CONN_ONE_PACKET, CONN_SYNPROXY } from '../../conntrack/entry.js';
import { fillEntry } from '../../conntrack/find-wide.js';
import { type Destination, Method, type VirtualService } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import * as ipv4 from '../../wire/ipv4.js';
import { countConnection } from '../account.js';
import type { Director } from '../director.js';
import { borrowSource } from '../nat/fullnat.js';
import { drop } from '../output/verdict.js';
import type { PacketInfo } from '../parse/packet.js';

/**
 * Answers of `schedule` that are no entry. UNWANTED: no service wants the packet, the path goes on.
 * DROPPED: the packet was dropped. ANSWERED: the SYN proxy has answered it.
 */
export const UNWANTED = 0;
export const DROPPED = -1;
export const ANSWERED = -2;

export const FTP = 21;
export const FTP_DATA = 20;

/** Opens a connection of the packet's client to `dest`. Returns DROPPED when the table is full. */
export function openFor(d: Director, service: VirtualService, dest: Destination, dport: number): number {
  const p = d.packet;
  const onePacket = service.onePacket && p.protocol === ipv4.UDP ? CONN_ONE_PACKET : 0;
  const extra = p.proven ? CONN_SYNPROXY : onePacket;
  const entry = newEntry(d, dest, p.protocol, clientOf(p), p.sport, virtualOf(p), p.dport, dport, extra);
  if (entry === 0) {
    drop(d, dest.method === Method.fullnat && !d.connections.table.isFull ? Drop.noSourcePort : Drop.tableFull);
    return DROPPED;
  }
  if (p.mark !== 0) d.connections.sync?.setMark(entry, p.mark);
  countConnection(d, dest.slot, service.slot);
  return entry;
}

const client = new Int32Array(4);
const virtual = new Int32Array(4);
const destination = new Int32Array(4);

/** The packet's addresses as four words, in arrays that are reused. */
export function clientOf(p: PacketInfo): Int32Array {
  if (p.family === 6) return p.src6;
  client[3] = p.src;
  return client;
}
export function virtualOf(p: PacketInfo): Int32Array {
  if (p.family === 6) return p.dst6;
  virtual[3] = p.dst;
  return virtual;
}

export function destinationOf(dest: Destination): Int32Array {
  if (dest.family === 6) return dest.address6;
  destination[3] = dest.address;
  return destination;
}

/**
 * Returns an entry that is filled, bound and hashed, 0 when the table is full. `extra`:
 * CONN_ONE_PACKET, CONN_SYNPROXY or 0.
 */
export function newEntry(
  d: Director,
  dest: Destination,
  protocol: number,
  caddr: Int32Array,
  cport: number,
  vaddr: Int32Array,
  vport: number,
  dport: number,
  extra: number,
): number {
  const { connections, packet } = d;
  const entry = connections.table.alloc();
  if (entry === 0) return 0;
  const daddr = destinationOf(dest);
  if (fillEntry(connections.table, entry, packet.family, protocol, caddr, cport, vaddr, vport, daddr, dport) === 0) {
    connections.table.free(entry);
    return 0;
  }
  connections.open(entry, dest, flagsFor(dest, packet.family) | extra);
  if (dest.method !== Method.fullnat || borrowSource(d, entry)) return entry;
  if ((extra & CONN_ONE_PACKET) !== 0) connections.release(entry);
  else connections.expireNow(entry);
  return 0;
}

/** The replies of masq and full NAT pass the director. */
function seesReplies(method: number): boolean {
  return method === Method.masq || method === Method.fullnat;
}

export function flagsFor(dest: Destination, family: number): number {
  const mixed = dest.family === family ? 0 : CONN_MIXED;
  return dest.method | CONN_INACTIVE | mixed | (seesReplies(dest.method) ? 0 : CONN_NOOUTPUT);
}
