/**
 * Expected connections (nf_conntrack's expectations): data connections of FTP. The client's port of
 * one may be unknown until its first packet comes.
 */
import type { Connections } from './connections.js';
import { CONN_NO_CPORT, DPORT_PROTO_STATE, ENTRY_SHIFT, FLAGS, PORTS, TIMEOUT } from './entry.js';
import { Tcp } from './tcp.js';

/** Sets an expected connection to LISTEN. The counts of active connections do not change. */
export function listen(connections: Connections, entry: number): void {
  const at = entry << ENTRY_SHIFT;
  const { words } = connections;
  words[at + DPORT_PROTO_STATE] = (words[at + DPORT_PROTO_STATE]! & ~0xff) | Tcp.LISTEN;
  words[at + TIMEOUT] = connections.states.timeouts.tcp[Tcp.LISTEN]!;
  connections.touch(entry);
}

/** Sets the client's port, which the first packet of an expected connection has. */
export function fillClientPort(connections: Connections, entry: number, cport: number): void {
  const at = entry << ENTRY_SHIFT;
  const { words, table } = connections;
  table.remove(entry);
  words[at + PORTS] = (cport << 16) | (words[at + PORTS]! & 0xffff);
  words[at + FLAGS]! &= ~CONN_NO_CPORT;
  connections.withoutPort--;
  table.insert(entry);
}
