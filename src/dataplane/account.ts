/**
 * Accounting of a connection's packet: counters, and the state by its protocol's table
 * (ip_vs_in_stats, ip_vs_out_stats, set_tcp_state).
 */
import type { Direction } from '../conntrack/states.js';
import { Stat } from '../stats/counters.js';
import * as ipv4 from '../wire/ipv4.js';
import * as sctp from '../wire/sctp.js';
import type { Director } from './director.js';

/** Counts the packet for destination, service and total, while the destination exists. */
export function countIn(d: Director, entry: number): void {
  count(d, entry, Stat.inpkts, d.packet.l3len);
}
export function countOut(d: Director, entry: number, bytes: number): void {
  count(d, entry, Stat.outpkts, bytes);
}

function count(d: Director, entry: number, packets: number, bytes: number): void {
  const dest = d.connections.destOf(entry);
  if (dest === undefined || !dest.available) return;
  const { counters } = d;
  bump(counters.values, counters.destinationRow(dest.slot) + packets, bytes);
  bump(counters.values, counters.serviceRow(dest.service.slot) + packets, bytes);
  bump(counters.values, counters.totalRow + packets, bytes);
}

/** The column of bytes is two columns behind the column of packets. */
function bump(values: Float64Array, at: number, bytes: number): void {
  values[at]!++;
  values[at + (Stat.inbytes - Stat.inpkts)]! += bytes;
}

/** Counts a scheduled connection. */
export function countConnection(d: Director, destSlot: number, serviceSlot: number): void {
  const { counters } = d;
  counters.values[counters.destinationRow(destSlot) + Stat.conns]!++;
  counters.values[counters.serviceRow(serviceSlot) + Stat.conns]!++;
  counters.values[counters.totalRow + Stat.conns]!++;
}

type Side = (typeof Direction)['input' | 'output'];

export function setState(d: Director, entry: number, direction: Side): void {
  if (d.traced === undefined) return nextState(d, entry, direction);
  const before = d.connections.stateOf(entry);
  nextState(d, entry, direction);
  d.traced.noteState(entry, before);
}

function nextState(d: Director, entry: number, direction: Side): void {
  const p = d.packet;
  if (p.protocol === ipv4.TCP) d.connections.states.tcp(entry, direction, p.tcpFlags);
  else if (p.protocol === ipv4.UDP) d.connections.states.udp(entry, direction);
  else if (p.protocol === ipv4.SCTP) sctpState(d, entry, direction);
}

function sctpState(d: Director, entry: number, direction: number): void {
  const p = d.packet;
  const { view } = d.umem;
  const first = p.l4 + sctp.HEADER;
  const end = p.l4 + p.l4len;
  // Too short for a chunk: the kernel keeps state and timeout.
  if (first + sctp.CHUNK_HEADER > end) return;
  const next = sctp.nextChunk(view, first, end);
  d.connections.states.sctp(entry, direction, sctp.chunkType(view, first), next < 0 ? -1 : sctp.chunkType(view, next));
}
