/** A device around another one, whose name, kind, descriptor and counters it has. */
import type { Batch } from './batch.js';
import type { Device, DeviceStats } from './device.js';

/** Passes all on; a subclass changes what it wants to. */
export class WrappedDevice implements Device {
  constructor(protected readonly inner: Device) {}

  get name(): string {
    return this.inner.name;
  }
  get kind(): string {
    return this.inner.kind;
  }
  get fd(): number {
    return this.inner.fd;
  }
  get stats(): DeviceStats {
    return this.inner.stats;
  }

  rx(batch: Batch): number {
    return this.inner.rx(batch);
  }

  tx(batch: Batch): number {
    return this.inner.tx(batch);
  }

  close(): void {
    this.inner.close();
  }
}
