/** Reads the connection table of a director. */
import type { AdminClient, ConnectionEntry } from '../control/api/api.js';
import { type Answer, ask } from '../control/api/ask.js';

/** Reads the table page by page: a million entries would be too much for one message. */
export async function readConnections(client: AdminClient): Promise<ConnectionEntry[]> {
  const all: ConnectionEntry[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page: Answer = await ask(client, { op: 'connections', from });
    for (const connection of page.connections ?? []) all.push(connection);
    from = page.next;
  }
  return all;
}
