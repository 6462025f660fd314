/**
 * The connection tables of all workers as one list with pages.
 *
 *     table 0 │ table 1 │ …     the place of an entry of table i is i * SPAN + entry
 */
import { HIGH_WATER_WORD } from '../../conntrack/entry.js';
import type { ConnectionEntry } from '../api/api.js';
import type { Searched } from './connection-search.js';
import type { Forwarding } from './forwarding.js';
import { listConnections } from './live-counters.js';

/** Entries of the connection table in one page, which takes some 30 ms. */
const PAGE = 16_384;
const SPAN = 2 ** 25;

export class Listing {
  /** Addresses by destination slot, for connections with a destination of the other family. */
  readonly daddrs: string[] = [];

  constructor(private readonly forwarding: Forwarding) {}

  /** What a search goes through. */
  get all(): Searched {
    const { tables, tick } = this.forwarding;
    return { tables, tick, daddrOf: this.daddrOf, span: SPAN };
  }

  /** A page of the connection tables that begins at `from`; without `from` all connections. */
  page(from?: number): { connections: ConnectionEntry[]; next?: number } {
    const { tables } = this.forwarding;
    if (from === undefined)
      return { connections: tables.flatMap((table) => this.listed(table, 1, table[HIGH_WATER_WORD]!)) };
    const number = Math.floor(from / SPAN);
    const table = tables[number];
    if (table === undefined) return { connections: [] };
    const first = Math.max(from % SPAN, 1);
    const last = Math.min(first + PAGE - 1, table[HIGH_WATER_WORD]!);
    const connections = this.listed(table, first, last);
    if (last < table[HIGH_WATER_WORD]!) return { connections, next: number * SPAN + last + 1 };
    return number + 1 < tables.length ? { connections, next: (number + 1) * SPAN } : { connections };
  }

  private listed(table: Int32Array, first: number, last: number): ConnectionEntry[] {
    return listConnections(table, this.forwarding.tick(table), this.daddrOf, first, last);
  }

  private readonly daddrOf = (slot: number) => this.daddrs[slot] ?? '';
}
