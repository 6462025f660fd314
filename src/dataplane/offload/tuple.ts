/** What a packet of a connection has in a direction, and what it leaves with, as its words. */
import {
  CADDR,
  DADDR,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  METHOD_MASK,
  PORTS,
  VADDR,
} from '../../conntrack/entry.js';
import { Method } from '../../service/service.js';
import { swap32 } from '../parse/aligned.js';

/** Addresses and ports of a packet. */
export class FlowTuple {
  saddr = 0;
  daddr = 0;
  ports = 0;
}

/**
 * Fills both tuples from the entry of a masq or gatewaying connection. `direction`: 0 from the
 * client; 1 from the destination, masq only.
 */
export function fillTuples(words: Int32Array, entry: number, direction: number, from: FlowTuple, to: FlowTuple): void {
  const at = entry << ENTRY_SHIFT;
  const client = swap32(words[at + CADDR]!);
  const vip = swap32(words[at + VADDR]!);
  const server = swap32(words[at + DADDR]!);
  const cport = words[at + PORTS]! >>> 16;
  const vport = words[at + PORTS]! & 0xffff;
  const dport = words[at + DPORT_PROTO_STATE]! >>> 16;
  const isNat = (words[at + FLAGS]! & METHOD_MASK) === Method.masq;
  if (direction === 0) {
    set(from, client, vip, cport, vport);
    if (isNat) set(to, client, server, cport, dport);
    else set(to, client, vip, cport, vport);
  } else {
    set(from, server, client, dport, cport);
    set(to, vip, client, vport, cport);
  }
}

function set(tuple: FlowTuple, saddr: number, daddr: number, sport: number, dport: number): void {
  tuple.saddr = saddr;
  tuple.daddr = daddr;
  tuple.ports = swap32((sport << 16) | dport);
}
