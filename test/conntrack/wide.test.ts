/** The second line of an IPv6 connection is no connection, whatever addresses are in it. */
import { expect, it } from 'vitest';
import { Connections } from '../../src/conntrack/connections.js';
import { fillEntry } from '../../src/conntrack/find-wide.js';
import { ConnectionTable } from '../../src/conntrack/table.js';
import { listConnections } from '../../src/control/server/live-counters.js';
import { parse6 } from '../../src/wire/address.js';

it('is never listed', () => {
  const connections = new Connections(new ConnectionTable(100), []);
  const { table } = connections;
  // Its second word has the bit that marks a connection in the table, where such a mark would be.
  const address = parse6('2001:db8:0:40::1')!;
  const entry = fillEntry(table, table.alloc(), 6, 6, address, 4000, address, 21, address, 21);
  connections.open(entry, undefined, 0);
  expect(table.live).toBe(2);
  expect(listConnections(connections.words, 0, () => '')).toHaveLength(1);
});
