/**
 * While the connection table is rebuilt (conntrack/rebuild), a packet whose connection is not
 * found may belong to one that comes later. An answer would end it, and a new connection could go
 * to another destination. So the packet is dropped, and its sender repeats it.
 *
 *     a packet ─┬─ of a connection that is found ─► goes on
 *               ├─ a SYN, or no connection ─────────► dropped: rebuilding
 *               └─ neither TCP, UDP nor SCTP ───────► goes on
 */
import { findIn6, findOut6 } from '../../conntrack/find-wide.js';
import * as ipv4 from '../../wire/ipv4.js';
import type { Director } from '../director.js';
import { TCP_ACK, TCP_SYN } from '../parse/packet.js';

/** Returns true for a packet that must not be handled before the rebuild is complete. */
export function mustWait(d: Director): boolean {
  const p = d.packet;
  if (p.protocol !== ipv4.TCP && p.protocol !== ipv4.UDP && p.protocol !== ipv4.SCTP) return false;
  if (p.protocol === ipv4.TCP && (p.tcpFlags & (TCP_SYN | TCP_ACK)) === TCP_SYN) return true;
  return p.family === 4 ? !isFound4(d) : !isFound6(d);
}

function isFound4(d: Director): boolean {
  const { protocol, src, sport, dst, dport } = d.packet;
  const { table } = d.connections;
  return (
    table.findIn4(protocol, src, dst, (sport << 16) | dport) !== 0 ||
    table.findOut4(protocol, src, sport, dst, dport) !== 0
  );
}

function isFound6(d: Director): boolean {
  const { protocol, src6, sport, dst6, dport } = d.packet;
  const { table } = d.connections;
  return (
    findIn6(table, protocol, src6, dst6, (sport << 16) | dport) !== 0 ||
    findOut6(table, protocol, src6, sport, dst6, dport) !== 0
  );
}
