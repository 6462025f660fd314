/**
 * Sequence numbers of control connections whose payload a helper resized (FTP). They lie beside the
 * table: few connections have any.
 */

/**
 * Sequence numbers of the destination's side after payload was resized, as in nf_conntrack_seqadj:
 * the position of the last change, the sum of changes before it and after it. Retransmitted older
 * packets use `before`.
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

  /**
   * The segment at `seq` (destination's number) grew by `by` bytes. A retransmission counts once.
   */
  resized(seq: number, by: number): void {
    if (by === 0 || (this.before !== this.after && ((seq - this.position) | 0) <= 0)) return;
    this.position = seq;
    this.before = this.after;
    this.after += by;
  }

  /** Writes position, sum after and sum before to `to`, from index `at` on (ip_vs_seq). */
  write(to: Int32Array, at: number): void {
    to[at] = this.position;
    to[at + 1] = this.after;
    to[at + 2] = this.before;
  }
  /** Takes what `write` wrote. */
  read(from: Int32Array, at: number): void {
    this.position = from[at]!;
    this.after = from[at + 1]!;
    this.before = from[at + 2]!;
  }

  /** A sequence number of the destination, as sent to the client. */
  toClient(seq: number): number {
    return (seq + (((seq - this.position) | 0) > 0 ? this.after : this.before)) | 0;
  }

  /** An acknowledgement number of the client, as sent to the destination. */
  toDestination(ack: number): number {
    return (ack - (((ack - this.before - this.position) | 0) > 0 ? this.after : this.before)) | 0;
  }
}

/**
 * A control connection: the reply that the helper waits for (Awaits of dataplane/ftp/text.ts), and
 * the shift of its numbers.
 */
export class SeqAdj {
  awaits = 0;
  readonly shift = new SequenceShift();
}
