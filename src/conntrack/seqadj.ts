/**
 * Sequence numbers of connections whose destination uses others than the client sees: control
 * connections whose payload a helper resized (FTP), and connections that the SYN proxy opened. They
 * lie beside the table: few connections have any. A row in memory that outlives the process
 * (memory.ts) keeps them over a restart; it has the number of the entry, so that an entry finds its
 * row.
 *
 *     row   0 OWNER    1 STATUS = check << 8 | awaits << 1 | half
 *           2–4 half 0: position before after   5–7 half 1
 *
 * `half` is the half in force. A change writes the other half, then STATUS. The check covers what
 * is in force. A row with a wrong check is damaged: its connection must not go on, because every
 * segment of it would leave with wrong numbers.
 *
 * No payload of the SYN proxy's connections is resized, but with a helper. Without one `before` and
 * `after` are equal, `position` is what the timestamps are shifted by, and the shift of the window
 * stands for `awaits`. Until the destination answers, the halves have what the proxy must know
 * (Asked), and the check is wrong: such a handshake does not outlive the process.
 */

/** Words of a row. */
export const SHIFT_WORDS = 8;
const OWNER = 0;
const STATUS = 1;
const HALVES = 2;
const HALF_WORDS = 3;
/** OWNER of a control connection that has no numbers yet. 0 there is a row that was lost. */
const NOBODY = -1;
/** Bits of STATUS beside the check. */
const IN_FORCE = 0xff;
/** The shift of a window in STATUS, a signed number. */
const WINDOW_BITS = 0x1f;
const UNUSED_BITS = 27;

/** STATUS for these low bits: with the check over the owner, the bits and their half. */
function checked(row: Int32Array, at: number, low: number, owner = row[at + OWNER]!): number {
  const half = at + HALVES + (low & 1) * HALF_WORDS;
  let h = Math.imul(owner ^ low, 0x9e3779b1);
  for (let i = 0; i < HALF_WORDS; i++) {
    h = Math.imul(h ^ (h >>> 15) ^ row[half + i]!, 0x85ebca6b);
    h ^= h >>> 13;
  }
  return (h & ~IN_FORCE) | low;
}

/**
 * Sequence numbers of the destination's side after payload was resized, as in nf_conntrack_seqadj:
 * the position of the last change, the sum of changes before it and after it. Retransmitted older
 * packets use `before`.
 *
 *     destination's numbers   ──────────────┬ position ──────────────►
 *     client's numbers          + before    │           + after
 */
export class SequenceShift {
  /** The row begins at word `at`. */
  constructor(
    private readonly row: Int32Array = new Int32Array(SHIFT_WORDS),
    private readonly at = 0,
  ) {}

  get isShifted(): boolean {
    return this.before !== 0 || this.after !== 0;
  }

  /**
   * The segment at `seq` (destination's number) grew by `by` bytes. A retransmission counts once.
   */
  resized(seq: number, by: number): void {
    if (by === 0 || (this.before !== this.after && ((seq - this.position) | 0) <= 0)) return;
    const { row } = this;
    const other = this.halfAt(1);
    row[other] = seq;
    row[other + 1] = this.after;
    row[other + 2] = this.after + by;
    this.useOther();
  }

  /** Writes position, sum after and sum before to `to`, from index `at` on. */
  write(to: Int32Array, at: number): void {
    to[at] = this.position;
    to[at + 1] = this.after;
    to[at + 2] = this.before;
  }
  /** Takes what `write` wrote. */
  read(from: Int32Array, at: number): void {
    const other = this.halfAt(1);
    this.row[other] = from[at]!;
    this.row[other + 1] = from[at + 2]!;
    this.row[other + 2] = from[at + 1]!;
    this.useOther();
  }

  /** The last store of a change: a process that dies before it leaves the old numbers. */
  private useOther(): void {
    const status = this.at + STATUS;
    this.row[status] = checked(this.row, this.at, (this.row[status]! & IN_FORCE) ^ 1);
  }

  /** A sequence number of the destination, as sent to the client. */
  toClient(seq: number): number {
    return (seq + (((seq - this.position) | 0) > 0 ? this.after : this.before)) | 0;
  }

  /** An acknowledgement number of the client, as sent to the destination. */
  toDestination(ack: number): number {
    return (ack - (((ack - this.before - this.position) | 0) > 0 ? this.after : this.before)) | 0;
  }

  private get position(): number {
    return this.row[this.halfAt(0)]!;
  }
  private get before(): number {
    return this.row[this.halfAt(0) + 1]!;
  }
  private get after(): number {
    return this.row[this.halfAt(0) + 2]!;
  }

  /** Where a half begins; 0: the one in force, 1: the other. */
  private halfAt(which: number): number {
    return this.at + HALVES + ((this.row[this.at + STATUS]! & 1) ^ which) * HALF_WORDS;
  }
}

/**
 * What the SYN proxy notes of the acknowledgement by which a client proved its address
 * (dataplane/synproxy/open.ts): numbers, timestamps, window; MSS << 1 | it has timestamps.
 */
export const Asked = { seq: 0, ack: 1, timestamp: 2, echo: 3, window: 4, offers: 5 } as const;
type AskedWord = (typeof Asked)[keyof typeof Asked];

/**
 * A control connection: the reply that the helper waits for (Awaits of dataplane/ftp/text.ts), and
 * the shift of its numbers. A connection of the SYN proxy: all shifts.
 */
export class SeqAdj {
  readonly shift: SequenceShift;

  constructor(
    private readonly row: Int32Array = new Int32Array(SHIFT_WORDS),
    private readonly at = 0,
  ) {
    this.shift = new SequenceShift(row, at);
  }

  get awaits(): number {
    return (this.row[this.at + STATUS]! & IN_FORCE) >> 1;
  }
  set awaits(awaits: number) {
    const status = this.at + STATUS;
    this.row[status] = checked(this.row, this.at, (awaits << 1) | (this.row[status]! & 1));
  }

  /** What the SYN proxy notes until the destination answers. */
  note(word: AskedWord, value: number): void {
    this.row[this.at + HALVES + word] = value;
  }
  noted(word: AskedWord): number {
    return this.row[this.at + HALVES + word]!;
  }

  /**
   * The destination has answered the SYN proxy. A number of the destination plus `sequence` is the
   * client's, a timestamp plus `timestamp`, a window shifted left by `window` (−14 to 14).
   */
  splice(sequence: number, timestamp: number, window: number): void {
    const { row, at } = this;
    row[at + HALVES] = timestamp;
    row[at + HALVES + 1] = sequence;
    row[at + HALVES + 2] = sequence;
    row[at + STATUS] = checked(row, at, (window & WINDOW_BITS) << 1);
  }
  get timestampShift(): number {
    return this.row[this.at + HALVES]!;
  }
  get windowShift(): number {
    return (this.awaits << UNUSED_BITS) >> UNUSED_BITS;
  }
}

/** The rows of one table, by entry. Without memory each control connection has a row of its own. */
export class SeqAdjRows {
  constructor(private readonly rows: Int32Array) {}

  /** A fresh row for an entry. `owner`: a number of this connection that is not 0. */
  make(entry: number, owner: number): SeqAdj {
    const { rows } = this;
    const at = entry * SHIFT_WORDS;
    if (rows.length === 0) return new SeqAdj();
    for (let i = 0; i < SHIFT_WORDS; i++) rows[at + i] = 0;
    rows[at + STATUS] = checked(rows, at, 0, owner);
    rows[at + OWNER] = owner;
    return new SeqAdj(rows, at);
  }

  /** Returns false when the row of this connection is damaged, or it has none and `needs` one. */
  isSound(entry: number, owner: number, needs: boolean): boolean {
    const { rows } = this;
    const at = entry * SHIFT_WORDS;
    if (rows.length === 0 || rows[at + OWNER] === NOBODY) return !needs;
    return rows[at + OWNER] === owner && rows[at + STATUS] === checked(rows, at, rows[at + STATUS]! & IN_FORCE);
  }

  /** The row that a former process made for this connection; undefined: none. */
  kept(entry: number, owner: number): SeqAdj | undefined {
    const at = entry * SHIFT_WORDS;
    return this.rows.length !== 0 && this.rows[at + OWNER] === owner ? new SeqAdj(this.rows, at) : undefined;
  }

  /** Gives a row the check that rows of version 1 of the files do not have (control/state). */
  addCheck(entry: number, owner: number): void {
    const { rows } = this;
    const at = entry * SHIFT_WORDS;
    if (rows[at + OWNER] !== owner) rows[at + OWNER] = NOBODY;
    else rows[at + STATUS] = checked(rows, at, rows[at + STATUS]! & IN_FORCE);
  }

  /** Copies the row of a connection, which may have none, to an entry of other rows. */
  copy(entry: number, owner: number, to: SeqAdjRows, copy: number, newOwner: number): void {
    const row = this.kept(entry, owner) === undefined ? undefined : entry * SHIFT_WORDS;
    if (row === undefined) return to.clear(copy);
    const at = copy * SHIFT_WORDS;
    for (let i = 0; i < SHIFT_WORDS; i++) to.rows[at + i] = this.rows[row + i]!;
    to.rows[at + OWNER] = newOwner;
    to.addCheck(copy, newOwner);
  }

  /** Call for each new control connection: it has no row yet. */
  clear(entry: number): void {
    if (this.rows.length !== 0) this.rows[entry * SHIFT_WORDS + OWNER] = NOBODY;
  }
}
