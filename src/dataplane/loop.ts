/**
 * One turn of the loop: received frames of each device pass the director and leave.
 *
 *      ┌─► clock ─► timers ─► rx device 0 ─► process ─► rx device 1 ─► process … ─► tx all outputs ─┐
 *      └──────────────────────────────────── did any frame arrive? ◄─────────────────────────────────┘
 *
 * With several workers, frames of other workers leave the batch before it is processed, and frames
 * that others handed off are processed after the devices' own. The clock is read once a turn.
 * Frames that do not fit a full output are counted and dropped.
 */
import { Batch } from '../device/batch.js';
import type { Device } from '../device/device.js';
import type { Director } from './director.js';
import type { Housekeeping } from './housekeeping.js';
import { processBatch } from './ingress.js';
import type { WorkerDispatch } from './workers/dispatch.js';

export class Loop {
  private readonly batch = new Batch();
  private readonly process = (device: number, batch: Batch) => processBatch(this.director, device, batch);

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
  ) {}

  /** `now` in ms. Returns the number of received frames. */
  turn(now: number): number {
    const { director, devices, batch, dispatch } = this;
    this.housekeeping.tick(now);
    let received = 0;
    for (let i = 0; i < this.receiving; i++) {
      received += devices[i]!.rx(batch);
      dispatch?.sort(i, batch);
      processBatch(director, i, batch);
    }
    if (dispatch !== undefined) received += dispatch.receive(batch, this.process);
    this.housekeeping.ask();
    this.flush();
    return received;
  }

  /** Processes what other workers handed off, without the devices. */
  drain(): void {
    this.dispatch?.receive(this.batch, this.process);
    this.flush();
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
