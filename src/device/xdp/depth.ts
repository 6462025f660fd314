/**
 * How many frames a queue has posted for receiving. Posted frames come round one after the other, so many of them are cold
 * memory for each packet, and where more comes than can be forwarded a deep queue only makes all packets wait. But who is
 * kept from its CPU for 20 ms loses what does not fit. So the queue gets deep by what tells a pause from an overload:
 *
 *             from nearly empty to half full between two looks: there was a pause
 *     shallow ───────────────────────────────────────────────────────────────────► deep
 *             ◄───────────────────────────────────────────────────────────────────
 *             nearly full at LOOKS looks in a row: more comes than can be forwarded
 */

/** 5 ms at 800,000 frames a second. */
export const SHALLOW = 4096;
/** Of a batch of 64 each: more than even a deep queue's backlog takes to melt by an eighth. */
const LOOKS = 1024;

export class Depth {
  /** Frames to have posted. */
  posted: number;
  private readonly shallow: number;
  private wasEmpty = true;
  private full = 0;

  /** `deep`: at most; what is not above SHALLOW stays as it is. */
  constructor(private readonly deep: number) {
    this.shallow = Math.min(deep, SHALLOW);
    this.posted = this.shallow;
  }

  /** At each look: so many frames have come. */
  note(waiting: number): void {
    const { posted } = this;
    if (this.wasEmpty && waiting * 2 >= posted) this.posted = this.deep;
    this.wasEmpty = waiting * 8 <= posted;
    this.full = waiting * 8 >= posted * 7 ? this.full + 1 : 0;
    if (this.full >= LOOKS) this.posted = this.shallow;
  }
}
