/**
 * The files of IPVS in /proc/net, byte for byte (ip_vs_ctl.c, ip_vs_conn.c, ip_vs_app.c of Linux
 * 6.1).
 */
import type { AdminClient } from '../control/api/api.js';
import { ask } from '../control/api/ask.js';
import { connectionsText, syncText } from './connections.js';
import { servicesText } from './services.js';
import { statsPerCpuText, statsText } from './stats.js';

const TEXTS = {
  ip_vs: servicesText,
  ip_vs_conn: connectionsText,
  ip_vs_conn_sync: syncText,
  ip_vs_stats: statsText,
  ip_vs_stats_percpu: statsPerCpuText,
  ip_vs_app: appText,
} as const satisfies Record<string, (client: AdminClient) => Promise<string>>;

export type ProcName = keyof typeof TEXTS;
export const PROC_NAMES = Object.keys(TEXTS) as ProcName[];

export function procText(name: ProcName, client: AdminClient): Promise<string> {
  return TEXTS[name](client);
}

export function isProcName(name: string): name is ProcName {
  return Object.hasOwn(TEXTS, name);
}

/** The application helpers: one row for each port that they listen on. */
async function appText(client: AdminClient): Promise<string> {
  const { status } = await ask(client, { op: 'status' });
  const rows = (status?.helpers.ftp ?? []).map(
    (port) => `TCP  ${String(port).padEnd(7)} ${'0'.padEnd(6)} ${'ftp'.padEnd(17)}\n`,
  );
  return `prot port    usecnt name\n${rows.join('')}`;
}
