/** A device that plays back a capture and records what is sent. */
import type { TimedFrame } from '../../../src/capture/frame.js';
import type { PcapWriter } from '../../../src/capture/pcap.js';
import type { Batch } from '../../../src/device/batch.js';
import { type Device, type DeviceStats, newDeviceStats } from '../../../src/device/device.js';
import type { Umem } from '../../../src/device/umem.js';

export interface FileOptions {
  /** Writer for sent frames. Without one they are only counted. The device closes it. */
  writer?: PcapWriter;
}

/**
 * Returns the frames of a capture (`readCapture`, `readScript`) when its clock `now` reaches their
 * time. The test sets the clock. It starts at infinity: all frames are due at once.
 */
export class FileDevice implements Device {
  readonly kind = 'memory';
  readonly fd = -1;
  readonly stats: DeviceStats = newDeviceStats();
  /**
   * Frames up to this time (milliseconds, as in the file) are received. Sent frames get it as time
   * stamp.
   */
  now = Number.POSITIVE_INFINITY;
  private next = 0;

  constructor(
    private readonly umem: Umem,
    readonly name: string,
    private readonly frames: readonly TimedFrame[],
    private readonly options: FileOptions = {},
  ) {}

  /** Time of the next frame; infinity when there is none left. */
  get nextAt(): number {
    return this.frames[this.next]?.t ?? Number.POSITIVE_INFINITY;
  }

  get atEnd(): boolean {
    return this.next >= this.frames.length;
  }

  rx(batch: Batch): number {
    const before = batch.n;
    while (!this.atEnd && this.nextAt <= this.now && batch.n < batch.capacity) {
      const { bytes } = this.frames[this.next]!;
      const offset = this.umem.put(bytes);
      if (offset < 0 && bytes.length <= this.umem.capacity) break; // no frame is free: later
      this.next++;
      if (offset < 0) {
        this.stats.rxOversize++;
        continue;
      }
      batch.push(offset, bytes.length);
      this.stats.rxPackets++;
      this.stats.rxBytes += bytes.length;
    }
    return batch.n - before;
  }

  tx(batch: Batch): number {
    const n = batch.n;
    const t = Number.isFinite(this.now) ? this.now : (this.frames[this.next - 1]?.t ?? 0);
    for (let i = 0; i < n; i++) {
      this.options.writer?.write(t, this.umem.u8, batch.offsets[i]!, batch.lengths[i]!);
      this.stats.txBytes += batch.lengths[i]!;
      this.umem.free(batch.offsets[i]!);
    }
    this.stats.txPackets += n;
    batch.n = 0;
    return n;
  }

  close(): void {
    this.options.writer?.close();
    this.next = this.frames.length;
  }
}
