/**
 * Copies the connections of former tables into empty ones: of another size, of another number of
 * workers. It trusts no word of the former memory but the sealed ones (sound.ts). The index of the
 * new tables is made later (rebuild.ts).
 *
 *     former table ─► sealed entry ─► table of its owner ─► copy its lines ─► replace the numbers ─► seal it
 *                     (others are     (the worker that                        of lines
 *                     left out)       the key's hash names)
 *
 * Its lines are the entry, its second line, the key, the reverse line and the sequence shifts.
 * A child stays tied to its parent where both come into the same table.
 */
import { rehashKey } from '../../conntrack/engine-templates.js';
import {
  CONN_ENGINE_KEY,
  CONN_FULLNAT,
  CONN_HASHED,
  CONN_INDEXED,
  CONN_IPV6,
  CONN_REVERSE,
  CONTROL,
  CONTROLLED,
  DADDR,
  ENTRY_SHIFT,
  ENTRY_WORDS,
  FLAGS,
  KEY,
  linesOf,
  NEXT,
  WITH_SHIFTS,
} from '../../conntrack/entry.js';
import { Soundness } from '../../conntrack/rebuild/sound.js';
import { SeqAdjRows } from '../../conntrack/seqadj.js';
import type { ConnectionTable } from '../../conntrack/table.js';

/** The number of the table that gets an entry. `former`: the number of its former table. */
export type OwnerOf = (words: Int32Array, entry: number, former: number) => number;

/** Where the entries of one former table are now. */
interface Places {
  /** Lines; 0: the entry was not taken. */
  readonly lines: Int32Array;
  readonly tables: Uint16Array;
}

/** One transfer into the tables `to`, which are empty. */
export class Transfer {
  /** Entries that go on, reverse lines not counted. */
  kept = 0;
  /** Entries that were not sound. */
  lost = 0;
  /** Entries for which the new table had no room. */
  unfit = 0;

  constructor(
    private readonly to: readonly ConnectionTable[],
    private readonly ownerOf: OwnerOf,
  ) {}

  /** Takes the entries of the former table number `former`. */
  take(from: ConnectionTable, former: number): void {
    const end = Math.max(0, Math.min(from.highWater, from.maxEntries));
    const soundness = new Soundness(from, end, () => true);
    const places = { lines: new Int32Array(end + 1), tables: new Uint16Array(end + 1) };
    for (let entry = 1; entry <= end; entry++) {
      const flags = from.words[(entry << ENTRY_SHIFT) + FLAGS]!;
      if ((flags & CONN_HASHED) === 0) continue;
      if (!soundness.isSound(entry)) this.lost++;
      // The connection of a reverse line brings it.
      else if ((flags & CONN_REVERSE) === 0) this.place(from, entry, former, places);
    }
    for (let entry = 1; entry <= end; entry++) this.tie(from.words, entry, places);
  }

  private place(from: ConnectionTable, entry: number, former: number, places: Places): void {
    const owner = this.ownerOf(from.words, entry, former);
    const line = copyEntry(from, entry, this.to[owner]!);
    places.lines[entry] = line;
    places.tables[entry] = owner;
    if (line === 0) this.unfit++;
    else this.kept++;
  }

  private tie(words: Int32Array, entry: number, { lines, tables }: Places): void {
    if (lines[entry] === 0) return;
    const parent = words[(entry << ENTRY_SHIFT) + CONTROL]!;
    if (parent < 1 || parent >= lines.length || lines[parent] === 0 || tables[parent] !== tables[entry]) return;
    const there = this.to[tables[entry]!]!.words;
    there[(lines[entry]! << ENTRY_SHIFT) + CONTROL] = lines[parent]!;
    there[(lines[parent]! << ENTRY_SHIFT) + CONTROLLED]!++;
  }
}

/** Returns the line of the copy; 0: there is no room for all lines of the entry. */
function copyEntry(from: ConnectionTable, entry: number, to: ConnectionTable): number {
  const at = entry << ENTRY_SHIFT;
  const flags = from.words[at + FLAGS]!;
  const needed = linesOf(from.words, at) + ((flags & CONN_FULLNAT) === 0 ? 0 : 1);
  if (to.maxEntries - to.highWater < needed) return 0;
  const copy = copyLine(from, entry, to);
  const there = copy << ENTRY_SHIFT;
  const { words } = to;
  words[there + CONTROL] = words[there + CONTROLLED] = 0;
  if ((flags & CONN_IPV6) !== 0) words[there + DADDR] = copyLine(from, from.words[at + DADDR]!, to);
  if ((flags & CONN_FULLNAT) !== 0) words[there + DADDR] = copyReverse(from, from.words[at + DADDR]!, to, copy);
  if ((flags & CONN_ENGINE_KEY) !== 0) {
    words[there + KEY] = copyKeyLines(from, from.words[at + KEY]!, to);
    rehashKey(to, copy);
  }
  finish(from, entry, to, copy);
  return copy;
}

function copyReverse(from: ConnectionTable, reverse: number, to: ConnectionTable, connection: number): number {
  const copy = copyLine(from, reverse, to);
  to.words[(copy << ENTRY_SHIFT) + CONTROL] = connection;
  finish(from, reverse, to, copy);
  return copy;
}

function copyKeyLines(from: ConnectionTable, first: number, to: ConnectionTable): number {
  const copy = copyLine(from, first, to);
  let last = copy;
  for (let line = from.next(first); line !== 0; line = from.next(line)) {
    const next = copyLine(from, line, to);
    to.words[(last << ENTRY_SHIFT) + NEXT] = next;
    last = next;
  }
  return copy;
}

function copyLine(from: ConnectionTable, line: number, to: ConnectionTable): number {
  const copy = to.alloc();
  const at = line << ENTRY_SHIFT;
  for (let i = 0; i < ENTRY_WORDS; i++) to.words[(copy << ENTRY_SHIFT) + i] = from.words[at + i]!;
  return copy;
}

/** All words that the seal covers are in their place. */
function finish(from: ConnectionTable, entry: number, to: ConnectionTable, copy: number): void {
  const there = copy << ENTRY_SHIFT;
  to.words[there + FLAGS]! &= ~CONN_INDEXED;
  to.words[there + NEXT] = 0;
  to.seal(copy);
  if ((to.words[there + FLAGS]! & WITH_SHIFTS) === 0) return;
  new SeqAdjRows(from.shifts).copy(entry, from.seals[entry]!, new SeqAdjRows(to.shifts), copy, to.seals[copy]!);
}
