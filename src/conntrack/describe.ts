/** Reads a connection from the memory of the table for a listing; another thread may do so. */
import { format4, format6 } from '../wire/address.js';
import { SCTP, TCP, UDP } from '../wire/ipv4.js';
import { KEY_CADDR } from './engine-templates.js';
import {
  CADDR,
  CONN_ASSURED,
  CONN_ENGINE_KEY,
  CONN_FULLNAT,
  CONN_IPV6,
  CONN_MIXED,
  CONN_TEMPLATE,
  DADDR,
  DEST,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  KEY,
  PORTS,
  VADDR,
  WIDE_CADDR,
  WIDE_DADDR,
  WIDE_VADDR,
} from './entry.js';
import { SCTP_STATES } from './sctp.js';
import { TCP_STATES } from './tcp.js';

/** A connection; addresses are text, ports in host order. */
export interface Described {
  readonly protocol: number;
  readonly family: 4 | 6;
  readonly caddr: string;
  readonly cport: number;
  readonly vaddr: string;
  readonly vport: number;
  readonly daddr: string;
  readonly dport: number;
  readonly state: string;
}

/**
 * The connection at `entry`. `daddrOf`: address of a destination by slot, for tunnels to the other
 * family.
 */
export function describe(words: Int32Array, entry: number, daddrOf: (slot: number) => string): Described {
  const at = entry << ENTRY_SHIFT;
  const flags = words[at + FLAGS]!;
  const protocol = (words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff;
  const six = (flags & CONN_IPV6) !== 0;
  const wide = words[at + DADDR]! << ENTRY_SHIFT;
  return {
    protocol,
    family: six ? 6 : 4,
    caddr: six ? format6(words, wide + WIDE_CADDR) : format4(words[caddrAt(words, at, flags)]!),
    cport: words[at + PORTS]! >>> 16,
    vaddr: six ? format6(words, wide + WIDE_VADDR) : format4(words[at + VADDR]!),
    vport: words[at + PORTS]! & 0xffff,
    daddr:
      (flags & CONN_MIXED) !== 0
        ? daddrOf(words[at + DEST]! - 1)
        : six
          ? format6(words, wide + WIDE_DADDR)
          : format4(words[daddrAt(words, at, flags)]!),
    dport: words[at + DPORT_PROTO_STATE]! >>> 16,
    state: stateName(protocol, words[at + DPORT_PROTO_STATE]! & 0xff, flags),
  };
}

/**
 * The word with the address of an IPv4 client: in the entry, or for a template of an engine in its
 * key.
 */
export function caddrAt(words: Int32Array, at: number, flags: number): number {
  return (flags & CONN_ENGINE_KEY) !== 0 ? (words[at + KEY]! << ENTRY_SHIFT) + KEY_CADDR : at + CADDR;
}

/**
 * The word with the address of the destination: in the entry, or for full NAT in its reverse line.
 */
export function daddrAt(words: Int32Array, at: number, flags: number): number {
  return ((flags & CONN_FULLNAT) !== 0 ? words[at + DADDR]! << ENTRY_SHIFT : at) + DADDR;
}

/** The name of a state as in /proc/net/ip_vs_conn; templates have NONE or ASSURED. */
export function stateName(protocol: number, state: number, flags: number): string {
  if ((flags & CONN_TEMPLATE) !== 0) return (flags & CONN_ASSURED) !== 0 ? 'ASSURED' : 'NONE';
  if (protocol === TCP) return TCP_STATES[state] ?? 'ERR!';
  if (protocol === SCTP) return SCTP_STATES[state] ?? 'ERR!';
  return protocol === UDP ? 'UDP' : 'NONE';
}
