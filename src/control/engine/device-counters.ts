/**
 * Counters of devices in shared memory. The thread of the dataplane writes them; readers never stop
 * forwarding.
 *
 *     Float64   device 0: [rxPackets rxBytes txPackets txBytes rxDropped txDropped rxOversize]   device 1: …
 */
import { type Device, type DeviceStats, newDeviceStats } from '../../device/device.js';

const COLUMNS = Object.keys(newDeviceStats()) as (keyof DeviceStats)[];

/** The counters of one worker's devices. */
export class DeviceCounters {
  private readonly values: Float64Array;

  constructor(readonly buffer: SharedArrayBuffer) {
    this.values = new Float64Array(buffer);
  }

  /** Zeroed memory for a number of devices. */
  static memory(devices: number): SharedArrayBuffer {
    return new SharedArrayBuffer(devices * COLUMNS.length * 8);
  }

  /** Copies the counters of the devices. `before`: what their predecessors have counted. */
  write(devices: readonly Device[], before: readonly DeviceStats[]): void {
    for (let i = 0; i < devices.length; i++) {
      const { stats } = devices[i]!;
      for (let j = 0; j < COLUMNS.length; j++)
        this.values[i * COLUMNS.length + j] = stats[COLUMNS[j]!] + before[i]![COLUMNS[j]!];
    }
  }

  /** The counters of device number `device`. */
  read(device: number): DeviceStats {
    const row = newDeviceStats();
    COLUMNS.forEach((column, j) => {
      row[column] = this.values[device * COLUMNS.length + j]!;
    });
    return row;
  }
}
