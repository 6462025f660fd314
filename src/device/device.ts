/** The contract of a device: what every kind of device does, and what it counts. */
import type { Batch } from './batch.js';

/**
 * Counters of one device, never reset. Bytes are frame bytes, Ethernet header included, FCS
 * excluded.
 */
export interface DeviceStats {
  rxPackets: number;
  rxBytes: number;
  txPackets: number;
  txBytes: number;
  /**
   * Frames lost before `rx` could return them: the kernel's ring was full, or the Umem had no free
   * frame.
   */
  rxDropped: number;
  /** Frames lost in `tx`: the kernel did not take them. */
  txDropped: number;
  /** Frames longer than a frame of the Umem, GSO packets that could not be segmented, and runts. */
  rxOversize: number;
}

/**
 * Receives and sends frames. A frame that does not fit is counted and dropped; no call waits.
 *
 * Ownership of frames: `rx` allocates frames of the Umem, and the caller owns them. `tx` takes
 * every frame of the batch from the caller, frees it when the device is done with it, and empties
 * the batch.
 */
export interface Device {
  readonly name: string;
  /** Name of the kind (kinds.ts), or another word for a device that no configuration can name. */
  readonly kind: string;
  /**
   * How the device works on this interface, for the log; absent or '' when there is nothing to say.
   */
  readonly detail?: string;
  /** Sends GSO packets in one piece (large-frames.ts); absent: it must not get one. */
  readonly takesGso?: boolean;
  /** File descriptor that poll(2) reports input on; −1 when there is none. */
  readonly fd: number;
  readonly stats: DeviceStats;
  /**
   * Appends received frames to `batch` until the batch is full or no more are there. Returns how
   * many.
   */
  rx(batch: Batch): number;
  /** Sends the frames of `batch`. Returns how many the kernel took. */
  tx(batch: Batch): number;
  /**
   * Why the device receives nothing any more though its interface is there; '' while it works. A
   * system call or more: not for each packet.
   */
  readonly fault?: string;
  /** Where a device of another process must go on to read; absent: the kernel knows. */
  readonly position?: number;
  /**
   * Another process has read and sent until now, the last time at `position`: goes on there. The
   * device was made as one that waits.
   */
  resume?(position: number): void;
  /** Nobody will receive for a moment: keeps room for as many frames as it can. */
  deepen?(): void;
  /**
   * Takes back the frames that the kernel had, after another thread has closed the device's handle
   * (handle.ts). Nothing may be received or sent then.
   */
  reclaim?(): void;
  close(): void;
}

/** Beyond 32 bits: V8 keeps a field that has held it as a double. */
const WIDE = 2 ** 53;

/**
 * Counters at 0. Their fields are doubles from the beginning: the code of the packet path is
 * compiled for what they hold. It would be compiled anew, and be slow for milliseconds, when a
 * count passes 2^31 or the first frame is dropped.
 */
export function newDeviceStats(): DeviceStats {
  const stats = {
    rxPackets: WIDE,
    rxBytes: WIDE,
    txPackets: WIDE,
    txBytes: WIDE,
    rxDropped: WIDE,
    txDropped: WIDE,
    rxOversize: WIDE,
  };
  for (const name of Object.keys(stats) as (keyof DeviceStats)[]) stats[name] = 0;
  return stats;
}
