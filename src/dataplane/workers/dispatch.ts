/**
 * Several workers as one director: the frames of another worker's clients are handed off before any
 * other processing.
 *
 *      device ─► sort ─┬─ own, or without owner ──────► processed here
 *                      ├─ another's ──► HandoffRing ─────► receive, processed there
 *                      └─ a fragment ─► the worker that reassembles it ─► handOffReassembled: its fragments, to the owner
 *
 * A sleeping worker is woken once per batch.
 */
import type { Batch } from '../../device/batch.js';
import { Bell } from '../../device/poll.js';
import { FrameStat } from '../../stats/counters.js';
import { Drop } from '../../stats/drops.js';
import { Verdict } from '../../stats/verdict.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import type { Director } from '../director.js';
import { drop } from '../output/verdict.js';
import { isFastPathFrame, swap32 } from '../parse/aligned.js';
import { PacketInfo } from '../parse/packet.js';
import { parse } from '../parse/parse.js';
import { HandoffRing } from './handoff.js';
import { ANYONE, Steering } from './steering.js';

/** What all workers of a director share, as plain data. */
export interface WorkersSetup {
  readonly index: number;
  readonly count: number;
  readonly secret: readonly number[];
  /** Ring from worker i to worker j: index i * count + j. */
  readonly rings: readonly SharedArrayBuffer[];
  /** Int32 words: 1 while worker i sleeps. */
  readonly asleep: SharedArrayBuffer;
  /** Int32 words: 1 when worker i receives from devices no more. */
  readonly quiet: SharedArrayBuffer;
  readonly bellFds: readonly number[];
}

/**
 * Special stages. FINAL: the receiving worker must process the frame. FROM_DEVICE: no worker handed
 * the frame off.
 */
const FINAL = 255;
const FROM_DEVICE = -1;
const PORTS = ethernet.HEADER + ipv4.HEADER;
/** Limit of frames taken from each other worker in one turn. */
const TURN = 64;

export class WorkerDispatch {
  readonly steering: Steering;
  readonly index: number;
  private readonly out: (HandoffRing | undefined)[] = [];
  private readonly in: (HandoffRing | undefined)[] = [];
  private readonly bells: Bell[];
  private readonly asleep: Int32Array;
  private readonly quiet: Int32Array;
  /** Per worker: it got something since the last `publish`. */
  private readonly toNotify: Uint8Array;
  private readonly packet = new PacketInfo();

  constructor(
    private readonly d: Director,
    setup: WorkersSetup,
  ) {
    const { index, count, secret, rings } = setup;
    this.index = index;
    this.steering = new Steering(d, count, secret);
    this.asleep = new Int32Array(setup.asleep);
    this.quiet = new Int32Array(setup.quiet);
    Atomics.store(this.quiet, index, 0);
    this.bells = setup.bellFds.map((fd) => new Bell(fd));
    this.toNotify = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      this.out.push(i === index ? undefined : new HandoffRing(rings[index * count + i]!));
      this.in.push(i === index ? undefined : new HandoffRing(rings[i * count + index]!));
    }
    d.sourcePool.share(index, count);
    // Two workers must not use the same IP id for packets to the same host.
    d.ident = Math.floor((index * 0x10000) / count);
    d.dispatch = this;
  }

  /**
   * Leaves in the batch, received by the link `device`, the frames to process here. Hands off the
   * others.
   */
  sort(device: number, batch: Batch): void {
    const { n, offsets, lengths } = batch;
    let kept = 0;
    for (let i = 0; i < n; i++) {
      const frame = offsets[i]!;
      const len = lengths[i]!;
      if (!this.keepOrHandOff(device, frame, len, FROM_DEVICE)) continue;
      offsets[kept] = frame;
      lengths[kept++] = len;
    }
    batch.n = kept;
    if (kept !== n) this.publish();
  }

  /**
   * Processes frames that others handed off, in batches of one device each. Returns the number of
   * frames. `batch` is empty before.
   */
  receive(batch: Batch, process: (device: number, batch: Batch) => void): number {
    let received = 0;
    for (let i = 0; i < this.in.length; i++) {
      const ring = this.in[i];
      if (ring !== undefined && ring.waiting !== 0) received += this.receiveFrom(ring, batch, process);
    }
    if (received !== 0) this.publish();
    return received;
  }

  private receiveFrom(ring: HandoffRing, batch: Batch, process: (device: number, batch: Batch) => void): number {
    let device = -1;
    let received = 0;
    for (const n = Math.min(TURN, ring.waiting); received < n; received++) {
      const frame = ring.take(this.d.umem);
      if (frame < 0) break;
      if (!this.keepOrHandOff(ring.device, frame, ring.length, ring.stage)) continue;
      if (ring.device !== device && batch.n !== 0) process(device, batch);
      device = ring.device;
      batch.push(frame, ring.length);
    }
    if (batch.n !== 0) process(device, batch);
    return received;
  }

  /**
   * Returns true when this worker keeps the frame, false when it was handed off. `by`: the stage by
   * which another worker handed it off.
   */
  private keepOrHandOff(device: number, frame: number, len: number, by: number): boolean {
    const { steering, packet: p } = this;
    if (by >= steering.last || !this.readSteeringFields(device, frame, len)) return true;
    if (p.moreFragments || p.fragmentOffset !== 0)
      return this.keepOrHandOffTo(steering.ofFragment(p), device, frame, len, FINAL);
    for (let stage = Math.max(0, by); ; stage++) {
      const owner = steering.of(p, stage);
      if (owner === ANYONE) return true;
      if (owner !== this.index) return this.keepOrHandOffTo(owner, device, frame, len, stage);
      if (stage === steering.last || steering.knows(p)) return true;
    }
  }

  /**
   * Returns true when this worker is the owner. Otherwise hands the frame off, or drops it when the
   * ring is full.
   */
  private keepOrHandOffTo(owner: number, device: number, frame: number, len: number, stage: number): boolean {
    if (owner === this.index) return true;
    const ring = this.out[owner]!;
    if (ring.room > 0) {
      ring.put(this.d.umem, device, frame, len, stage);
      this.d.counters.values[FrameStat.handedOff]!++;
    } else this.dropBusy(len);
    this.d.umem.free(frame);
    this.toNotify[owner] = 1;
    return false;
  }

  private dropBusy(len: number): void {
    const { counters } = this.d;
    counters.values[FrameStat.in]!++;
    counters.values[FrameStat.inBytes]! += len;
    counters.drop(Drop.workerBusy, len);
  }

  /**
   * Reads the fields that decide about the owner. Returns false for a frame without owner: not IP,
   * not sound, or not for this MAC.
   */
  private readSteeringFields(device: number, frame: number, len: number): boolean {
    const { packet: p } = this;
    const { i32, u8, view } = this.d.umem;
    p.device = device;
    if (this.d.marks !== undefined || !isFastPathFrame(i32, frame, len))
      return parse(view, frame, len, p) === 0 && p.family !== 0 && this.d.links[device]!.isHost(view, frame);
    const ports = swap32(i32[(frame + PORTS) >> 2]!);
    p.family = 4;
    p.mark = 0;
    p.moreFragments = false;
    p.fragmentOffset = 0;
    p.protocol = u8[frame + ethernet.HEADER + 9]!;
    p.src = swap32(i32[(frame + ethernet.HEADER + ipv4.SRC) >> 2]!);
    p.dst = swap32(i32[(frame + ethernet.HEADER + ipv4.DST) >> 2]!);
    p.sport = ports >>> 16;
    p.dport = ports & 0xffff;
    return this.d.links[device]!.isHost(view, frame);
  }

  /**
   * The current packet was reassembled here. If it belongs to another worker, that gets its
   * fragments; else none.
   */
  handOffReassembled(): Verdict {
    const { d, steering } = this;
    const p = d.packet;
    if (p.parts === 0) return Verdict.none;
    const owner = steering.of(p, steering.last);
    if (owner === ANYONE || owner === this.index || steering.knows(p)) return Verdict.none;
    d.traced?.note(`handed off to worker ${owner}, which owns this client`);
    if (this.out[owner]!.room < d.assembled.count) return drop(d, Drop.workerBusy);
    this.handOffFragments(owner);
    return Verdict.handedOff;
  }

  private handOffFragments(owner: number): void {
    const { counters, assembled, umem, packet } = this.d;
    for (let i = 0; i < assembled.count; i++) {
      // The owner forwards the fragments again.
      if (packet.crossed) ipv4.incrementTtl(umem.view, assembled.frames[i]! + ethernet.HEADER);
      this.out[owner]!.put(umem, packet.device, assembled.frames[i]!, assembled.lens[i]!, FINAL);
      umem.free(assembled.frames[i]!);
      // The owner counts the frame.
      counters.values[FrameStat.in]!--;
      counters.values[FrameStat.inBytes]! -= assembled.lens[i]!;
    }
    this.toNotify[owner] = 1;
    this.publish();
  }

  private publish(): void {
    for (let i = 0; i < this.toNotify.length; i++) {
      if (this.toNotify[i] === 0) continue;
      this.toNotify[i] = 0;
      this.out[i]!.publish();
      if (Atomics.exchange(this.asleep, i, 0) !== 0) this.bells[i]!.ring();
    }
  }

  /** This worker receives from devices no more. */
  stopReceiving(): void {
    Atomics.store(this.quiet, this.index, 1);
  }
  /** No worker receives from devices any more, and no frame waits for this one. */
  get isDrained(): boolean {
    for (let i = 0; i < this.quiet.length; i++) if (Atomics.load(this.quiet, i) === 0) return false;
    return this.in.every((ring) => ring === undefined || ring.waiting === 0);
  }

  /** Call before this worker sleeps. Returns false when a frame was handed off meanwhile. */
  maySleep(): boolean {
    Atomics.store(this.asleep, this.index, 1);
    for (const ring of this.in) if (ring !== undefined && ring.waiting !== 0) return false;
    return true;
  }

  awake(): void {
    Atomics.store(this.asleep, this.index, 0);
  }
}
