import { DeviceError } from '../device/error.js';

/** Frames with their times, as files hold them. */
export interface TimedFrame {
  /** Milliseconds: since the epoch in a capture, since the start in frames.jsonl; with a fraction. */
  t: number;
  /** The interface's name; '' where the file does not say (pcap). */
  if: string;
  bytes: Uint8Array;
}

export interface Capture {
  frames: TimedFrame[];
  /** One line each: what was wrong with the file but did not keep it from being used. */
  warnings: string[];
}

/** LINKTYPE_ETHERNET. */
export const LINK_ETHERNET = 1;

/** One line for anything but Ethernet, as `tcpdump -i any` writes it. */
export function mustBeEthernet(name: string, linkType: number): void {
  if (linkType !== LINK_ETHERNET)
    throw new DeviceError(name, `link type ${linkType} is not Ethernet`, "capture on one interface, not on 'any'");
}

/** A warning for frames that the capture's snaplen cut. */
export function cutFrames(name: string, n: number): string {
  return `${name}: ${n} frame(s) were cut when captured; record with 'tcpdump -s 0'`;
}

/** Those bytes of the file, not copied. */
export function slice(view: DataView, at: number, len: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, len);
}
