/** `-L -c`: the connection table in the order in which it was read. */
import type { ConnectionEntry } from '../control/api/api.js';
import type { Label } from './labels.js';

const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'IP',
  1: 'ICMP',
  6: 'TCP',
  17: 'UDP',
  58: 'ICMPv6',
  132: 'SCTP',
};
const WIDTHS = [3, 6, 11, 18, 18] as const;
const HEADING = ['pro', 'expire', 'state', 'source', 'virtual'];

export function printConnections(connections: readonly ConnectionEntry[], engines: boolean, label: Label): string {
  const tail = engines ? `${'destination'.padEnd(18)} ${'pe name'.padEnd(16)} pe_data` : 'destination';
  const rows = connections.map((entry) => printConnection(entry, engines, label));
  return `IPVS connection entries\n${row(HEADING, tail)}${rows.join('')}`;
}

function printConnection(entry: ConnectionEntry, engines: boolean, label: Label): string {
  const { protocol, caddr, cport, vaddr, vport, daddr, dport, state, expires } = entry;
  const name = PROTOCOLS[protocol] ?? `IP_${protocol}`;
  const virtual = label(vaddr, vport, protocol);
  const cells = [name, clock(expires), state, label(caddr, cport, protocol), virtual];
  return row(cells, destinationCells(label(daddr, dport, protocol), entry, engines));
}

function destinationCells(destination: string, { peName, peData }: ConnectionEntry, engines: boolean): string {
  if (!engines || peName === '' || peData === '') return destination;
  return `${destination.padEnd(16)} ${peName.padEnd(18)} ${peData}`;
}

/** Minutes and seconds; minutes may exceed 99. */
function clock(seconds: number): string {
  const digits = (value: number): string => String(value).padStart(2, '0');
  return `${digits(Math.floor(seconds / 60))}:${digits(seconds % 60)}`;
}

function row(cells: readonly string[], tail: string): string {
  return `${cells.map((cell, i) => `${cell.padEnd(WIDTHS[i]!)} `).join('')}${tail}\n`;
}
