/** /proc/net/ip_vs_conn and ip_vs_conn_sync. The rows have the order of the connection table. */
import type { AdminClient, ConnectionEntry } from '../control/api/api.js';
import { address, hex } from './hex.js';
import { readConnections } from './read-connections.js';

const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'IP',
  1: 'ICMP',
  6: 'TCP',
  17: 'UDP',
  58: 'ICMPv6',
  132: 'SCTP',
};
const COLUMNS = 'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State      ';

export async function connectionsText(client: AdminClient): Promise<string> {
  const rows = (await readConnections(client)).map((one) => `${flow(one)} ${seconds(one)}${engine(one)}\n`);
  return `${COLUMNS} Expires PEName PEData\n${rows.join('')}`;
}

/** With the origin of each entry: SYNC when it came by a synchronisation message, else LOCAL. */
export async function syncText(client: AdminClient): Promise<string> {
  const rows = (await readConnections(client)).map(
    (one) => `${flow(one)} ${(one.synced ? 'SYNC' : 'LOCAL').padEnd(6)} ${seconds(one)}\n`,
  );
  return `${COLUMNS} Origin Expires\n${rows.join('')}`;
}

function flow({ protocol, caddr, cport, vaddr, vport, daddr, dport, state }: ConnectionEntry): string {
  const name = (PROTOCOLS[protocol] ?? `IP_${protocol}`).padEnd(3);
  const ends = [
    [caddr, cport],
    [vaddr, vport],
    [daddr, dport],
  ] as const;
  return `${name} ${ends.map(([ip, port]) => `${address(ip)} ${hex(port, 4)}`).join(' ')} ${state.padEnd(11)}`;
}

function seconds({ expires }: ConnectionEntry): string {
  return String(expires).padStart(7);
}

function engine({ peName, peData }: ConnectionEntry): string {
  return peName === '' ? '' : ` ${peName} ${peData}`;
}
