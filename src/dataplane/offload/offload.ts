/**
 * Offload: established connections whose packets the XDP program forwards by the flow table
 * (device/flow/layout.ts). The director stays the one that decides. What it has just done with a
 * packet of a connection becomes a line of the table; the program does the same with the packets
 * that follow, until the line or the generation is withdrawn.
 *
 *     packet ─► fast path or slow path ─ note ─► pending ─ the frames were sent ─► line in force
 *
 *     packets of the line ─► program: count, last seen        state changes ──► line cleared
 *                              │                              rules, routes …─► generation + 1
 *                              └─ fold: counters              entry ends ─────► line freed
 *                              └─ pull: EXPIRES of the entry
 *
 * Of each direction of a connection it knows the line: 0 none, PENDING, NO_ROOM, line + 1, or, of a
 * UDP connection with few packets, when it began (BORN).
 */
import { DPORT_PROTO_STATE, ENTRY_SHIFT, EXPIRES, PACKETS } from '../../conntrack/entry.js';
import type { Offloaded } from '../../conntrack/states.js';
import { Tcp } from '../../conntrack/tcp.js';
import { Control, TOLD_WORDS, Told } from '../../device/flow/layout.js';
import type { FlowMemory } from '../../device/flow/maps.js';
import * as ipv4 from '../../wire/ipv4.js';
import type { Director } from '../director.js';
import { tellAlive } from './alive.js';
import { FlowHops } from './hops.js';
import { FlowLines } from './lines.js';
import { FlowReadback } from './readback.js';
import { FlowRegister, NO_ROOM, PENDING } from './register.js';

/** A connection is offloaded from this packet of its client on: a short one never is. */
const AFTER_TCP = 4;
const AFTER_UDP = 8;
/** A UDP connection that lives this long (ms) needs fewer packets. */
const OLD_MS = 1000;
/** One in so many packets looks for room again. */
const RETRY = 64;
/** From here down: the time of the first packet of a datagram flow, in ms, negative. */
const BORN = -3;
const BORN_MASK = 0x3fffffff;
/** Connections that one turn may register, and the words of each. */
const QUEUE = 512;
const QUEUED = 4;
/** Interval (ms) at which the program is told that the director lives. */
const BEAT_EVERY = 100;
/** The program goes on without the director for this long (ms). */
const ALIVE_MS = 60_000;

/** What differs from the defaults, in tests. */
export interface OffloadOptions {
  /** Packets of a client before its connection is offloaded. */
  readonly after?: { readonly tcp: number; readonly udp: number };
  /** Unit of the table's times, ms. */
  readonly unitMs: number;
  /** Number of the worker, and of all. */
  readonly worker?: number;
  readonly workers?: number;
}

export class Offload implements Offloaded {
  readonly lines: FlowLines;
  readonly readback: FlowReadback;
  private readonly hops: FlowHops;
  private readonly register: FlowRegister;
  private readonly control: Int32Array;
  /** By 2 x connection + direction. */
  private readonly places: Int32Array;
  private readonly queue = new Int32Array(QUEUE * QUEUED);
  private queued = 0;
  private readonly after: { readonly tcp: number; readonly udp: number };
  private nextBeat = 0;
  private isOff = false;
  /** False: the program goes on with what a former process or thread has written. */
  private hasBegun = false;
  /** Where the control words have what this worker tells. */
  private readonly told: number;

  constructor(
    private readonly d: Director,
    memory: FlowMemory,
    { after = { tcp: AFTER_TCP, udp: AFTER_UDP }, unitMs, worker = 0, workers = 1 }: OffloadOptions,
  ) {
    this.control = memory.control;
    this.told = Control.told + worker * TOLD_WORDS;
    this.lines = new FlowLines(memory, unitMs, worker, workers);
    this.hops = new FlowHops(d, memory.hops, this.lines.rowUsers, worker, workers);
    this.readback = new FlowReadback(d, this.lines, memory, this.told, worker, workers);
    this.places = new Int32Array(2 * (d.connections.table.maxEntries + 1));
    this.register = new FlowRegister(d, memory, this.lines, this.readback, this.hops, this.places);
    this.after = after;
    d.neighbours.onChange = (neighbour) => {
      if (this.hasBegun && this.hops.forget(neighbour)) this.bump();
    };
  }

  /**
   * Goes on with the lines of a former process or thread of this worker, whose packets the program
   * forwards meanwhile: their timers are read, and none of them ends until `begin`.
   */
  adopt(): void {
    const { seals, maxEntries } = this.d.connections.table;
    const sealOf = (owner: number) => (owner >> 1 > maxEntries ? undefined : (seals[owner >> 1] ?? 0));
    const take = (line: number, owner: number) => {
      this.places[owner] = line + 1;
      this.readback.pull(line + 1, (owner >> 1) << ENTRY_SHIFT);
    };
    this.lines.adopt(sealOf, take, this.d.now);
  }

  /**
   * The director has its devices: it decides anew about all connections. Rules are there, for the
   * counters.
   */
  begin(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    this.forgetHops();
    for (let line = 0; line < this.lines.owners.length; line++) {
      const owner = this.lines.owners[line]!;
      if (owner === 0) continue;
      this.places[owner - 1] = 0;
      this.readback.fold(line);
      this.lines.release(line, this.d.now);
    }
    Atomics.sub(this.control, Control.off, this.control[this.told + Told.off]!);
    this.control[this.told + Told.off] = 0;
    this.readback.tell();
  }

  /** Another process goes on with the lines. */
  leave(): void {
    this.read();
    this.hasBegun = false;
  }

  /**
   * A packet of an entry was forwarded to a neighbour as all that follow will be. `direction`: as
   * of Direction; `mtu`: the longest packet, without headers of a tunnel. The caller has seen that
   * the packet changed no state and that no flag or rule takes it another way.
   */
  note(entry: number, direction: 0 | 1, neighbour: number, mtu: number): void {
    if (!this.hasBegun) return;
    const { words } = this.d.connections;
    const at = entry << ENTRY_SHIFT;
    const place = this.places[2 * entry + direction]!;
    if (place === PENDING || (place > 0 && this.lines.isInForce(place - 1))) return;
    const packets = words[at + PACKETS]!;
    const isTcp = ((words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff) === ipv4.TCP;
    if (isTcp ? packets < this.after.tcp : packets < this.after.udp && !this.isOld(2 * entry + direction)) return;
    if (this.queued === QUEUE) return;
    if (isTcp && (words[at + DPORT_PROTO_STATE]! & 0xff) !== Tcp.ESTABLISHED) return;
    // Each packet of a client may be the one by which backups hear of its connection.
    if (direction === 0 && this.d.sync !== undefined) return;
    if ((place === NO_ROOM && packets % RETRY !== 0) || this.control[Control.off] !== 0) return;
    this.places[2 * entry + direction] = place > 0 ? place : PENDING;
    const item = this.queued++ * QUEUED;
    this.queue[item] = entry;
    this.queue[item + 1] = direction;
    this.queue[item + 2] = neighbour;
    this.queue[item + 3] = mtu;
  }

  /** The first call for a connection begins its time. */
  private isOld(owner: number): boolean {
    const now = Math.floor(this.d.now) & BORN_MASK;
    const place = this.places[owner]!;
    if (place === 0) this.places[owner] = BORN - now;
    return place <= BORN && ((now - (BORN - place)) & BORN_MASK) >= OLD_MS;
  }

  /** Puts what was noted in force. Call it after the frames of the turn were sent. */
  write(): void {
    for (let i = 0; i < this.queued; i++) {
      const item = i * QUEUED;
      if (this.queue[item] !== 0)
        this.register.put(this.queue[item]!, this.queue[item + 1]!, this.queue[item + 2]!, this.queue[item + 3]!);
    }
    this.queued = 0;
  }

  pull(entry: number): boolean {
    const at = entry << ENTRY_SHIFT;
    this.readback.pull(this.places[2 * entry]!, at);
    this.readback.pull(this.places[2 * entry + 1]!, at);
    const { words, now } = this.d.connections;
    return ((words[at + EXPIRES]! - now) | 0) > 0;
  }

  withdraw(entry: number): void {
    this.withdrawOne(2 * entry);
    this.withdrawOne(2 * entry + 1);
  }

  private withdrawOne(owner: number): void {
    const place = this.places[owner]!;
    if (place > 0) this.lines.clear(place - 1);
    else if (place === PENDING) this.places[owner] = 0;
    if (place !== 0) this.unqueue(owner);
  }

  private unqueue(owner: number): void {
    for (let item = 0; item < this.queued * QUEUED; item += QUEUED)
      if (2 * this.queue[item]! + this.queue[item + 1]! === owner) this.queue[item] = 0;
  }

  release(entry: number): void {
    this.withdraw(entry);
    for (let owner = 2 * entry; owner < 2 * entry + 2; owner++) {
      const place = this.places[owner]!;
      this.places[owner] = 0;
      if (place <= 0) continue;
      this.readback.fold(place - 1);
      this.lines.release(place - 1, this.d.now);
    }
  }

  bump(): void {
    if (!this.hasBegun) return;
    const next = (Atomics.add(this.control, Control.generation, 1) + 1) | 0;
    if (next === 0) Atomics.store(this.control, Control.generation, 1);
  }

  /** Before something changes that packets depend on or that decides how they are counted. */
  settle(): void {
    if (!this.hasBegun) return;
    this.bump();
    this.read();
  }

  /** Brings counters and timers up to date with what the program has forwarded. */
  read(): void {
    if (!this.hasBegun) return;
    this.hops.noteUsed();
    this.readback.all();
    this.readback.tell();
  }

  /** Neighbours have other numbers, or devices other addresses. */
  forgetHops(): void {
    if (!this.hasBegun) return;
    this.bump();
    this.hops.forgetAll();
  }

  /** All packets come to the director, or no longer. With several workers each asks once. */
  setOff(off: boolean): void {
    if (off === this.isOff) return;
    this.isOff = off;
    this.control[this.told + Told.off] = off ? 1 : 0;
    Atomics.add(this.control, Control.off, off ? 1 : -1);
  }

  /** Call it once a turn. */
  tick(): void {
    if (!this.hasBegun) return;
    const { now } = this.d;
    if (now >= this.nextBeat) this.beat(now);
    this.readback.tick(now);
  }

  private beat(now: number): void {
    this.nextBeat = now + BEAT_EVERY;
    tellAlive(this.control, this.told, this.lines.unitsOf(now + ALIVE_MS));
    this.hops.noteUsed();
    this.readback.tell();
  }
}
