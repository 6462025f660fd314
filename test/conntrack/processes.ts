/** Processes with connections of every sort, for tests of what outlives a process. */
import { expect } from 'vitest';
import { Connections } from '../../src/conntrack/connections.js';
import { setEngineKey, TemplateKey } from '../../src/conntrack/engine-templates.js';
import {
  CADDR,
  CONN_FULLNAT,
  CONN_HASHED,
  CONN_INACTIVE,
  CONN_INDEXED,
  CONN_IPV6,
  CONN_REVERSE,
  CONN_TEMPLATE,
  CONTROL,
  CONTROLLED,
  DADDR,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  ENTRY_WORDS,
  FLAGS,
  PORTS,
  TICKS,
  VADDR,
} from '../../src/conntrack/entry.js';
import { fillEntry } from '../../src/conntrack/find-wide.js';
import { linesBytes, sealsBytes, shiftsBytes, type TableMemory } from '../../src/conntrack/memory.js';
import { Rebuild } from '../../src/conntrack/rebuild/rebuild.js';
import { ConnectionTable } from '../../src/conntrack/table.js';
import type { Random } from '../../src/dataplane/table/random.js';
import { Destination, Method, VirtualService } from '../../src/service/service.js';
import { Counters, GAUGES, Gauge } from '../../src/stats/counters.js';
import { TCP, UDP } from '../../src/wire/ipv4.js';

export const LINES = 160;
export const SECRET = Int32Array.of(0x1234567, 0x89abcde, 0x5ec7e7);
export const DESTS = 5;

export function memory(lines = LINES): TableMemory {
  const block = (bytes: number) => ({ buffer: new SharedArrayBuffer(bytes), offset: 0 });
  return { lines: block(linesBytes(lines)), seals: block(sealsBytes(lines)), shifts: block(shiftsBytes(lines)) };
}

/** A process that uses the memory. */
export class Process {
  readonly dests: Destination[] = [];
  readonly connections: Connections;
  readonly table: ConnectionTable;
  constructor(
    readonly memory: TableMemory,
    now = 0,
    readonly counters = new Counters(),
    lines = LINES,
    secret: Int32Array = SECRET,
    isFirst = true,
  ) {
    if (isFirst) counters.gauges.fill(0, 0, DESTS * GAUGES);
    const service = new VirtualService(0);
    for (let slot = 0; slot < DESTS; slot++) this.dests.push(new Destination(slot, service, this.counters));
    this.table = new ConnectionTable(lines, memory, secret);
    this.connections = new Connections(this.table, this.dests, now);
    this.connections.helperPorts = [21];
  }

  rebuild(): Rebuild {
    const rebuild = new Rebuild(this.connections);
    for (let n = 0; !rebuild.step(100); n++) if (n > 10 * LINES) throw new Error('the rebuild does not end');
    return rebuild;
  }
}

/** A process with connections of every sort, some of them ended again. */
export function populated(random: Random, now = 1000): Process {
  const process = new Process(memory(), now);
  const { connections } = process;
  for (let i = 0; i < 100; i++) {
    const entry = opened(process, random);
    if (entry === 0) continue;
    connections.touch(entry);
    if (random.below(4) === 0) connections.expireNow(entry);
  }
  return process;
}

const words4 = (random: Random) => Int32Array.of(0, 0, 0, 0x0a000000 + random.below(200));

export function opened({ connections, table, dests }: Process, random: Random): number {
  const kind = random.below(6);
  const family = kind === 1 ? 6 : 4;
  const address = () => (family === 4 ? words4(random) : Int32Array.of(1, 2, 3, random.below(1000)));
  const entry = table.alloc();
  if (entry === 0) return 0;
  const dest = dests[random.below(DESTS)]!;
  const [cport, vport] = kind === 2 ? [0, 80] : [1000 + random.below(50), random.below(4) === 0 ? 21 : 80];
  const protocol = random.below(5) === 0 ? UDP : TCP;
  if (fillEntry(table, entry, family, protocol, address(), cport, address(), vport, address(), 8080) === 0) {
    table.free(entry);
    return 0;
  }
  if (kind === 3) {
    const key = new TemplateKey();
    key.engine = 1;
    key.bytes = Buffer.from('call-id '.repeat(1 + random.below(30)));
    key.length = Math.min(255, key.bytes.length);
    if (!setEngineKey(table, entry, key)) {
      table.free(entry);
      return 0;
    }
  }
  const isTemplate = kind === 2 || kind === 3;
  const method = kind === 4 ? Method.fullnat : Method.masq;
  connections.open(entry, dest, CONN_INACTIVE | method | (isTemplate ? CONN_TEMPLATE : 0));
  if (kind === 4 && !reversed(table, entry)) {
    connections.expireNow(entry);
    return 0;
  }
  connections.setTimeout(entry, (1 + random.below(1000)) * TICKS);
  if (isTemplate) return entry;
  if (protocol === TCP && kind !== 4) {
    connections.states.tcp(entry, 0, 0x02);
    if (random.below(2) === 0) connections.states.tcp(entry, 0, 0x10);
  }
  if ((connections.flagsOf(entry) & 0x800000) !== 0)
    connections.seqAdjOf(entry).shift.resized(random.below(1 << 30), 7);
  const parent = 1 + random.below(entry);
  if ((connections.flagsOf(parent) & (CONN_TEMPLATE | CONN_HASHED)) === (CONN_TEMPLATE | CONN_HASHED))
    connections.control(entry, parent);
  return entry;
}

let port = 1024;
function reversed(table: ConnectionTable, entry: number): boolean {
  const { words } = table;
  const line = table.alloc();
  if (line === 0) return false;
  const [at, back] = [entry << ENTRY_SHIFT, line << ENTRY_SHIFT];
  words[back + CADDR] = 0x0a0000fe;
  words[back + PORTS] = port++ << 16;
  words[back + DADDR] = words[at + DADDR]!;
  words[back + DPORT_PROTO_STATE] = words[at + DPORT_PROTO_STATE]! & ~0xff;
  words[back + FLAGS] = CONN_REVERSE;
  words[back + CONTROL] = entry;
  words[at + DADDR] = line;
  words[at + FLAGS]! |= CONN_FULLNAT;
  table.seal(entry);
  table.insert(line);
  return true;
}

export function copied(from: TableMemory): TableMemory {
  const to = memory();
  copy(from, to);
  return to;
}

export function copy(from: TableMemory, to: TableMemory): void {
  for (const part of ['lines', 'seals', 'shifts'] as const)
    new Uint8Array(to[part]!.buffer).set(new Uint8Array(from[part]!.buffer));
}

/** What a packet finds, by its tuple. */
export function hashed(table: ConnectionTable): number[] {
  const all: number[] = [];
  for (let entry = 1; entry <= table.highWater; entry++)
    if ((table.words[(entry << ENTRY_SHIFT) + FLAGS]! & CONN_HASHED) !== 0) all.push(entry);
  return all;
}

/** The fields of an entry that outlive a process. */
export function lasting(table: ConnectionTable, entry: number): number[] {
  const at = entry << ENTRY_SHIFT;
  const volatile = [6, 9, 10, 11];
  const words = [...table.words.subarray(at, at + ENTRY_WORDS)].map((word, i) =>
    i === FLAGS ? word & ~CONN_INDEXED : word,
  );
  return words.filter((_, i) => !volatile.includes(i));
}

export function expectSound(process: Process): void {
  expect(faultOf(process)).toBe('');
}

/** The columns from `answered` on only grow: a rebuild leaves them as they are. */
export function isGauge(_: number, i: number): boolean {
  return i % GAUGES < Gauge.answered;
}

/** Every entry is found by look-ups, every line has one owner, gauges and counts agree, and all of it can end; ''. */
export function faultOf(process: Process, room = LINES): string {
  const { table, connections, counters } = process;
  const { words } = table;
  const entries = hashed(table);
  const gauges = new Int32Array(DESTS * GAUGES);
  const children = new Map<number, number>();
  for (const entry of entries) {
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    const protocol = (words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff;
    if ((flags & (CONN_TEMPLATE | CONN_IPV6 | CONN_REVERSE)) === 0)
      if (table.findIn4(protocol, words[at + CADDR]!, words[at + VADDR]!, words[at + PORTS]!) === 0)
        return `entry ${entry} is not found`;
    if ((flags & CONN_REVERSE) !== 0) continue;
    if (words[at + CONTROL] !== 0) children.set(words[at + CONTROL]!, (children.get(words[at + CONTROL]!) ?? 0) + 1);
    const dest = connections.destOf(entry);
    if (dest === undefined) continue;
    const row = dest.slot * GAUGES;
    gauges[row + 3]!++;
    gauges[row + ((flags & CONN_TEMPLATE) !== 0 ? 2 : (flags & CONN_INACTIVE) !== 0 ? 1 : 0)]!++;
  }
  if (gauges.some((gauge, i) => isGauge(gauge, i) && gauge !== counters.gauges[i])) return `gauges are not ${gauges}`;
  for (const entry of entries)
    if ((words[(entry << ENTRY_SHIFT) + FLAGS]! & CONN_REVERSE) === 0)
      if (words[(entry << ENTRY_SHIFT) + CONTROLLED] !== (children.get(entry) ?? 0)) return `children of ${entry}`;
  if (table.live < entries.length) return `${table.live} lines for ${entries.length} entries`;
  return faultAtEnd(process, room);
}

/** All entries end, children first; then no line is in use, and each can be used once. */
function faultAtEnd({ connections, table, counters }: Process, room: number): string {
  for (let n = 0; n < 4; n++)
    for (const entry of hashed(table))
      if ((connections.flagsOf(entry) & (CONN_REVERSE | CONN_HASHED)) === CONN_HASHED) connections.expireNow(entry);
  if (table.live !== 0) return `${table.live} lines are left`;
  for (let i = 0; i < DESTS * GAUGES; i++) if (isGauge(0, i) && counters.gauges[i] !== 0) return `gauge ${i} is left`;
  const lines = new Set<number>();
  for (let line = table.alloc(); line !== 0; line = table.alloc()) lines.add(line);
  return lines.size === room ? '' : `${lines.size} lines can be used`;
}
