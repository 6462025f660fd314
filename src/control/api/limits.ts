/** What clients of the control socket may hold. */

/** Limits of all sessions of a director. */
export interface Limits {
  /** Sessions at once. One more ends the session that was idle longest. */
  readonly sessions: number;
  /** Characters of one request, and of the incomplete requests of all sessions. */
  readonly line: number;
  readonly incomplete: number;
  /** Time, in ms, in which a request must be complete. */
  readonly completeMs: number;
  /** Time, in ms, in which a client must take an answer. */
  readonly takeMs: number;
  /** Bytes of answers that wait for their readers. Beyond, further answers are made later. */
  readonly unsent: number;
}

export const LIMITS: Limits = {
  sessions: 256,
  line: 2 ** 20,
  incomplete: 2 ** 25,
  completeMs: 10_000,
  takeMs: 30_000,
  unsent: 2 ** 26,
};
