/**
 * Depth: how many frames a queue has posted for receiving. The kernel uses posted frames in turn,
 * so a deep queue means cold memory for each packet. Under overload a deep queue only makes all
 * packets wait. But a worker that does not get its CPU for 20 ms loses the frames that do not fit
 * into the queue. So the depth follows what tells a pause from overload:
 *
 *             from nearly empty to half full between two checks: there was a pause
 *     shallow ───────────────────────────────────────────────────────────────────► deep
 *             ◄───────────────────────────────────────────────────────────────────
 *             nearly full at CHECKS checks in a row: overload
 *
 * A new worker begins deep: its code is not compiled yet, and all clients may come back at once.
 */

/** Frames of a shallow queue: 5 ms at 800,000 frames a second. */
export const SHALLOW = 4096;
/**
 * Checks of a batch of 64 frames each: longer than the backlog of a deep queue takes to shrink by
 * an eighth.
 */
const CHECKS = 1024;
/** Checks that found frames after which a new worker's code is compiled. */
const COLD_CHECKS = 4096;

export class Depth {
  /** Frames to post at most. */
  posted: number;
  private readonly shallow: number;
  private wasEmpty = true;
  private full = 0;
  private cold = COLD_CHECKS;

  /** `deep`: the larger depth, in frames. A depth of SHALLOW or less does not change. */
  constructor(private readonly deep: number) {
    this.shallow = Math.min(deep, SHALLOW);
    this.posted = deep;
  }

  /** Nobody will receive for a moment. */
  deepen(): void {
    this.posted = this.deep;
  }

  /**
   * Called at each check with the number of frames that wait to be received. It reads everything
   * first: where V8 meets a field or a comparison for the first time, it throws away the code of
   * all that receives.
   */
  note(waiting: number): void {
    const { posted, deep, shallow, wasEmpty, cold } = this;
    const isHalf = waiting * 2 >= posted;
    const isFull = waiting * 8 >= posted * 7;
    const isEmpty = waiting * 8 <= posted;
    const left = Math.max(0, cold - Math.min(waiting, 1));
    const isCold = cold > 0;
    const isWarm = left === 0;
    const more = this.full + 1;
    const full = isFull ? more : 0;
    const isOverload = full >= CHECKS;
    let depth = posted;
    if (isCold && isWarm) depth = shallow;
    if (wasEmpty && isHalf) depth = deep;
    if (isOverload && isWarm) depth = shallow;
    this.posted = depth;
    this.wasEmpty = isEmpty;
    this.full = full;
    this.cold = left;
  }
}
