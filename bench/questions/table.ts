/**
 * What does a connection cost? The rows are memory, the longest time of one batch of insertions
 * while the table grows, look-ups and expiry, with one and with ten million connections, and one
 * client that opens connections to a whole range of addresses. The reference of a row is its limit.
 * The reference of the single client is the cost of as many clients that connect to one address.
 * Each size is measured three times. A figure is the median of the three. For the longest pauses it
 * is the minimum: a pause caused by the machine's host appears in one run, a pause caused by ulvs
 * appears in each.
 *
 *     node --expose-gc build/bench/questions/table.js [--quick]
 */
import { setTimeout } from 'node:timers/promises';
import { Connections } from '../../src/conntrack/connections.js';
import { CONN_INACTIVE, CONN_OUTGOING, TICKS } from '../../src/conntrack/entry.js';
import { fillEntry } from '../../src/conntrack/find-wide.js';
import { linesBytes, sealsBytes, type TableMemory } from '../../src/conntrack/memory.js';
import { Rebuild } from '../../src/conntrack/rebuild/rebuild.js';
import { ConnectionTable } from '../../src/conntrack/table.js';
import { openWorkerFile } from '../../src/control/state/worker-file.js';
import { useLargePages } from '../../src/device/large-pages.js';
import { median } from '../../src/lab/median.js';
import { orQuick } from '../support/options.js';
import { type Row, report } from '../support/result.js';
import { Skips } from '../support/skips.js';
import { walkRows } from '../support/walk.js';

const TCP = 6;
const VIP = Int32Array.of(0, 0, 0, 0x0a000064);
const RIP = Int32Array.of(0, 0, 0, 0xc0a8010b | 0);
const PORTS = 80;
const LOOKUPS = orQuick(4_000_000, 400_000);
const LIVE_FOR = 60;
/** Timer wheel entries that the director checks between two batches. */
const BUDGET = 256;
/** As dataplane/housekeeping.ts. */
const REBUILD_STEP = 8192;
const client = Int32Array.of(0, 0, 0, 0);

function caddr(flow: number): number {
  return 0x0b000000 | (Math.imul(flow, 0x9e3779b1) & 0xffffff);
}
function cport(flow: number): number {
  return 1024 + (flow % 60000);
}

function mebibytes(): number {
  return process.memoryUsage().rss / 2 ** 20;
}

/** Opens one connection, as the packet path does. */
function open(connections: Connections, flow: number): void {
  const { table } = connections;
  const entry = table.alloc();
  client[3] = caddr(flow);
  fillEntry(table, entry, 4, TCP, client, cport(flow), VIP, PORTS, RIP, 8080);
  connections.open(entry, undefined, CONN_INACTIVE | CONN_OUTGOING);
  connections.setTimeout(entry, LIVE_FOR * TICKS);
  connections.settle(entry);
}

/**
 * The longest of many short steps, in ms. A step during which another process had the processor is
 * not counted.
 */
class Longest {
  ms = 0;

  measure(step: () => void): void {
    const switches = process.resourceUsage().involuntaryContextSwitches;
    const before = performance.now();
    step();
    const ms = performance.now() - before;
    if (process.resourceUsage().involuntaryContextSwitches === switches) this.ms = Math.max(this.ms, ms);
  }
}

/** Opens `count` connections. Returns the longest time of one batch in ms. */
function fill(connections: Connections, count: number): number {
  const longest = new Longest();
  for (let flow = 0; flow < count; flow += BUDGET)
    longest.measure(() => {
      for (let i = flow; i < Math.min(count, flow + BUDGET); i++) open(connections, i);
    });
  return longest.ms;
}

/** Looks up random connections. Returns million look-ups a second. */
function lookups({ table }: Connections, count: number): number {
  let seed = 1;
  let found = 0;
  const before = process.cpuUsage();
  for (let i = 0; i < LOOKUPS; i++) {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    const flow = (seed >>> 0) % count;
    if (table.findIn4(TCP, caddr(flow), VIP[3]!, (cport(flow) << 16) | PORTS) !== 0) found++;
  }
  const { user, system } = process.cpuUsage(before);
  if (found !== LOOKUPS) throw new Error(`${LOOKUPS - found} connections were not found`);
  return LOOKUPS / (user + system);
}

/**
 * Memory with seals, as a state has it. In a file of the directory ULVS_STATE, where that is set.
 */
function memoryFor(lines: number): TableMemory {
  const directory = process.env.ULVS_STATE;
  const block = (bytes: number) => ({ buffer: new SharedArrayBuffer(bytes + 64), offset: 48 });
  if (directory === undefined) return { lines: block(linesBytes(lines)), seals: block(sealsBytes(lines)) };
  const header = { version: 0, layout: '', boot: '', state: 'bench', worker: 0, workers: 1, lines, secret: [1, 2, 3] };
  return openWorkerFile(`${directory}/bench-table`, header, () => {}).table;
}

/**
 * Makes the index of a table again, as the next process does. Returns its time and its longest step
 * in ms.
 */
function rebuild(blocks: TableMemory, count: number): { ms: number; longest: number } {
  const connections = new Connections(new ConnectionTable(count, blocks), []);
  const longest = new Longest();
  const before = performance.now();
  const work = new Rebuild(connections);
  for (let over = false; !over; )
    longest.measure(() => {
      over = work.step(REBUILD_STEP);
    });
  const ms = performance.now() - before;
  if (work.kept !== count) throw new Error(`${count - work.kept} connections were lost: ${work.lost} unsound`);
  return { ms, longest: longest.ms };
}

/**
 * Lets all connections expire at once. Returns million expiries a second and the longest turn in
 * ms.
 */
function expire(connections: Connections): [rate: number, longest: number] {
  const count = connections.table.live;
  const now = connections.now + (LIVE_FOR + 1) * TICKS;
  const longest = new Longest();
  const before = process.cpuUsage();
  while (connections.table.live > 0) longest.measure(() => connections.tick(now, BUDGET));
  const { user, system } = process.cpuUsage(before);
  return [count / (user + system), longest.ms];
}

const ROUNDS = orQuick(3, 1);
/** Millions of connections. */
const SIZES = orQuick([1, 10], [1]);
const skips = new Skips();

async function measure(millions: number): Promise<Row[]> {
  const rounds: Row[][] = [];
  for (let i = 0; i < ROUNDS; i++) {
    process.stderr.write(`${millions}M connections, round ${i + 1} of ${ROUNDS}\r`);
    rounds.push(await once(millions));
  }
  return rounds[0]!.map((row, i) => {
    const values = rounds.map((round) => round[i]!.value);
    return { ...row, value: row.unit === 'ms' ? Math.min(...values) : median(values) };
  });
}

async function once(millions: number): Promise<Row[]> {
  const count = millions * 1_000_000;
  // The memory of the previous table is freed first. That happens a moment after the last reference
  // is gone.
  await setTimeout(100);
  global.gc!();
  await setTimeout(100);
  const before = mebibytes();
  const blocks = memoryFor(count);
  const table = new ConnectionTable(count, blocks);
  // The director uses large pages for the table, too.
  useLargePages(table.words.buffer, table.buckets.buffer);
  const connections = new Connections(table, []);
  const filled = fill(connections, count);
  const taken = mebibytes() - before;
  const rate = lookups(connections, count);
  const rebuilt = rebuild(blocks, count);
  const [ends, drained] = expire(connections);
  const name = (what: string) => `${what}, ${millions}M connections`;
  return [
    { case: name('memory'), value: taken, unit: 'MiB', reference: (millions * 1024) / 10 },
    { case: name(`longest ${BUDGET} insertions`), value: filled, unit: 'ms', reference: 1 },
    { case: name(`longest turn of expiry, ${BUDGET} entries`), value: drained, unit: 'ms', reference: 1 },
    { case: name('rebuild of the index'), value: rebuilt.ms, unit: 'ms', reference: millions * 200 },
    { case: name('longest step of a rebuild, 8192 lines'), value: rebuilt.longest, unit: 'ms' },
    { case: name('look-ups'), value: rate, unit: 'M/s' },
    { case: name('ends'), value: ends, unit: 'M/s' },
  ];
}

/** No rows when the machine has too little memory for `millions` million connections. */
async function sized(millions: number): Promise<Row[]> {
  try {
    return await measure(millions);
  } catch (error) {
    skips.add(`${millions}M connections`, error);
    return [];
  }
}

// The first run is not measured: it lets V8 compile the code.
await once(1);
const rows: Row[] = [];
for (const millions of SIZES) rows.push(...(await sized(millions)));
rows.push(...(await walkRows()));
report({ name: 'table', title: 'Connection table', against: 'limit', rows, skipped: skips.all });
