/**
 * What a helper remembers of control connections, beside the table: few connections have any of it, and only once their
 * client asked for a data connection.
 */

/**
 * The sequence space of the destination's side after its text was made longer or shorter, as nf_conntrack_seqadj keeps
 * it: the last change and what the ones before it add up to. Older packets that come again fall under `before`, too.
 *
 *     destination's numbers   ──────────────┬ position ──────────────►
 *     client's numbers          + before    │           + after
 */
export class SequenceShift {
  private position = 0;
  private before = 0;
  private after = 0;

  get isShifted(): boolean {
    return this.before !== 0 || this.after !== 0;
  }

  /** The segment at `seq` (destination's numbers) changed its length by `by`. A segment that comes again counts once. */
  resized(seq: number, by: number): void {
    if (by === 0 || (this.before !== this.after && ((seq - this.position) | 0) <= 0)) return;
    this.position = seq;
    this.before = this.after;
    this.after += by;
  }

  /** The destination's number as the client shall see it. */
  toClient(seq: number): number {
    return (seq + (((seq - this.position) | 0) > 0 ? this.after : this.before)) | 0;
  }

  /** The client's acknowledgement as the destination shall see it. */
  toDestination(ack: number): number {
    return (ack - (((ack - this.before - this.position) | 0) > 0 ? this.after : this.before)) | 0;
  }
}

/** A control connection: which answer of the server is awaited, and what was done to its numbers. */
export class SeqAdj {
  awaits = 0;
  readonly shift = new SequenceShift();
}
