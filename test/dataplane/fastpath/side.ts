/**
 * One of the two directors that a differential test compares. It gets batches by the fast path, or
 * the same frames one by one by the slow path. It records the sent frames, and which frames took
 * the fast path.
 */
import { ENTRY_WORDS, HASH, NEXT } from '../../../src/conntrack/entry.js';
import type { InProcessDirector } from '../../../src/control/inprocess.js';
import { fastPath } from '../../../src/dataplane/fastpath/fastpath.js';
import { Housekeeping } from '../../../src/dataplane/housekeeping.js';
import { processBatch, processFrame, processScheduled } from '../../../src/dataplane/ingress.js';
import type { WorkerDispatch } from '../../../src/dataplane/workers/dispatch.js';
import { Batch } from '../../../src/device/batch.js';
import { GAUGES } from '../../../src/stats/counters.js';
import { checked } from '../verdict-check.js';

/** Larger than the number of services and of destinations in any test. */
const SLOTS = 64;

/** A sent frame: its link and its bytes. */
export interface Left {
  readonly device: number;
  readonly bytes: Uint8Array;
}

export class Side {
  /** The frames sent in the last turn. */
  left: Left[] = [];
  /** The frames of all turns that took the fast path and the slow path. */
  readonly fast: Uint8Array[] = [];
  readonly slow: Uint8Array[] = [];
  private readonly housekeeping: Housekeeping;
  private readonly batch = new Batch(512);
  /** Offsets of the frames of the current batch that took the slow path. */
  private readonly slowed = new Set<number>();

  constructor(
    readonly inner: InProcessDirector,
    private readonly isFast: boolean,
    readonly dispatch?: WorkerDispatch,
  ) {
    const d = inner.director;
    this.housekeeping = new Housekeeping(d);
    if (!isFast) return;
    d.fastPath = fastPath(
      d,
      (director, device, frame, len, mayTrace) => {
        this.slowed.add(frame);
        return checked(director, () => processFrame(director, device, frame, len, mayTrace));
      },
      (director, device, frame, len, service, dest) => {
        this.slowed.add(frame);
        return checked(director, () => processScheduled(director, device, frame, len, service, dest));
      },
    );
  }

  /** Advances the clock, then processes the frames, which the link `device` receives. */
  turn(now: number, device: number, frames: readonly Uint8Array[]): void {
    this.tick(now);
    this.take(device, frames);
    this.finish();
  }

  tick(now: number): void {
    this.left = [];
    this.housekeeping.tick(now);
  }

  take(device: number, frames: readonly Uint8Array[]): void {
    for (const bytes of frames) this.batch.push(this.inner.director.umem.put(bytes), bytes.length);
    this.dispatch?.sort(device, this.batch);
    this.process(device, this.batch);
  }

  /** Processes frames that other workers handed off. Returns their number. */
  receive(): number {
    return this.dispatch?.receive(this.batch, (device, batch) => this.process(device, batch)) ?? 0;
  }

  finish(): void {
    this.housekeeping.ask();
    this.collect();
  }

  private process(device: number, batch: Batch): void {
    const d = this.inner.director;
    const { n, offsets, lengths } = batch;
    const frames = Array.from({ length: n }, (_, i) => ({
      at: offsets[i]!,
      bytes: this.copy(offsets[i]!, lengths[i]!),
    }));
    this.slowed.clear();
    if (this.isFast) processBatch(d, device, batch);
    else for (let i = 0; i < n; i++) checked(d, () => processFrame(d, device, offsets[i]!, lengths[i]!));
    batch.n = 0;
    for (const { at, bytes } of frames) (this.slowed.has(at) ? this.slow : this.fast).push(bytes);
  }

  private collect(): void {
    const { links, umem } = this.inner.director;
    for (const { index, output } of links) {
      for (let i = 0; i < output.n; i++) {
        this.left.push({ device: index, bytes: this.copy(output.offsets[i]!, output.lengths[i]!) });
        umem.free(output.offsets[i]!);
      }
      output.n = 0;
    }
  }

  private copy(at: number, length: number): Uint8Array {
    return this.inner.director.umem.u8.slice(at, at + length);
  }

  /** The frames sent in the last turn, the counters and the tables. */
  state() {
    const { counters, umem, connections, neighbours } = this.inner.director;
    const { words, highWater } = connections.table;
    const memory = words.slice(0, (highWater + 1) * ENTRY_WORDS);
    // The order of a bucket's chain depends on the key of the hash, so it is sorted.
    for (let at = 0; at < memory.length; at += ENTRY_WORDS) memory[at + NEXT] = memory[at + HASH] = 0;
    return {
      left: this.left.map(({ device, bytes }) => `${device} ${Buffer.from(bytes).toString('hex')}`),
      totals: counters.values.subarray(0, counters.serviceRow(SLOTS)).join(),
      destinations: counters.values.subarray(counters.destinationRow(0), counters.destinationRow(SLOTS)).join(),
      gauges: counters.gauges.subarray(0, SLOTS * GAUGES).join(),
      free: umem.freeFrames,
      live: connections.table.live,
      memory: Buffer.from(memory.buffer).toString('base64'),
      used: neighbours.all.map(({ used }) => used).join(),
    };
  }
}
