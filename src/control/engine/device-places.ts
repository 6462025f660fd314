/**
 * DevicePlaces: the devices of one worker, by link. The device of a link can be let go of and taken
 * over while the loop runs; the loop reads the same array all the time.
 *
 *     device ─ detach ─► DetachedDevice ─ attach ─► device
 *        └─ waits until its handle is closed ─ reclaim ─► its frames are free
 */
import { DetachedDevice } from '../../device/detached.js';
import { type Device, type DeviceStats, newDeviceStats } from '../../device/device.js';
import { type DeviceHandle, deviceOn } from '../../device/handle.js';
import { findKind } from '../../device/kinds.js';
import type { Umem } from '../../device/umem.js';
import type { DeviceSetup, Report } from './messages.js';

/** Period, in ms, at which devices are asked for a fault. */
const CHECK_EVERY = 1000;

/** The devices of one worker. */
export class DevicePlaces {
  readonly devices: Device[];
  /** By device: what its predecessors have counted. */
  readonly before: DeviceStats[];
  /** Grows when a descriptor to wait on changes. */
  version = 0;
  private readonly leaving: (Device | undefined)[] = [];
  /** By device: its fault was reported. */
  private readonly reported: boolean[] = [];
  private nextCheck = 0;

  /** All are away at first. `worker`: number of the worker. */
  constructor(
    private readonly umem: Umem,
    devices: readonly Pick<DeviceSetup, 'name'>[],
    private readonly worker: number,
    private readonly report: (report: Report) => void,
  ) {
    this.before = devices.map(newDeviceStats);
    this.devices = devices.map(({ name }) => new DetachedDevice(umem, name));
  }

  /** Adds devices that never leave. */
  add(...devices: readonly Device[]): void {
    for (const device of devices) {
      this.devices.push(device);
      this.before.push(newDeviceStats());
    }
  }

  /** Descriptors to wait on. */
  get descriptors(): number[] {
    return this.devices.map(({ fd }) => fd);
  }

  /** Lets go of a device and reports it. */
  detach(index: number): void {
    const device = this.devices[index]!;
    this.replace(index, new DetachedDevice(this.umem, device.name));
    this.leaving[index] = device;
    this.report({ kind: 'detached', device: index, worker: this.worker });
  }

  /** Frees the frames of a device that was let go of and that is closed now. */
  reclaim(index: number): void {
    this.leaving[index]?.reclaim?.();
    this.leaving[index] = undefined;
  }

  /**
   * Takes over an open device. `handles`: by worker. `waits`: another process uses it until
   * `resume`. Throws a DeviceError of libpcap.
   */
  attach(index: number, handles: readonly (DeviceHandle | undefined)[], waits = false): void {
    const handle = handles[this.worker];
    if (handle === undefined) return;
    this.reported[index] = false;
    this.replace(index, deviceOn(this.umem, handle, waits));
  }

  /** Reports devices with a fault, each once. `now` in ms. */
  check(now: number): void {
    if (now < this.nextCheck) return;
    this.nextCheck = now + CHECK_EVERY;
    for (let i = 0; i < this.devices.length; i++) {
      const why = this.devices[i]!.fault ?? '';
      if (why === '' || this.reported[i] === true) continue;
      this.reported[i] = true;
      this.report({ kind: 'fault', device: i, why });
    }
  }

  /** Where the devices' rings are read, by device. */
  get positions(): number[] {
    return this.devices.map(({ position = 0 }) => position);
  }

  /** Closes the devices of libpcap. The control thread closes all others. */
  close(): void {
    for (const device of this.devices) if (isOwn(device)) device.close();
  }

  private replace(index: number, device: Device): void {
    const { stats } = this.devices[index]!;
    const sum = this.before[index]!;
    for (const column of Object.keys(sum) as (keyof DeviceStats)[]) sum[column] += stats[column];
    this.devices[index] = device;
    this.version++;
  }
}

function isOwn({ kind }: Device): boolean {
  const row = findKind(kind);
  return row?.thread === 'main';
}
