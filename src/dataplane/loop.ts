/**
 * One turn of the loop: received frames of each device pass the director and leave.
 *
 *      ┌─► clock ─► timers ─► rx device 0 ─► process ─► rx device 1 ─► process … ─► tx all outputs ─┐
 *      └──────────────────────────────────── did any frame arrive? ◄─────────────────────────────────┘
 *
 * With several workers, frames of other workers leave the batch before it is processed, and frames
 * that others handed off are processed after the devices' own. The clock is read once a turn.
 * Frames that do not fit a full output are counted and dropped. A GSO packet that cannot be
 * forwarded in one piece is cut, and its frames are processed like received ones.
 */
import { Batch } from '../device/batch.js';
import { Cutter } from '../device/cutter.js';
import type { Device } from '../device/device.js';
import { type LoopStats, Stage } from '../stats/loop-stats.js';
import type { Director } from './director.js';
import type { Housekeeping } from './housekeeping.js';
import { processBatch } from './ingress.js';
import type { WorkerDispatch } from './workers/dispatch.js';

/** Measures turns. `clock` returns ms; only measured turns read it. */
export interface LoopTiming {
  readonly stats: LoopStats;
  clock(): number;
}

const NO_TIMING: { readonly stats: LoopStats | undefined } = { stats: undefined };

export class Loop {
  private readonly batch = new Batch();
  private readonly segments = new Batch();
  private readonly cutter: Cutter;
  private readonly process = (device: number, batch: Batch) => this.processAll(device, batch);

  /**
   * `devices[i]` belongs to the director's link i. The loop receives from the first `receiving`
   * devices only.
   */
  constructor(
    private readonly director: Director,
    private readonly devices: readonly Device[],
    private readonly housekeeping: Housekeeping,
    private readonly receiving = devices.length,
    private readonly dispatch?: WorkerDispatch,
    private readonly timing?: LoopTiming,
  ) {
    this.cutter = new Cutter(director.umem);
  }

  /** `now` in ms. Returns the number of received frames. */
  turn(now: number): number {
    // In the director, not an argument: V8 allocates a number that is given to a function.
    this.director.now = now;
    const { stats } = this.timing ?? NO_TIMING;
    if (stats === undefined) return this.run();
    const received = stats.begin(now) ? this.measured(this.timing!) : this.run();
    stats.end(received);
    return received;
  }

  private run(): number {
    const { devices, batch, dispatch } = this;
    this.housekeeping.doDue();
    let received = 0;
    for (let i = 0; i < this.receiving; i++) {
      received += devices[i]!.rx(batch);
      dispatch?.sort(i, batch);
      this.processAll(i, batch);
    }
    if (dispatch !== undefined) received += dispatch.receive(batch, this.process);
    this.housekeeping.ask();
    this.flush();
    return received;
  }

  /** The same with the clock read between the stages. */
  private measured({ stats, clock }: LoopTiming): number {
    const { devices, batch, dispatch } = this;
    const begin = clock();
    this.housekeeping.doDue();
    const ticked = clock();
    stats.lap(Stage.timers, begin, ticked);
    let received = 0;
    let last = ticked;
    for (let i = 0; i < this.receiving; i++) {
      received += devices[i]!.rx(batch);
      const got = clock();
      stats.lap(Stage.receive, last, got);
      dispatch?.sort(i, batch);
      this.processAll(i, batch);
      last = clock();
      stats.lap(Stage.process, got, last);
    }
    if (dispatch !== undefined) received += dispatch.receive(batch, this.process);
    this.housekeeping.ask();
    const processed = clock();
    stats.lap(Stage.process, last, processed);
    this.flush();
    const end = clock();
    stats.lap(Stage.send, processed, end);
    if (received > 0) stats.latency(end - ticked, received);
    return received;
  }

  /** Processes what other workers handed off, without the devices. */
  drain(): void {
    this.dispatch?.receive(this.batch, this.process);
    this.flush();
  }

  private processAll(device: number, batch: Batch): void {
    processBatch(this.director, device, batch);
    while (batch.n > 0) {
      this.cutFirst(device, batch);
      processBatch(this.director, device, batch);
    }
  }

  /** Cuts the large frame that the batch begins with, and sends after each 64 frames of it. */
  private cutFirst(device: number, batch: Batch): void {
    const { cutter, segments } = this;
    const frame = batch.offsets[0]!;
    if (!cutter.begin(frame, batch.lengths[0]!)) this.devices[device]!.stats.rxOversize++;
    else {
      while (cutter.fill(segments) > 0) {
        processBatch(this.director, device, segments);
        this.flush();
      }
      if (!cutter.done) this.devices[device]!.stats.rxDropped++;
    }
    this.director.umem.free(frame);
    batch.removeFirst(1);
  }

  private flush(): void {
    const { director, devices } = this;
    for (let i = 0; i < devices.length; i++) {
      const { output } = director.links[i]!;
      if (output.n !== 0) devices[i]!.tx(output);
    }
    if (director.offload !== undefined) director.offload.write();
  }
}
