/**
 * Warms up the code of a rebuild (conntrack/rebuild) in a worker that stands by. V8 compiles
 * what has run for a while; code that is not compiled takes ten times as long. It runs on a small
 * table of its own, before the other process is asked to stop.
 */
import { Connections } from '../../../conntrack/connections.js';
import { CONN_INACTIVE, TICKS } from '../../../conntrack/entry.js';
import { fillEntry } from '../../../conntrack/find-wide.js';
import { linesBytes, sealsBytes, type TableMemory } from '../../../conntrack/memory.js';
import { Rebuild } from '../../../conntrack/rebuild/rebuild.js';
import { ConnectionTable } from '../../../conntrack/table.js';
import { Destination, Method, VirtualService } from '../../../service/service.js';
import { Counters } from '../../../stats/counters.js';
import { TCP } from '../../../wire/ipv4.js';

const LINES = 8192;
/** As many rebuilds of LINES lines are made, within MOST_MS. */
const ROUNDS = 12;
const MOST_MS = 500;
const STEP = 8192;

/** A table as a former process leaves it. */
function filled(memory: TableMemory, dest: Destination): void {
  const connections = new Connections(new ConnectionTable(LINES, memory), [dest]);
  const { table } = connections;
  const address = (last: number) => Int32Array.of(0, 0, 0, 0x0a000000 | last);
  for (let i = 0; i < LINES; i++) {
    const entry = table.alloc();
    fillEntry(table, entry, 4, TCP, address(i), 1024 + i, address(1), 80, address(2), 80);
    connections.open(entry, dest, CONN_INACTIVE | Method.masq);
    connections.setTimeout(entry, (i & 63) * TICKS + 1);
    connections.settle(entry);
  }
}

/** Rebuilds a small table until the code is compiled. */
export function warmUpRebuild(): void {
  const block = (bytes: number) => ({ buffer: new SharedArrayBuffer(bytes), offset: 0 });
  const memory = { lines: block(linesBytes(LINES)), seals: block(sealsBytes(LINES)) };
  const dest = new Destination(0, new VirtualService(0), new Counters());
  filled(memory, dest);
  const end = performance.now() + MOST_MS;
  for (let round = 0; round < ROUNDS && performance.now() < end; round++) {
    const rebuild = new Rebuild(new Connections(new ConnectionTable(LINES, memory), [dest]));
    while (!rebuild.step(STEP));
  }
}
