/**
 * What the client of an outage lab does and reports, as lines of JSON between it and the lab.
 *
 *     a flow        one datagram each PERIOD ms, which the realserver echoes: frames lost, longest gap
 *     a download    a TCP connection on which the realserver sends blocks: bytes, longest gap
 *     an opening    a new TCP connection that fetches some bytes and ends
 */

/** Time between two datagrams of a flow, and by default between two blocks of a download, in ms. */
export const PERIOD = 5;
/** Bytes of a block. */
export const BLOCK = 1000;
/** Bytes that an opening fetches. */
export const SMALL = 200;

/** Connections by one interface of the director. */
export interface Group {
  readonly name: string;
  /** Local address. */
  readonly from: string;
  readonly vip: string;
  readonly tcp: number;
  readonly udp: number;
  readonly flows: number;
  readonly downloads: number;
  /** Openings a second. */
  readonly rate: number;
}

/** What became of a group since the last report. */
export interface Report {
  readonly name: string;
  /** Downloads that are still open, and that were lost. */
  readonly open: number;
  readonly lost: number;
  /** Bytes that were not those the realserver sent. */
  readonly wrong: number;
  readonly bytes: number;
  /** The longest time without a byte in any download, ms. */
  readonly downloadGap: number;
  /** How long the most silent download has been without a byte by now, ms. */
  readonly silence: number;
  readonly sent: number;
  readonly echoed: number;
  /** The longest time without an echo in any flow, ms. */
  readonly flowGap: number;
  readonly opened: number;
  readonly refused: number;
  /** The longest time that an opening took, ms. */
  readonly slowest: number;
}

/** Byte `i` of every download. */
export function byteAt(i: number): number {
  return (i * 31 + (i >>> 8)) & 0xff;
}
