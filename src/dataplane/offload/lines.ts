/**
 * The lines of a flow table, as the director writes them (device/flow/layout.ts).
 *
 *     free ──► written ──► in force ──► cleared ──► free, 1 s later
 *                             │
 *                             └──► stale: the table's generation was raised.
 *                                  Another connection may claim it 1 s after its last packet.
 *
 * Each line has one worker, which takes it by its owner word; no other one writes, reads back or
 * frees it. The generation is written last and cleared first. A line is not used for another
 * connection until a second after its last use, so that no program that runs meets words of two
 * connections.
 */
import { flowHash, mixed6 } from '../../device/flow/hash.js';
import {
  BYTES,
  Control,
  DADDR,
  DELTAS,
  GENERATION,
  HOP_SHIFT,
  Hop,
  LEDGER_SHIFT,
  Ledger,
  LINE_SHIFT,
  NEW_DADDR,
  NEW_PORTS,
  NEW_SADDR,
  OWNER,
  PACKETS,
  PADDING,
  PORTS,
  PROTOCOL_HOP,
  SADDR,
  SEEN,
  WAYS,
  WIDE_NEW,
  WIDE_SHIFT,
  WORKER_SHIFT,
} from '../../device/flow/layout.js';
import type { FlowMemory } from '../../device/flow/maps.js';
import { deltas, type FlowTuple } from './tuple.js';

/** A line rests this long (ms) before another connection gets it. */
const REST_MS = 1000;
/** A line in force that saw no packet for this long (ms) makes room. */
const IDLE_MS = 10_000;
const OWNER_MASK = 2 ** WORKER_SHIFT - 1;

export class FlowLines {
  /** By line: its owner + 1, 0 for none; as OWNER of the line. */
  readonly owners: Int32Array;
  /** By line: bytes that the program puts in front of each packet. */
  readonly overheads: Uint8Array;
  /** Number of lines with an owner. */
  used = 0;
  /** Lines that were put in force, and connections that found no room. */
  written = 0;
  noRoom = 0;
  /** What the last `grown` found. */
  packets = 0;
  bytes = 0;
  padding = 0;
  private readonly mask: number;

  /** `unitMs`: unit of the times in the lines. `worker`: number of the worker. */
  constructor(
    private readonly memory: FlowMemory,
    private readonly unitMs: number,
    private readonly worker = 0,
  ) {
    this.owners = new Int32Array(memory.lines.length >> LINE_SHIFT);
    this.overheads = new Uint8Array(this.owners.length);
    this.mask = 2 ** memory.bits - 1;
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

  /** A line of the bucket of `from` that may be written, −1 when there is none. `now` in ms. */
  claim(from: FlowTuple, now: number): number {
    const first = (this.hashOf(from) & this.mask) * WAYS;
    let best = -1;
    let longest = -1;
    for (let line = first; line < first + WAYS; line++) {
      const idle = this.idleUnits(line, now) * this.unitMs;
      if (idle <= longest || !this.mayLeave(line, idle)) continue;
      best = line;
      longest = idle;
    }
    return best;
  }

  private hashOf({ family, saddr, daddr, ports, upper }: FlowTuple): number {
    const { secret } = this.memory;
    if (family === 4) return flowHash(secret, saddr, daddr, ports);
    return flowHash(secret, mixed6(secret, upper, 0, saddr), mixed6(secret, upper, 3, daddr), ports);
  }

  private mayLeave(line: number, idle: number): boolean {
    const { lines, control } = this.memory;
    const at = line << LINE_SHIFT;
    if (lines[at + OWNER] !== 0 && this.owners[line] === 0) return false;
    if (lines[at + SEEN] === 0 && this.owners[line] === 0) return true;
    if (lines[at + GENERATION] === control[Control.generation]) {
      // The rest begins when it is cleared: the next one that looks for room gets it.
      if (idle > IDLE_MS) Atomics.store(lines, at + GENERATION, 0);
      return idle > IDLE_MS + REST_MS;
    }
    return idle > REST_MS;
  }

  /** Makes a free line that of `owner`. False: another worker was faster. */
  take(line: number, owner: number): boolean {
    const word = (owner + 1) | (this.worker << WORKER_SHIFT);
    return Atomics.compareExchange(this.memory.lines, (line << LINE_SHIFT) + OWNER, 0, word) === 0;
  }

  /**
   * Goes on with the lines of a former thread or process. Calls `each` with those of this worker
   * whose connection has the same seal; the others are free. `now` in ms.
   */
  adopt(sealOf: (owner: number) => number | undefined, each: (line: number, owner: number) => void, now: number): void {
    const { lines, ledgerWords, hops } = this.memory;
    for (let line = 0; line < this.owners.length; line++) {
      const at = line << LINE_SHIFT;
      const word = lines[at + OWNER]!;
      if (word === 0 || word >>> WORKER_SHIFT !== this.worker) continue;
      const owner = (word & OWNER_MASK) - 1;
      if (sealOf(owner) !== ledgerWords[(line << LEDGER_SHIFT) + Ledger.seal]) this.free(line, now);
      else {
        this.owners[line] = owner + 1;
        this.overheads[line] = hops[((lines[at + PROTOCOL_HOP]! >>> 16) << HOP_SHIFT) + Hop.tunnel]!;
        this.used++;
        each(line, owner);
      }
    }
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
  free(line: number, now: number): void {
    const { lines } = this.memory;
    const at = line << LINE_SHIFT;
    this.clear(line);
    lines[at + PROTOCOL_HOP] = 0;
    lines[at + SEEN] = this.unitsOf(now) || 1;
    if (this.owners[line] !== 0) this.used--;
    this.owners[line] = 0;
    // Last: another worker may take the line then.
    Atomics.store(lines, at + OWNER, 0);
  }

  /** Writes a line that was taken, all but its generation. `seal`: as of conntrack/seal.ts. */
  write(line: number, owner: number, protocol: number, from: FlowTuple, to: FlowTuple, seal: number): void {
    const { lines, ledger, ledgerWords } = this.memory;
    const at = line << LINE_SHIFT;
    lines[at + SADDR] = from.saddr;
    lines[at + DADDR] = from.daddr;
    lines[at + PORTS] = from.ports;
    lines[at + PROTOCOL_HOP] = protocol | (from.family << 8);
    lines[at + NEW_SADDR] = to.saddr;
    lines[at + NEW_DADDR] = to.daddr;
    lines[at + NEW_PORTS] = to.ports;
    lines[at + DELTAS] = deltas(from, to);
    if (from.family === 6) this.writeWide(line, from, to);
    for (let i = PACKETS; i < OWNER; i++) lines[at + i] = 0;
    lines[at + PADDING] = 0;
    ledger[(line << (LEDGER_SHIFT - 1)) + Ledger.packets] = 0;
    ledger[(line << (LEDGER_SHIFT - 1)) + Ledger.bytes] = 0;
    ledgerWords[(line << LEDGER_SHIFT) + Ledger.padding] = 0;
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
    if (bytes > 0) this.memory.lines[(line << LINE_SHIFT) + NEW_SADDR] = ports;
  }

  /** Puts a line that is written in force. `hop`: row of its next hop. `now` in ms. */
  enforce(line: number, hop: number, now: number): void {
    const { lines, control } = this.memory;
    const at = line << LINE_SHIFT;
    lines[at + PROTOCOL_HOP] = (lines[at + PROTOCOL_HOP]! & 0xffff) | (hop << 16);
    lines[at + SEEN] = this.unitsOf(now) || 1;
    Atomics.store(lines, at + GENERATION, control[Control.generation]!);
  }

  /** What the line has counted since the last call. Returns false for nothing. */
  grown(line: number): boolean {
    const { lines, ledger, ledgerWords } = this.memory;
    const at = line << LINE_SHIFT;
    const row = line << (LEDGER_SHIFT - 1);
    const packets = read64(lines, at + PACKETS);
    this.packets = packets - ledger[row + Ledger.packets]!;
    if (this.packets === 0) return false;
    const bytes = read64(lines, at + BYTES);
    const padding = lines[at + PADDING]!;
    this.bytes = bytes - ledger[row + Ledger.bytes]!;
    this.padding = (padding - ledgerWords[(row << 1) + Ledger.padding]!) >>> 0;
    ledger[row + Ledger.packets] = packets;
    ledger[row + Ledger.bytes] = bytes;
    ledgerWords[(row << 1) + Ledger.padding] = padding;
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
