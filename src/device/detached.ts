/**
 * DetachedDevice: the place of a device whose interface is away. It receives nothing. Frames for it
 * are counted and freed, as by a cable that is not plugged in.
 */
import type { Batch } from './batch.js';
import { type Device, type DeviceStats, newDeviceStats } from './device.js';
import type { Umem } from './umem.js';

export class DetachedDevice implements Device {
  readonly kind = 'detached';
  readonly fd = -1;
  readonly stats: DeviceStats = newDeviceStats();

  constructor(
    private readonly umem: Umem,
    readonly name: string,
  ) {}

  rx(): number {
    return 0;
  }

  tx(batch: Batch): number {
    for (let i = 0; i < batch.n; i++) this.umem.free(batch.offsets[i]!);
    this.stats.txDropped += batch.n;
    batch.n = 0;
    return 0;
  }

  close(): void {}
}
