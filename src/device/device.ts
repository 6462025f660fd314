import type { Batch } from './batch.js';

/** Counted by the device itself, never reset. Bytes are frame bytes. */
export interface DeviceStats {
  rxPackets: number;
  rxBytes: number;
  txPackets: number;
  txBytes: number;
  /** Lost before `rx` could hand them out: the kernel's ring was full, or no free frame. */
  rxDropped: number;
  /** Lost in `tx`: the kernel did not take them. */
  txDropped: number;
  /** Frames longer than the Umem's frames (super-packets that could not be segmented). */
  rxOversize: number;
}

/**
 * Frames in and out. What does not fit is counted and dropped, never waited for.
 *
 * SteeringKey: `rx` takes frames from the Umem and gives them to the caller; `tx` takes every frame of the batch over,
 * whatever becomes of it, gives it back to the Umem when it has left, and empties the batch.
 */
export interface Device {
  readonly name: string;
  /** Name of its kind (kinds.ts), or of a device that no configuration names. */
  readonly kind: string;
  /** How the kind works on this interface, for the log; '' when there is nothing to say. */
  readonly detail?: string;
  /** The file descriptor to poll for input, −1 where there is none (memory, file). */
  readonly fd: number;
  readonly stats: DeviceStats;
  /** Appends frames to `batch` until it is full or no more are there; returns how many. */
  rx(batch: Batch): number;
  /** Sends the frames of `batch`; returns how many the wire took. */
  tx(batch: Batch): number;
  close(): void;
}

export function newDeviceStats(): DeviceStats {
  return { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, rxDropped: 0, txDropped: 0, rxOversize: 0 };
}
