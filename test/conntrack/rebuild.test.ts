/** Tables of a former process: after a rebuild they are what they were, and whatever lies in the memory, they are sound. */
import { describe, expect, it } from 'vitest';
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
  EXPIRES,
  FLAGS,
  HIGH_WATER_WORD,
  LIVE_WORD,
  PORTS,
  TICKS,
  VADDR,
} from '../../src/conntrack/entry.js';
import { fillEntry } from '../../src/conntrack/find-wide.js';
import { linesBytes, sealsBytes, shiftsBytes, type TableMemory } from '../../src/conntrack/memory.js';
import { Rebuild } from '../../src/conntrack/rebuild.js';
import { SHIFT_WORDS } from '../../src/conntrack/seqadj.js';
import { ConnectionTable } from '../../src/conntrack/table.js';
import { Random } from '../../src/dataplane/table/random.js';
import { Destination, Method, VirtualService } from '../../src/service/service.js';
import { Counters, GAUGES } from '../../src/stats/counters.js';
import { TCP, UDP } from '../../src/wire/ipv4.js';

const LINES = 160;
const SECRET = Int32Array.of(0x1234567, 0x89abcde, 0x5ec7e7);
const DESTS = 5;
/** Fuzz runs; `ULVS_RUNS=1000000` for a long one. */
const RUNS = Number(process.env.ULVS_RUNS ?? 150);

function memory(): TableMemory {
  const block = (bytes: number) => ({ buffer: new SharedArrayBuffer(bytes), offset: 0 });
  return { lines: block(linesBytes(LINES)), seals: block(sealsBytes(LINES)), shifts: block(shiftsBytes(LINES)) };
}

/** A process that uses the memory. */
class Process {
  readonly dests: Destination[] = [];
  readonly connections: Connections;
  readonly table: ConnectionTable;
  constructor(
    readonly memory: TableMemory,
    now = 0,
    readonly counters = new Counters(),
  ) {
    counters.gauges.fill(0, 0, DESTS * GAUGES);
    const service = new VirtualService(0);
    for (let slot = 0; slot < DESTS; slot++) this.dests.push(new Destination(slot, service, this.counters));
    this.table = new ConnectionTable(LINES, memory, SECRET);
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
function populated(random: Random, now = 1000): Process {
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

function opened({ connections, table, dests }: Process, random: Random): number {
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

function copied(from: TableMemory): TableMemory {
  const to = memory();
  copy(from, to);
  return to;
}

function copy(from: TableMemory, to: TableMemory): void {
  for (const part of ['lines', 'seals', 'shifts'] as const)
    new Uint8Array(to[part]!.buffer).set(new Uint8Array(from[part]!.buffer));
}

/** What a packet finds, by its tuple. */
function hashed(table: ConnectionTable): number[] {
  const all: number[] = [];
  for (let entry = 1; entry <= table.highWater; entry++)
    if ((table.words[(entry << ENTRY_SHIFT) + FLAGS]! & CONN_HASHED) !== 0) all.push(entry);
  return all;
}

/** The fields of an entry that outlive a process. */
function lasting(table: ConnectionTable, entry: number): number[] {
  const at = entry << ENTRY_SHIFT;
  const volatile = [6, 9, 10, 11];
  const words = [...table.words.subarray(at, at + ENTRY_WORDS)].map((word, i) =>
    i === FLAGS ? word & ~CONN_INDEXED : word,
  );
  return words.filter((_, i) => !volatile.includes(i));
}

function expectSound(process: Process): void {
  expect(faultOf(process)).toBe('');
}

/** Every entry is found by look-ups, every line has one owner, gauges and counts agree, and all of it can end; ''. */
function faultOf(process: Process): string {
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
  if (gauges.some((gauge, i) => gauge !== counters.gauges[i])) return `gauges are not ${gauges}`;
  for (const entry of entries)
    if ((words[(entry << ENTRY_SHIFT) + FLAGS]! & CONN_REVERSE) === 0)
      if (words[(entry << ENTRY_SHIFT) + CONTROLLED] !== (children.get(entry) ?? 0)) return `children of ${entry}`;
  if (table.live < entries.length) return `${table.live} lines for ${entries.length} entries`;
  return faultAtEnd(process);
}

/** All entries end, children first; then no line is in use, and each can be used once. */
function faultAtEnd({ connections, table, counters }: Process): string {
  for (let n = 0; n < 4; n++)
    for (const entry of hashed(table))
      if ((connections.flagsOf(entry) & (CONN_REVERSE | CONN_HASHED)) === CONN_HASHED) connections.expireNow(entry);
  if (table.live !== 0) return `${table.live} lines are left`;
  for (let i = 0; i < DESTS * GAUGES; i++) if (counters.gauges[i] !== 0) return `gauge ${i} is left`;
  const lines = new Set<number>();
  for (let line = table.alloc(); line !== 0; line = table.alloc()) lines.add(line);
  return lines.size === LINES ? '' : `${lines.size} lines can be used`;
}

describe('a table that another process left', () => {
  it('has the same connections, timers and gauges after the rebuild', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const before = populated(new Random(seed));
      const entries = hashed(before.table);
      const kept = entries.map((entry) => lasting(before.table, entry));
      const shifts = [...before.connections.seqAdj].map(([entry, { shift }]) => [entry, shift.toClient(2 ** 30)]);
      const gauges = [...before.counters.gauges.subarray(0, DESTS * GAUGES)];
      const after = new Process(copied(before.memory), 1000);
      const rebuild = after.rebuild();
      expect(rebuild.lost).toBe(0);
      expect(hashed(after.table)).toEqual(entries);
      expect(entries.map((entry) => lasting(after.table, entry))).toEqual(kept);
      expect(after.table.live).toBe(before.table.live);
      expect(
        [...after.connections.seqAdj].map(([entry, { shift }]) => [entry, shift.toClient(2 ** 30)]).sort(),
      ).toEqual(shifts.sort());
      expect([...after.counters.gauges.subarray(0, DESTS * GAUGES)]).toEqual(gauges);
      expectSound(after);
    }
  });

  it('lets no entry through whose words were changed', () => {
    const before = populated(new Random(3));
    for (const entry of hashed(before.table)) {
      const flags = before.connections.flagsOf(entry);
      const words = [CADDR, PORTS, DADDR, ...((flags & CONN_REVERSE) === 0 ? [VADDR] : [])];
      for (const word of words) {
        const after = new Process(copied(before.memory), 1000);
        after.table.words[(entry << ENTRY_SHIFT) + word]! ^= 1 << (entry & 15);
        expect(after.rebuild().lost).toBeGreaterThan(0);
        expect(after.connections.flagsOf(entry) & CONN_HASHED).toBe(0);
      }
      if (entry > 20) break;
    }
  });

  it(`is sound whatever random words lie in it, ${RUNS} times`, { timeout: 60_000 + RUNS }, () => {
    const random = new Random(17);
    const images = Array.from({ length: 50 }, (_, i) => populated(new Random(1 + i)).memory);
    const present = memory();
    const counters = new Counters();
    for (let run = 0; run < RUNS; run++) {
      copy(images[run % 50]!, present);
      damage(new Process(present, 1000, counters), random);
      const after = new Process(present, 1000, counters);
      after.rebuild();
      const fault = faultOf(after);
      if (fault !== '') expect.fail(`run ${run}: ${fault}`);
    }
  });
});

function damage(process: Process, random: Random): void {
  const { words, seals, shifts, highWater } = process.table;
  for (let n = random.below(40); n > 0; n--)
    words[ENTRY_WORDS + random.below(highWater * ENTRY_WORDS)] = random.below(2 ** 32) | 0;
  for (let n = random.below(20); n > 0; n--)
    words[ENTRY_WORDS + random.below(highWater * ENTRY_WORDS)] = random.below(highWater + 20);
  for (let n = random.below(4); n > 0; n--) shifts[random.below(highWater * SHIFT_WORDS)] = random.below(2 ** 32) | 0;
  // As if the writer of the random words knew the secret.
  if (random.below(2) === 0)
    for (const entry of hashed(process.table)) if (isAddressable(process, entry)) process.table.seal(entry);
  seals[0] = 1;
  words[LIVE_WORD] = random.below(2 ** 32) | 0;
  if (random.below(4) === 0) words[HIGH_WATER_WORD] = random.below(2 ** 32) | 0;
}

function isAddressable({ table }: Process, entry: number): boolean {
  const line = table.words[(entry << ENTRY_SHIFT) + DADDR]!;
  return (table.words[(entry << ENTRY_SHIFT) + FLAGS]! & CONN_IPV6) === 0 || (line > 0 && line <= LINES);
}

it('the end of an entry is at most its timeout away', () => {
  const before = populated(new Random(5));
  for (const entry of hashed(before.table)) before.table.words[(entry << ENTRY_SHIFT) + EXPIRES] = 1000 + 2_000_000_000;
  const after = new Process(copied(before.memory), 1000);
  after.rebuild();
  expectSound(after);
});
