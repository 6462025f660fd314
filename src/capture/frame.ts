/** Frames of capture files, and what the readers of all formats share. */
import { DeviceError } from '../device/error.js';

/** A frame of a capture file. */
export interface TimedFrame {
  /**
   * Milliseconds with a fraction: since the epoch in a capture, since the start in frames.jsonl.
   */
  t: number;
  /** Name of the interface; '' when the file has none (pcap). */
  if: string;
  bytes: Uint8Array;
}

export interface Capture {
  frames: TimedFrame[];
  /** Faults of the file in spite of which it can be used, one line each. */
  warnings: string[];
}

/** LINKTYPE_ETHERNET. */
export const LINK_ETHERNET = 1;

/** Throws a DeviceError for a link type other than Ethernet, such as that of `tcpdump -i any`. */
export function mustBeEthernet(name: string, linkType: number): void {
  if (linkType !== LINK_ETHERNET)
    throw new DeviceError(name, `link type ${linkType} is not Ethernet`, "capture on one interface, not on 'any'");
}

/** The warning for `n` frames that the snaplen of the capture cut. */
export function cutFrames(name: string, n: number): string {
  return `${name}: ${n} frames were cut when they were captured; record with 'tcpdump -s 0'`;
}

/** Bytes of the file, without a copy. */
export function slice(view: DataView, at: number, len: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, len);
}
