/**
 * The TCP options that a handshake agrees on, in a SYN and in its answer: MSS (RFC 9293), window
 * scale and timestamps (RFC 7323), SACK permitted (RFC 2018). One record, filled for each segment.
 *
 *     | 2 4 mss | 4 2 | 8 10 value echo | 1 | 3 3 shift |      in the order that Linux writes
 */
import { find, MSS, NOP, SACK_PERMITTED, TIMESTAMPS, WINDOW_SCALE } from './options.js';

const TIMESTAMPS_LENGTH = 10;
/** The largest shift (RFC 7323, 2.3). */
const LARGEST_SHIFT = 14;

export class SynOptions {
  /** Bytes; 0: the option is absent. */
  mss = 0;
  /** Shift of the window; −1: the option is absent. */
  windowScale = -1;
  sackPermitted = false;
  hasTimestamps = false;
  /** TSval and TSecr, signed. */
  timestamp = 0;
  echo = 0;

  /** Reads the options from offset `at` to `end`. An option of a wrong length is absent. */
  read(view: DataView, at: number, end: number): void {
    const mss = sized(view, at, end, MSS, 4);
    this.mss = mss < 0 ? 0 : view.getUint16(mss + 2);
    const scale = sized(view, at, end, WINDOW_SCALE, 3);
    this.windowScale = scale < 0 ? -1 : Math.min(view.getUint8(scale + 2), LARGEST_SHIFT);
    this.sackPermitted = sized(view, at, end, SACK_PERMITTED, 2) >= 0;
    const timestamps = timestampsAt(view, at, end);
    this.hasTimestamps = timestamps >= 0;
    this.timestamp = timestamps < 0 ? 0 : view.getInt32(timestamps + 2);
    this.echo = timestamps < 0 ? 0 : view.getInt32(timestamps + 6);
  }

  /** Leaves the timestamps only: what a handshake agrees on stands in its SYNs. */
  clearAgreed(): void {
    this.mss = 0;
    this.windowScale = -1;
    this.sackPermitted = false;
  }

  /** Writes the options that are present at `at`. Returns their bytes, a multiple of 4. */
  write(view: DataView, at: number): number {
    let end = at;
    if (this.mss !== 0) {
      view.setUint16(end, (MSS << 8) | 4);
      view.setUint16(end + 2, this.mss);
      end += 4;
    }
    if (this.sackPermitted || this.hasTimestamps) {
      view.setUint16(end, this.sackPermitted ? (SACK_PERMITTED << 8) | 2 : (NOP << 8) | NOP);
      view.setUint16(end + 2, this.hasTimestamps ? (TIMESTAMPS << 8) | TIMESTAMPS_LENGTH : (NOP << 8) | NOP);
      end += 4;
    }
    if (this.hasTimestamps) {
      view.setInt32(end, this.timestamp);
      view.setInt32(end + 4, this.echo);
      end += 8;
    }
    if (this.windowScale >= 0) {
      view.setUint16(end, (NOP << 8) | WINDOW_SCALE);
      view.setUint16(end + 2, (3 << 8) | this.windowScale);
      end += 4;
    }
    return end - at;
  }
}

/** Offset of the timestamps option from `at` to `end`; −1: it is absent. */
export function timestampsAt(view: DataView, at: number, end: number): number {
  return sized(view, at, end, TIMESTAMPS, TIMESTAMPS_LENGTH);
}

function sized(view: DataView, at: number, end: number, kind: number, length: number): number {
  const found = find(view, at, end, kind);
  return found >= 0 && view.getUint8(found + 1) === length ? found : -1;
}
