/**
 * Look-ups that compare more than one line: IPv6 connections, and templates of both families.
 * Addresses are four words, IPv4 in the last.
 */
import {
  CADDR,
  CONN_ENGINE_KEY,
  CONN_IPV6,
  CONN_TEMPLATE,
  DADDR,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  PORTS,
  VADDR,
  WIDE_CADDR,
  WIDE_DADDR,
  WIDE_VADDR,
} from './entry.js';
import { fold, isIn6, isOut6, same } from './match.js';
import type { ConnectionTable } from './table.js';

/** The IPv6 connection of a packet from the client, or 0. `ports`: cport << 16 | vport. */
export function findIn6(
  table: ConnectionTable,
  protocol: number,
  caddr: Int32Array,
  vaddr: Int32Array,
  ports: number,
): number {
  const { words } = table;
  const folded = fold(caddr);
  let entry = table.chain(protocol, folded, ports >>> 16);
  for (; entry !== 0; entry = table.next(entry))
    if (isIn6(words, entry << ENTRY_SHIFT, protocol, caddr, folded, vaddr, ports)) return entry;
  return table.tupleIndex.size === 0 ? 0 : table.tupleIndex.findIn6(protocol, caddr, folded, vaddr, ports);
}

/** The IPv6 connection of a packet from daddr:dport to caddr:cport, or 0. */
export function findOut6(
  table: ConnectionTable,
  protocol: number,
  daddr: Int32Array,
  dport: number,
  caddr: Int32Array,
  cport: number,
): number {
  const { words } = table;
  const folded = fold(caddr);
  let entry = table.chain(protocol, folded, cport);
  for (; entry !== 0; entry = table.next(entry))
    if (isOut6(words, entry << ENTRY_SHIFT, protocol, daddr, dport, caddr, folded, cport)) return entry;
  return table.tupleIndex.size === 0 ? 0 : table.tupleIndex.findOut6(protocol, daddr, dport, caddr, folded, cport);
}

/**
 * The persistence template of a client network, or 0; its client port is 0. Templates of engines do
 * not match (engine-templates.ts).
 */
export function findTemplate(
  table: ConnectionTable,
  family: number,
  protocol: number,
  caddr: Int32Array,
  vaddr: Int32Array,
  vport: number,
): number {
  const { words } = table;
  const key = family === 4 ? caddr[3]! : fold(caddr);
  let entry = table.chain(protocol, key, 0);
  for (; entry !== 0; entry = table.next(entry)) {
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    if ((flags & CONN_TEMPLATE) === 0 || words[at + CADDR] !== key || words[at + PORTS] !== vport) continue;
    if (
      ((words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff) !== protocol ||
      (flags & (CONN_IPV6 | CONN_ENGINE_KEY)) !== (family === 4 ? 0 : CONN_IPV6)
    )
      continue;
    if (sameTemplate(words, at, family, caddr, vaddr)) return entry;
  }
  return 0;
}

function sameTemplate(words: Int32Array, at: number, family: number, caddr: Int32Array, vaddr: Int32Array): boolean {
  if (family === 4) return words[at + VADDR] === vaddr[3];
  const wide = words[at + DADDR]! << ENTRY_SHIFT;
  return same(words, wide + WIDE_CADDR, caddr) && same(words, wide + WIDE_VADDR, vaddr);
}

/**
 * Fills addresses, ports and protocol of a new entry and returns it. 0: the table has no second
 * line for IPv6.
 */
export function fillEntry(
  table: ConnectionTable,
  entry: number,
  family: number,
  protocol: number,
  caddr: Int32Array,
  cport: number,
  vaddr: Int32Array,
  vport: number,
  daddr: Int32Array,
  dport: number,
): number {
  const { words } = table;
  const at = entry << ENTRY_SHIFT;
  words[at + PORTS] = (cport << 16) | vport;
  words[at + DPORT_PROTO_STATE] = (dport << 16) | (protocol << 8);
  if (family === 4) {
    words[at + CADDR] = caddr[3]!;
    words[at + VADDR] = vaddr[3]!;
    words[at + DADDR] = daddr[3]!;
    return entry;
  }
  const line = table.alloc();
  if (line === 0) return 0;
  const wide = line << ENTRY_SHIFT;
  words.set(caddr, wide + WIDE_CADDR);
  words.set(vaddr, wide + WIDE_VADDR);
  words.set(daddr, wide + WIDE_DADDR);
  words[at + CADDR] = fold(caddr);
  words[at + VADDR] = fold(vaddr);
  words[at + DADDR] = line;
  words[at + FLAGS]! |= CONN_IPV6;
  return entry;
}
