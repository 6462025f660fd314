/**
 * Finds connections by addresses that a helper read in the text, not in a header. Addresses are
 * four words.
 */
import { CADDR, DADDR, ENTRY_SHIFT, VADDR, WIDE_CADDR, WIDE_DADDR, WIDE_VADDR } from '../../conntrack/entry.js';
import { findIn6, findOut6 } from '../../conntrack/find-wide.js';
import { copyWords } from '../../wire/address.js';
import type { Director } from '../director.js';

/**
 * Returns the TCP connection of this client address and port, 0 for none. An expired one counts as
 * none.
 */
export function findFromClient(
  d: Director,
  caddr: Int32Array,
  cport: number,
  vaddr: Int32Array,
  vport: number,
): number {
  const { family, protocol } = d.packet;
  const { table } = d.connections;
  const ports = (cport << 16) | vport;
  return alive(
    d,
    family === 4 ? table.findIn4(protocol, caddr[3]!, vaddr[3]!, ports) : findIn6(table, protocol, caddr, vaddr, ports),
  );
}

export function findFromDestination(
  d: Director,
  daddr: Int32Array,
  dport: number,
  caddr: Int32Array,
  cport: number,
): number {
  const { family, protocol } = d.packet;
  const { table } = d.connections;
  return alive(
    d,
    family === 4
      ? table.findOut4(protocol, daddr[3]!, dport, caddr[3]!, cport)
      : findOut6(table, protocol, daddr, dport, caddr, cport),
  );
}

function alive(d: Director, entry: number): number {
  if (entry === 0 || !d.connections.ended(entry)) return entry;
  d.connections.expireNow(entry);
  return 0;
}

export function readClient(d: Director, entry: number, into: Int32Array): void {
  read(d, entry, CADDR, WIDE_CADDR, into);
}
export function readVirtual(d: Director, entry: number, into: Int32Array): void {
  read(d, entry, VADDR, WIDE_VADDR, into);
}
export function readDestination(d: Director, entry: number, into: Int32Array): void {
  read(d, entry, DADDR, WIDE_DADDR, into);
}

/**
 * `narrow`: the IPv4 address's word in the entry; `wide`: where the IPv6 address begins in the
 * second line.
 */
function read(d: Director, entry: number, narrow: number, wide: number, into: Int32Array): void {
  const { words } = d.connections;
  const at = entry << ENTRY_SHIFT;
  if (d.packet.family === 6) copyWords(words, (words[at + DADDR]! << ENTRY_SHIFT) + wide, into);
  else {
    into.fill(0, 0, 3);
    into[3] = words[at + narrow]!;
  }
}
