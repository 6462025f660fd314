/** Connections in the answers of a director. */

/**
 * A connection, as in /proc/net/ip_vs_conn. A fwmark template has protocol 0 and the mark as its
 * virtual address.
 */
export interface ConnectionEntry {
  protocol: number;
  family: 4 | 6;
  caddr: string;
  cport: number;
  vaddr: string;
  vport: number;
  daddr: string;
  dport: number;
  state: string;
  /** Whole seconds until it ends. */
  expires: number;
  peName: string;
  peData: string;
  /** It came by a synchronisation message. */
  synced: boolean;
}

/** A connection that a search has found. */
export interface FoundConnection extends ConnectionEntry {
  /** Its place in the tables, for the request `connection`. A later one may get the place. */
  at: number;
  /** Packets from the client, modulo 2^32. */
  packets: number;
}
