/** /proc/net/ip_vs_stats and ip_vs_stats_percpu. All numbers are hexadecimal. */
import type { AdminClient, StatsEntry } from '../control/api/api.js';
import { ask } from '../control/api/ask.js';
import { hex, wide } from './hex.js';

export async function statsText(client: AdminClient): Promise<string> {
  const total = await totals(client);
  return [
    '   Total Incoming Outgoing         Incoming         Outgoing',
    '   Conns  Packets  Packets            Bytes            Bytes',
    counts(total),
    '',
    ' Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s',
    rates(total),
    '',
  ].join('\n');
}

/** The counters of all workers are one row, CPU 0. */
export async function statsPerCpuText(client: AdminClient): Promise<string> {
  const total = await totals(client);
  return [
    '       Total Incoming Outgoing         Incoming         Outgoing',
    'CPU    Conns  Packets  Packets            Bytes            Bytes',
    `${hex(0, 1).padStart(3)} ${counts(total)}`,
    `  ~ ${counts(total)}`,
    '',
    '     Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s',
    `    ${rates(total)}`,
    '',
  ].join('\n');
}

async function totals(client: AdminClient): Promise<StatsEntry> {
  const { status } = await ask(client, { op: 'status' });
  if (status === undefined) throw new Error('the director sent no status');
  return status.total;
}

function counts({ conns, inpkts, outpkts, inbytes, outbytes }: StatsEntry): string {
  return row(conns, inpkts, outpkts, inbytes, outbytes);
}

function rates({ cps, inpps, outpps, inbps, outbps }: StatsEntry): string {
  return row(cps, inpps, outpps, inbps, outbps);
}

function row(...values: number[]): string {
  return values.map((value, i) => wide(value, i < 3 ? 8 : 16)).join(' ');
}
