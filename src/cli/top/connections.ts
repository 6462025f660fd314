/** Connections of a service or of one destination, read page by page until enough are found. */
import type { AdminClient, ConnectionEntry, DestinationEntry, ServiceEntry } from '../../control/api/api.js';
import { ask } from '../../control/api/ask.js';
import { isFwmark } from '../../service/config.js';

/** Rows that one can look through. */
const MOST = 500;
/** Pages of one reading: 16,384 lines of the table each, which take the director some 30 ms. */
const PAGES = 16;

/** Whose connections. Without `destination`: those of all destinations of the service. */
export interface Whose {
  readonly service: ServiceEntry;
  readonly destination: DestinationEntry | undefined;
}

/** At most 500 connections. `isAll`: there are no more. */
export async function connectionsOf(
  client: AdminClient,
  whose: Whose,
): Promise<{ connections: ConnectionEntry[]; isAll: boolean }> {
  const found: ConnectionEntry[] = [];
  let from: number | undefined = 0;
  for (let page = 0; page < PAGES && from !== undefined && found.length < MOST; page++) {
    const { connections = [], next } = await ask(client, { op: 'connections', from });
    found.push(...connections.filter((one) => isOf(one, whose)));
    from = next;
  }
  return { connections: found.slice(0, MOST), isAll: from === undefined && found.length <= MOST };
}

/** A fwmark service has connections of any virtual address: its destinations decide. */
export function isOf(one: ConnectionEntry, { service: { key, destinations }, destination }: Whose): boolean {
  const servers = destination === undefined ? destinations : [destination];
  const isServed = servers.some(({ address, port }) => address === one.daddr && (port === 0 || port === one.dport));
  if (isFwmark(key)) return isServed;
  const isVirtual = one.vaddr === key.address && one.protocol === key.protocol;
  return isServed && isVirtual && (key.port === 0 || key.port === one.vport);
}
