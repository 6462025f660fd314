/**
 * What the client of an outage lab does and reports, as lines of JSON between it and the lab.
 *
 *     a flow        one datagram each PERIOD ms, which the realserver echoes: frames lost, longest gap,
 *                   the time until the echo
 *     a download    a TCP connection on which the realserver sends blocks: bytes, longest gap
 *     an opening    a new TCP connection that fetches some bytes and ends
 */

/** Time between two datagrams of a flow, and by default between two blocks of a download, in ms. */
export const PERIOD = 5;
/** After this time without a byte a download is called silent, ms: TCP repeats within it. */
export const SILENT = 4000;
/** Bytes of a block. */
export const BLOCK = 1000;
/** Bytes that an opening fetches. */
export const SMALL = 200;
/** Bytes of one large download (programs/bulk-client.ts), which comes as fast as it can. */
export const BULK = 50_000_000;

/** What became of a large download. */
export interface Bulk {
  readonly isWhole: boolean;
  readonly bytes: number;
  readonly ms: number;
}

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
  /** A download that was lost begins again. */
  readonly again?: boolean;
}

/** What became of a group since the last report. */
export interface Report {
  readonly name: string;
  /** Downloads that are still open, and that were lost. */
  readonly open: number;
  readonly lost: number;
  /** Bytes that were not those the realserver sent; and echoes that were not what was sent. */
  readonly wrong: number;
  readonly bytes: number;
  /** The longest time without a byte in any download, ms. */
  readonly downloadGap: number;
  /** How long the most silent download has been without a byte by now, ms. */
  readonly silence: number;
  /** Downloads that have been without a byte for SILENT by now. */
  readonly silent: number;
  readonly sent: number;
  readonly echoed: number;
  /** The longest time without an echo in any flow, ms. */
  readonly flowGap: number;
  readonly opened: number;
  readonly refused: number;
  /** The longest time that an opening took, ms. */
  readonly slowest: number;
  /** Times until an echo, and of openings that succeeded, ms. */
  readonly echo: Times;
  readonly opening: Times;
}

/** Of a number of times, ms; 0 where there is none. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
}

export function timesOf(all: readonly number[]): Times {
  const sorted = [...all].sort((a, b) => a - b);
  const at = (part: number) => Math.round((sorted[Math.floor(part * sorted.length)] ?? 0) * 1000) / 1000;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Bytes of a datagram: the time at which it was sent (Float64), then those of a download. */
export const DATAGRAM = 64;
const TIME = 8;

/** A datagram that is sent at `time`, ms. */
export function datagramAt(time: number): Buffer {
  const datagram = Buffer.from(Array.from({ length: DATAGRAM }, (_, i) => byteAt(i)));
  datagram.writeDoubleLE(time);
  return datagram;
}

/** When an echo was sent, ms; undefined: it is not what was sent. */
export function timeOfEcho(echo: Buffer): number | undefined {
  if (echo.length !== DATAGRAM) return undefined;
  for (let i = TIME; i < DATAGRAM; i++) if (echo[i] !== byteAt(i)) return undefined;
  return echo.readDoubleLE();
}

/** Byte `i` of every download. */
export function byteAt(i: number): number {
  return (i * 31 + (i >>> 8)) & 0xff;
}
