/** A device that wraps another one and records every frame to a pcap file. */
import type { PcapWriter } from '../../../src/capture/pcap.js';
import type { Batch } from '../../../src/device/batch.js';
import type { Device } from '../../../src/device/device.js';
import type { Umem } from '../../../src/device/umem.js';
import { WrappedDevice } from '../../../src/device/wrapped.js';

/** Writes every received and sent frame to the pcap file, in the order in which they pass. */
export class Tracer extends WrappedDevice {
  /**
   * `clock` gives the time stamps, in milliseconds since the epoch. It is read once for each batch.
   * The caller closes the file.
   */
  constructor(
    inner: Device,
    private readonly umem: Umem,
    private readonly writer: PcapWriter,
    private readonly clock: () => number = Date.now,
  ) {
    super(inner);
  }

  override rx(batch: Batch): number {
    const before = batch.n;
    const n = this.inner.rx(batch);
    if (n > 0) this.record(batch, before);
    return n;
  }

  /** Frames are written before they are sent: afterwards they belong to the device. */
  override tx(batch: Batch): number {
    if (batch.n > 0) this.record(batch, 0);
    return this.inner.tx(batch);
  }

  private record(batch: Batch, from: number): void {
    const now = this.clock();
    for (let i = from; i < batch.n; i++) this.writer.write(now, this.umem.u8, batch.offsets[i]!, batch.lengths[i]!);
  }

  override close(): void {
    this.writer.flush();
    super.close();
  }
}
