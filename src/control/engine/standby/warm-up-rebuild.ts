/**
 * Warms up the code of a rebuild (conntrack/rebuild) in a worker that stands by. V8 compiles
 * what has run for a while; code that is not compiled takes ten times as long. It is the director's
 * own table that is rebuilt, because the code is compiled for its arrays (ADR 0004):
 *
 *     another Connections of the same memory fills lines ─► rebuild ─► all end ─► again
 */
import { Connections } from '../../../conntrack/connections.js';
import { CONN_INACTIVE, HIGH_WATER_WORD, TICKS } from '../../../conntrack/entry.js';
import { fillEntry } from '../../../conntrack/find-wide.js';
import type { TableMemory } from '../../../conntrack/memory.js';
import { Rebuild } from '../../../conntrack/rebuild/rebuild.js';
import { ConnectionTable } from '../../../conntrack/table.js';
import type { Director } from '../../../dataplane/director.js';
import { REBUILD_BUDGET } from '../../../dataplane/housekeeping.js';
import type { Destination } from '../../../service/service.js';
import type { Block } from '../../../stats/block.js';
import { TCP, UDP } from '../../../wire/ipv4.js';

const LINES = 8192;
/** As many rebuilds of LINES lines are made, within MOST_MS. */
const ROUNDS = 10;
const MOST_MS = 400;

/**
 * Rebuilds the table of `d` until the code is compiled. Its memory is zeros. `dests`: of the
 * connections; `endAll` ends them.
 */
export function warmUpRebuild(d: Director, dests: readonly Destination[], endAll: () => void): void {
  const lines = Math.min(LINES, d.connections.table.maxEntries);
  const end = performance.now() + MOST_MS;
  for (let round = 0; round < ROUNDS && performance.now() < end; round++) {
    fill(d, lines, dests);
    d.connections.now++;
    d.rebuild = new Rebuild(d.connections);
    while (!d.rebuild.step(REBUILD_BUDGET));
    d.rebuild = undefined;
    endAll();
  }
}

/** Makes the table one that another process leaves. */
function fill(d: Director, lines: number, dests: readonly Destination[]): void {
  const { now, words } = d.connections;
  words[HIGH_WATER_WORD] = 0;
  const table = new ConnectionTable(lines, memoryOf(d.connections.table), d.connections.table.secret);
  table.forgetIndex(0);
  const connections = new Connections(table, d.dests, now);
  const address = (last: number) => Int32Array.of(0, 0, 0, 0x0a000000 | last);
  for (let i = 0; i < lines; i++) {
    const dest = dests[i % dests.length]!;
    const entry = table.alloc();
    if (entry === 0) return;
    fillEntry(table, entry, 4, (i & 1) === 0 ? TCP : UDP, address(i >> 2), 1024 + i, address(1), 80, address(2), 80);
    connections.open(entry, dest, ((i & 2) === 0 ? CONN_INACTIVE : 0) | dest.method);
    connections.setTimeout(entry, (i & 63) * TICKS + 1);
    connections.settle(entry);
  }
}

function memoryOf({ words, seals, shifts }: ConnectionTable): TableMemory {
  return { lines: blockOf(words), seals: partOf(seals), shifts: partOf(shifts) };
}

function partOf(words: Int32Array): Block | undefined {
  return words.length === 0 ? undefined : blockOf(words);
}

function blockOf({ buffer, byteOffset }: Int32Array): Block {
  return { buffer: buffer as SharedArrayBuffer, offset: byteOffset };
}
