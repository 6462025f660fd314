/**
 * What the XDP program has counted and seen comes back to the director: the counters of a line to
 * those of the director, its last packet to the timer of its connection. Lines are read every two
 * seconds, the period of the estimator, some each turn; all at once when somebody asks; one when it
 * is freed or when its timer is due.
 */
import { DEST, ENTRY_SHIFT, EXPIRES, PACKETS, TIMEOUT } from '../../conntrack/entry.js';
import { CPU_WORDS, CPUS, PADDINGS, Told } from '../../device/flow/layout.js';
import type { FlowMemory } from '../../device/flow/maps.js';
import { FrameStat, Stat } from '../../stats/counters.js';
import { ESTIMATE_EVERY } from '../../stats/estimator.js';
import * as ethernet from '../../wire/ethernet.js';
import type { Director } from '../director.js';
import type { FlowLines } from './lines.js';

/** Lines that one turn reads. */
const BUDGET = 4096;

export class FlowReadback {
  /** Packets that the program has forwarded, as far as they were counted here. */
  forwarded = 0;
  private next = 0;
  /** The line at which the running sweep goes on; −1: none runs. */
  private at = -1;

  constructor(
    private readonly d: Director,
    private readonly lines: FlowLines,
    private readonly memory: FlowMemory,
    /** Where the control words have what this worker tells. */
    private readonly told: number,
    private readonly worker: number,
    private readonly workers: number,
  ) {}

  /** Call it once a turn; `now` in ms. */
  tick(now: number): void {
    if (now >= this.next) {
      this.next = now + ESTIMATE_EVERY;
      if (this.at < 0 && this.lines.used > 0) this.at = 0;
      this.foldPadding();
    }
    if (this.at < 0) return;
    const end = Math.min(this.at + BUDGET, this.lines.owners.length);
    this.sweep(this.at, end);
    this.at = end === this.lines.owners.length ? -1 : end;
  }

  /** Reads all lines. */
  all(): void {
    if (this.lines.used > 0) this.sweep(0, this.lines.owners.length);
    this.foldPadding();
    this.at = -1;
  }

  /** Writes the counts for the status, which another thread reads. */
  tell(): void {
    const { control, counts } = this.memory;
    control[this.told + Told.used] = this.lines.used;
    control[this.told + Told.written] = this.lines.written;
    control[this.told + Told.noRoom] = this.lines.noRoom;
    counts[(this.told + Told.packets) >> 1] = this.forwarded;
  }

  private sweep(from: number, end: number): void {
    const { owners } = this.lines;
    for (let line = from; line < end; line++) {
      if (owners[line] === 0) continue;
      this.pull(line + 1, ((owners[line]! - 1) >> 1) << ENTRY_SHIFT);
      this.fold(line);
    }
  }

  /** Sets EXPIRES of the entry at word `at` by the last packet of its line. `place`: line + 1. */
  pull(place: number, at: number): void {
    if (place <= 0) return;
    const { words, now } = this.d.connections;
    const expires = (now - this.lines.idleTicks(place - 1, this.d.now) + words[at + TIMEOUT]!) | 0;
    if (((expires - words[at + EXPIRES]!) | 0) > 0) words[at + EXPIRES] = expires;
  }

  /** Adds what a line has counted to the counters, as if its packets had come to the director. */
  fold(line: number): void {
    if (!this.lines.grown(line)) return;
    const { counters, connections, dests } = this.d;
    const { packets, bytes } = this.lines;
    const { values } = counters;
    const owner = this.lines.owners[line]! - 1;
    const entry = owner >> 1;
    const slot = connections.words[(entry << ENTRY_SHIFT) + DEST]!;
    const dest = slot === 0 ? undefined : dests[slot - 1];
    const column = (owner & 1) === 0 ? Stat.inpkts : Stat.outpkts;
    if (dest?.available === true) {
      this.add(counters.destinationRow(dest.slot) + column);
      this.add(counters.serviceRow(dest.service.slot) + column);
      this.add(counters.totalRow + column);
    }
    const frames = bytes + packets * ethernet.HEADER;
    values[FrameStat.in]! += packets;
    values[FrameStat.inBytes]! += frames;
    values[FrameStat.forwarded]! += packets;
    values[FrameStat.out]! += packets;
    values[FrameStat.outBytes]! += frames + packets * this.lines.overheads[line]!;
    this.forwarded += packets;
    if (column === Stat.inpkts) connections.words[(entry << ENTRY_SHIFT) + PACKETS]! += packets;
  }

  /** Bytes behind packets: each worker counts those of some CPUs. */
  private foldPadding(): void {
    const { control } = this.memory;
    for (let cpu = this.worker; cpu < CPUS; cpu += this.workers) {
      const at = PADDINGS + cpu * CPU_WORDS;
      const padding = control[at]!;
      this.d.counters.values[FrameStat.inBytes]! += (padding - control[at + 1]!) >>> 0;
      control[at + 1] = padding;
    }
  }

  /** The column of bytes is two behind that of packets. */
  private add(at: number): void {
    const { values } = this.d.counters;
    values[at]! += this.lines.packets;
    values[at + (Stat.inbytes - Stat.inpkts)]! += this.lines.bytes;
  }
}
