/**
 * Searches the connection tables of all workers in shared memory, in slices: between two of them
 * the control thread does its other work.
 *
 *     entries  |--slice--|--slice--|--slice--|      matches are counted, those of the page described
 */
import { setImmediate as turn } from 'node:timers/promises';
import { ENTRY_SHIFT, HIGH_WATER_WORD, PACKETS } from '../../conntrack/entry.js';
import type { FoundConnection } from '../api/api.js';
import { type DaddrOf, type Matches, parseQuery } from './connection-query.js';
import { isListed, listed } from './live-counters.js';

/** The tables of a director. */
export interface Searched {
  readonly tables: readonly Int32Array[];
  /** Time of a table, in ticks. */
  tick(table: Int32Array): number;
  readonly daddrOf: DaddrOf;
  /** Places of table i begin at i * span. */
  readonly span: number;
}

/** A page of a search. */
export interface Page {
  readonly query: string;
  readonly offset: number;
  readonly limit: number;
}

export interface Found {
  connections: FoundConnection[];
  total: number;
}

/** Entries in one slice, some 2 ms. */
const SLICE = 32_768;

/** The connections of a page, in the order of the tables, and the number of all that match. */
export async function searchConnections(where: Searched, page: Page): Promise<Found> {
  const matches = parseQuery(page.query, where.daddrOf);
  const found: Found = { connections: [], total: 0 };
  for (const [i, table] of where.tables.entries())
    for (let from = 1; from <= table[HIGH_WATER_WORD]!; from += SLICE) {
      searchSlice(where, i, from, matches, page, found);
      await turn();
    }
  return found;
}

function searchSlice(where: Searched, i: number, from: number, matches: Matches, page: Page, found: Found): void {
  const words = where.tables[i]!;
  const now = where.tick(words);
  const to = Math.min(from + SLICE - 1, words[HIGH_WATER_WORD]!);
  for (let entry = from; entry <= to; entry++) {
    if (!isListed(words, entry, now) || !matches(words, entry << ENTRY_SHIFT)) continue;
    const place = found.total++;
    if (place >= page.offset && place < page.offset + page.limit)
      found.connections.push(described(where, i, entry, now));
  }
}

/** The connection in a place; none when it has ended. */
export function connectionAt(where: Searched, at: number): Found {
  const i = Math.floor(at / where.span);
  const words = where.tables[i];
  const entry = at % where.span;
  if (words === undefined || entry < 1 || entry > words[HIGH_WATER_WORD]!) return { connections: [], total: 0 };
  const now = where.tick(words);
  const connections = isListed(words, entry, now) ? [described(where, i, entry, now)] : [];
  return { connections, total: connections.length };
}

function described({ tables, daddrOf, span }: Searched, i: number, entry: number, now: number): FoundConnection {
  const words = tables[i]!;
  const packets = words[(entry << ENTRY_SHIFT) + PACKETS]! >>> 0;
  return { ...listed(words, entry, now, daddrOf), at: i * span + entry, packets };
}
