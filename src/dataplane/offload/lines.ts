/**
 * The lines of a flow table, as the director writes them (device/flow/layout.ts).
 *
 *     free ──► written ──► in force ──► cleared ──► free, 1 s later
 *                             │
 *                             └──► stale: the table's generation was raised.
 *                                  Another connection may claim it 1 s after its last packet.
 *
 * Each line belongs to one worker for good; no other one writes, reads back or frees it. A packet
 * finds it by a slot of its bucket (slots.ts). The generation is written last and cleared first. A
 * line is not used for another connection until a second after its last use, so that no program
 * that runs meets words of two connections.
 */
import { flowHash, mixed6 } from '../../device/flow/hash.js';
import {
  BYTES,
  CLIENT,
  Control,
  GENERATION,
  HOP_SHIFT,
  Hop,
  LEDGER_SHIFT,
  Ledger,
  LINE_SHIFT,
  LINE_WORDS,
  PACKETS,
  PORTS,
  ROW,
  SEEN,
  SLOTS,
  WIDE_GUE,
  WIDE_NEW,
  WIDE_SHIFT,
} from '../../device/flow/layout.js';
import type { FlowMemory } from '../../device/flow/maps.js';
import { FreeLines } from './free-lines.js';
import { FlowSlots } from './slots.js';
import type { FlowTuple } from './tuple.js';

/** A line rests this long (ms) before another connection gets it. */
const REST_MS = 1000;
/** A line in force that saw no packet for this long (ms) makes room. */
const IDLE_MS = 10_000;

export class FlowLines {
  /** By line: its owner + 1, 0 for none; as in the ledger. */
  readonly owners: Int32Array;
  /** By line: bytes that the program puts in front of each packet. */
  readonly overheads: Uint8Array;
  /** By row of the next hops: the lines that name it. */
  readonly rowUsers: Int32Array;
  /** Number of lines with an owner. */
  used = 0;
  /** Lines that were put in force, and connections that found no room. */
  written = 0;
  noRoom = 0;
  /** What the last `grown` found. */
  packets = 0;
  bytes = 0;
  private readonly slots: FlowSlots;
  private readonly free: FreeLines;
  /** Hash and slot of the line that `claim` has found. */
  private hash = 0;
  private slot = 0;

  /** `unitMs`: unit of the times in the lines. `worker`: number of the worker, of so many. */
  constructor(
    private readonly memory: FlowMemory,
    private readonly unitMs: number,
    worker = 0,
    workers = 1,
  ) {
    this.owners = new Int32Array(memory.lines.length >> LINE_SHIFT);
    this.overheads = new Uint8Array(this.owners.length);
    this.rowUsers = new Int32Array(memory.hops.length >> HOP_SHIFT);
    this.slots = new FlowSlots(memory.slots);
    this.free = new FreeLines(memory.lines, this.owners, Math.ceil(REST_MS / unitMs), worker, workers);
  }

  /** A time in ms in units of the lines, wrapping. */
  unitsOf(ms: number): number {
    return Math.floor(ms / this.unitMs) | 0;
  }

  /** Ticks of 10 ms since the last packet of the line. `now` in ms. */
  idleTicks(line: number, now: number): number {
    return Math.floor((this.idleUnits(line, now) * this.unitMs) / 10);
  }

  private idleUnits(line: number, now: number): number {
    const idle = (this.unitsOf(now) - this.memory.lines[(line << LINE_SHIFT) + SEEN]!) | 0;
    return Math.max(idle, 0);
  }

  /**
   * A line that may be written for `from`: a free one, or that of a connection that has not used it
   * for long; 0: there is none. `take` makes it the claimer's. `now` in ms.
   */
  claim(from: FlowTuple, now: number): number {
    this.hash = this.hashOf(from);
    this.slot = this.slots.find(this.hash);
    const like = this.slot < 0 ? 0 : this.slots.lineAt(this.slot);
    if (like !== 0) return this.mayLeave(like, now) ? like : 0;
    const line = this.slot < 0 ? 0 : this.free.take(this.hash, this.unitsOf(now));
    return line === 0 ? this.claimIdle(now) : line;
  }

  /** The line of the bucket that was used before the others, if it may leave. */
  private claimIdle(now: number): number {
    const first = this.slots.first(this.hash);
    let best = 0;
    for (let slot = first; slot < first + SLOTS; slot++) {
      const line = this.slots.lineAt(slot);
      if (!this.mayLeave(line, now) || (best !== 0 && this.idleUnits(line, now) <= this.idleUnits(best, now))) continue;
      best = line;
      this.slot = slot;
    }
    return best;
  }

  private hashOf({ family, saddr, daddr, ports, upper }: FlowTuple): number {
    const { secret } = this.memory;
    if (family === 4) return flowHash(secret, saddr, daddr, ports);
    return flowHash(secret, mixed6(secret, upper, 0, saddr), mixed6(secret, upper, 3, daddr), ports);
  }

  /** A line of this worker has not been used for long. */
  private mayLeave(line: number, now: number): boolean {
    if (this.owners[line] === 0) return false;
    const idle = this.idleUnits(line, now) * this.unitMs;
    if (!this.isInForce(line)) return idle > REST_MS;
    // The rest begins when it is cleared: the next one that looks for room gets it.
    if (idle > IDLE_MS) this.clear(line);
    return idle > IDLE_MS + REST_MS;
  }

  /** Makes a claimed line that of `owner`. False: another worker has the slot. `now` in ms. */
  take(line: number, owner: number, now: number): boolean {
    const isTaken = this.slots.take(this.slot, this.hash, line);
    if (isTaken) this.memory.ledgerWords[(line << LEDGER_SHIFT) + Ledger.owner] = owner + 1;
    else this.release(line, now);
    return isTaken;
  }

  /**
   * Goes on with the lines of a former thread or process. Calls `each` with those of this worker
   * whose connection has the same seal; the others are free. `now` in ms.
   */
  adopt(sealOf: (owner: number) => number | undefined, each: (line: number, owner: number) => void, now: number): void {
    const { ledgerWords } = this.memory;
    this.slots.adopt((line) => this.free.isOwn(line));
    this.free.adopt((line) => {
      const owner = ledgerWords[(line << LEDGER_SHIFT) + Ledger.owner]! - 1;
      const isKept = owner >= 0 && sealOf(owner) === ledgerWords[(line << LEDGER_SHIFT) + Ledger.seal];
      if (isKept) this.keep(line, owner);
      else this.vacate(line, now);
      if (isKept) each(line, owner);
      return isKept;
    });
  }

  private keep(line: number, owner: number): void {
    const { lines, hops } = this.memory;
    const row = lines[(line << LINE_SHIFT) + ROW]!;
    this.rowUsers[row]!++;
    this.owners[line] = owner + 1;
    this.overheads[line] = hops[(row << HOP_SHIFT) + Hop.tunnel]!;
    this.used++;
  }

  /** True when the line is in force. */
  isInForce(line: number): boolean {
    return this.memory.lines[(line << LINE_SHIFT) + GENERATION] === this.memory.control[Control.generation];
  }
  /** Packets of the line go to the director from now on. */
  clear(line: number): void {
    Atomics.store(this.memory.lines, (line << LINE_SHIFT) + GENERATION, 0);
  }

  /** The line belongs to nobody any more. `now` in ms. */
  release(line: number, now: number): void {
    this.vacate(line, now);
    this.free.add(line);
  }

  /** The same for a line that was claimed: its next owner is there. */
  vacate(line: number, now: number): void {
    const { lines, ledgerWords } = this.memory;
    const at = line << LINE_SHIFT;
    this.clear(line);
    this.slots.clear(line);
    if (this.owners[line] !== 0) this.rowUsers[lines[at + ROW]!]!--;
    lines[at + ROW] = 0;
    lines[at + SEEN] = this.unitsOf(now) || 1;
    ledgerWords[(line << LEDGER_SHIFT) + Ledger.owner] = 0;
    if (this.owners[line] !== 0) this.used--;
    this.owners[line] = 0;
  }

  /**
   * Writes a line that was taken, all but its row and its generation. `seal`: as of
   * conntrack/seal.ts.
   */
  write(line: number, owner: number, from: FlowTuple, to: FlowTuple, seal: number): void {
    const { lines, ledger, ledgerWords } = this.memory;
    const at = line << LINE_SHIFT;
    lines[at + CLIENT] = (owner & 1) === 0 ? from.saddr : from.daddr;
    lines[at + PORTS] = from.ports;
    if (from.family === 6) this.writeWide(line, from, to);
    for (let i = at + PACKETS; i < at + LINE_WORDS; i++) lines[i] = 0;
    ledger[(line << (LEDGER_SHIFT - 1)) + Ledger.bytes] = 0;
    ledgerWords[(line << LEDGER_SHIFT) + Ledger.packets] = 0;
    ledgerWords[(line << LEDGER_SHIFT) + Ledger.seal] = seal;
    this.owners[line] = owner + 1;
    this.used++;
  }

  private writeWide(line: number, from: FlowTuple, to: FlowTuple): void {
    const at = line << WIDE_SHIFT;
    for (let i = 0; i < WIDE_NEW; i++) {
      this.memory.wide[at + i] = from.upper[i]!;
      this.memory.wide[at + WIDE_NEW + i] = to.upper[i]!;
    }
  }

  /** Packets of a line that is written go into a tunnel. `ports`: of gue, as in the packet. */
  encapsulate(line: number, bytes: number, ports: number): void {
    this.overheads[line] = bytes;
    if (bytes > 0) this.memory.wide[(line << WIDE_SHIFT) + WIDE_GUE] = ports;
  }

  /** Puts a line that is written in force. `row`: of its next hop. `now` in ms. */
  enforce(line: number, row: number, now: number): void {
    const { lines, control } = this.memory;
    const at = line << LINE_SHIFT;
    this.rowUsers[lines[at + ROW]!]!--;
    this.rowUsers[row]!++;
    lines[at + ROW] = row;
    lines[at + SEEN] = this.unitsOf(now) || 1;
    Atomics.store(lines, at + GENERATION, control[Control.generation]!);
  }

  /** What the line has counted since the last call. Returns false for nothing. */
  grown(line: number): boolean {
    const { lines, ledger, ledgerWords } = this.memory;
    const at = line << LINE_SHIFT;
    const counted = (line << LEDGER_SHIFT) + Ledger.packets;
    const packets = lines[at + PACKETS]!;
    this.packets = (packets - ledgerWords[counted]!) >>> 0;
    if (this.packets === 0) return false;
    const bytes = read64(lines, at + BYTES);
    const countedBytes = (line << (LEDGER_SHIFT - 1)) + Ledger.bytes;
    this.bytes = bytes - ledger[countedBytes]!;
    ledgerWords[counted] = packets;
    ledger[countedBytes] = bytes;
    return true;
  }
}

/** A counter of 64 bits that grows meanwhile. */
function read64(words: Int32Array, at: number): number {
  const high = words[at + 1]!;
  const low = words[at]! >>> 0;
  const again = words[at + 1]!;
  return again === high ? high * 2 ** 32 + low : again * 2 ** 32 + (words[at]! >>> 0);
}
