/**
 * The next hops of a flow table: a row for each neighbour, MTU, tunnel and rewriting
 * (rewriting.ts). A row that no line names makes room for another one. When a neighbour changes,
 * its rows are given up. A row that was given up is not used again for a second, because a program
 * that runs may have read its number.
 *
 *     free ──► written ──► named by lines ──► named by none ──► rests 1 s ──► free
 *                               └── the neighbour changed ───────┘
 */
import { HOP_SHIFT, Hop } from '../../device/flow/layout.js';
import type { Director } from '../director.js';
import { swap16, swap32 } from '../parse/aligned.js';
import type { Neighbour } from '../table/neighbour.js';
import type { Rewriting } from './rewriting.js';
import type { FlowTunnel } from './tunnel.js';

/** Rows that a look-up examines. */
const PROBES = 16;
const REST_MS = 1000;
/** In the place of a neighbour: the row rests. */
const RESTS = -1;

export class FlowHops {
  private readonly restsUntil: Float64Array;
  /** The rows of this worker: `rooms`, a power of two, from `begin` on. */
  private readonly begin: number;
  private readonly rooms: number;
  /** Rows that were ever written, `known` of them. */
  private readonly written: Int32Array;
  private known = 0;

  /**
   * `rows`: the memory of the table, of which each worker has a part. `users`: by row, the lines
   * that name it.
   */
  constructor(
    private readonly d: Director,
    private readonly rows: Int32Array,
    private readonly users: Int32Array,
    worker: number,
    workers: number,
  ) {
    this.rooms = (rows.length >> HOP_SHIFT) >> Math.ceil(Math.log2(workers));
    this.begin = worker * this.rooms;
    this.restsUntil = new Float64Array(rows.length >> HOP_SHIFT);
    this.written = new Int32Array(this.rooms);
    // Those of a former thread or process.
    for (let row = this.begin; row < this.begin + this.rooms; row++)
      if (rows[(row << HOP_SHIFT) + Hop.neighbour] !== 0) this.written[this.known++] = row;
  }

  /**
   * The row of a usable neighbour, −1 when there is no room. `mtu`: the longest packet that it
   * takes. `tunnel`: to whom its packets go; `bytes` 0 for none.
   */
  rowOf(neighbour: Neighbour, mtu: number, tunnel: FlowTunnel, rewriting: Rewriting): number {
    const { rows } = this;
    const wanted = neighbour.device | (mtu << 16);
    const mixed = neighbour.id ^ (mtu << 16) ^ tunnel.outer[1]! ^ tunnel.outer[7]! ^ rewriting.mixed;
    const first = Math.imul(mixed, 0x9e3779b1) >>> 15;
    let free = -1;
    for (let i = 0; i < PROBES; i++) {
      const row = this.rowAt(first + i);
      const at = row << HOP_SHIFT;
      if (row === 0) continue;
      const owner = rows[at + Hop.neighbour]!;
      if (owner === neighbour.id + 1 && rows[at + Hop.deviceMtu] === wanted && this.isFor(at, tunnel, rewriting))
        return row;
      if (free < 0 && this.isFree(row, owner)) free = row;
    }
    if (free < 0) this.makeRoom(first);
    else this.write(free, neighbour, wanted, tunnel, rewriting);
    return free;
  }

  private rowAt(place: number): number {
    return this.begin + (place & (this.rooms - 1));
  }

  private isFree(row: number, owner: number): boolean {
    return owner === 0 || (owner === RESTS && this.restsUntil[row]! <= this.d.now);
  }

  /** Rows that no line names rest, so that a later look-up has room. */
  private makeRoom(first: number): void {
    for (let i = 0; i < PROBES; i++) {
      const row = this.rowAt(first + i);
      if (row !== 0 && this.users[row] === 0) this.giveUp(row);
    }
  }

  private isFor(at: number, { bytes, outer }: FlowTunnel, rewriting: Rewriting): boolean {
    const { rows } = this;
    if (rows[at + Hop.tunnel] !== bytes || !rewriting.isAt(rows, at)) return false;
    for (let i = 0; i < outer.length; i++) if (rows[at + Hop.outer + i] !== outer[i]) return false;
    return true;
  }

  /** The MTU is written last: before it no packet fits. */
  private write(row: number, next: Neighbour, deviceMtu: number, tunnel: FlowTunnel, rewriting: Rewriting): void {
    const { rows } = this;
    const { id, device, macHi, macLo } = next;
    const at = row << HOP_SHIFT;
    const { mac } = this.d.links[device]!;
    const hi = mac[0];
    const lo = mac[1] | 0;
    if (rows[at + Hop.neighbour] === 0) this.written[this.known++] = row;
    rows[at] = swap32((macHi << 16) | (macLo >>> 16));
    rows[at + 1] = swap16(macLo & 0xffff) | (swap16(hi) << 16);
    rows[at + 2] = swap32(lo);
    rows[at + Hop.used] = 0;
    rows[at + Hop.neighbour] = id + 1;
    rows[at + Hop.tunnel] = tunnel.bytes;
    rows[at + Hop.sum] = tunnel.sum;
    for (let i = 0; i < tunnel.outer.length; i++) rows[at + Hop.outer + i] = tunnel.outer[i]!;
    rewriting.writeTo(rows, at);
    Atomics.store(rows, at + Hop.deviceMtu, deviceMtu);
  }

  /**
   * The neighbour changed: no packet goes to the MAC address that it had. Returns true when lines
   * may name its rows: they must not be in force when the rows get another neighbour.
   */
  forget({ id }: Neighbour): boolean {
    let some = false;
    for (let i = 0; i < this.known; i++) {
      const row = this.written[i]!;
      if (this.rows[(row << HOP_SHIFT) + Hop.neighbour] !== id + 1) continue;
      this.giveUp(row);
      some = true;
    }
    return some;
  }

  /** Neighbours have other numbers, or devices have other addresses. */
  forgetAll(): void {
    for (let i = 0; i < this.known; i++) this.giveUp(this.written[i]!);
  }

  private giveUp(row: number): void {
    const at = row << HOP_SHIFT;
    Atomics.store(this.rows, at + Hop.deviceMtu, 0);
    if (this.rows[at + Hop.neighbour] === RESTS) return;
    this.rows[at + Hop.neighbour] = RESTS;
    this.restsUntil[row] = this.d.now + REST_MS;
  }

  /** Notes the neighbours that packets went to since the last call. */
  noteUsed(): void {
    const { rows } = this;
    const { all } = this.d.neighbours;
    for (let i = 0; i < this.known; i++) {
      const at = this.written[i]! << HOP_SHIFT;
      if (rows[at + Hop.used] === 0) continue;
      rows[at + Hop.used] = 0;
      const neighbour = all[rows[at + Hop.neighbour]! - 1];
      if (neighbour !== undefined) neighbour.used = true;
    }
  }
}
