import type { AdminClient, ConnectionEntry } from '../control/api/api.js';
import { type Answer, ask } from '../control/api/ask.js';

/** The connection table, page by page: neither side holds a million of them in one line. */
export async function readConnections(client: AdminClient): Promise<ConnectionEntry[]> {
  const all: ConnectionEntry[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page: Answer = await ask(client, { op: 'connections', from });
    for (const connection of page.connections ?? []) all.push(connection);
    from = page.next;
  }
  return all;
}
