/**
 * Hotplug: interfaces that go and come while the director runs. It goes on with the others; the
 * connections stay.
 *
 *                interface gone, another one of its name, a fault
 *     attached ────────────────────────────────────────────────────► leaving
 *        ▲                                                              │ all workers have let go
 *        │ opened here, workers take over                               ▼ closed here
 *        └──────────── with each change of the links, and each second ── away
 */
import type { Logger } from 'pino';
import { DeviceError } from '../../device/error.js';
import { faultOf } from '../../device/handle.js';
import { SystemError } from '../../sys/libc.js';
import type { DeviceSet } from '../engine/device-set.js';
import type { Message } from '../engine/messages.js';

/** What Hotplug acts on. */
export interface Surroundings {
  send(message: Message): void;
  /** Index of the interface of this name at the moment; undefined: there is none. */
  indexOf(name: string): number | undefined;
  /** Devices were attached or have left. */
  changed(): void;
}

type State = 'attached' | 'leaving' | 'away';

/** The states of all devices. */
export class Hotplug {
  private readonly states: State[];
  /** By device that is leaving: workers that use it still. */
  private readonly users: number[] = [];
  /** By device that is away: why it could not be opened; logged once. */
  private readonly refusals: string[] = [];

  constructor(
    private readonly set: DeviceSet,
    private readonly workers: number,
    private readonly around: Surroundings,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {
    this.states = set.devices.map((_, i) => (set.isOpen(i) ? 'attached' : 'away'));
  }

  /** Names of the devices that are not attached. */
  get away(): string[] {
    return this.set.devices.filter((_, i) => this.states[i] !== 'attached').map(({ name }) => name);
  }

  /** Call after links have changed. */
  linksChanged(): void {
    this.set.devices.forEach(({ name }, i) => {
      const opened = this.set.ifindexOf(i);
      if (this.states[i] === 'attached' && opened !== undefined && this.around.indexOf(name) !== opened)
        this.leave(
          i,
          this.around.indexOf(name) === undefined ? 'the network interface is gone' : 'it is a new interface',
        );
    });
    this.attachAll();
  }

  /** A worker, or `check`, has found that a device receives nothing any more. */
  fault(device: number, why: string): void {
    if (this.states[device] === 'attached') this.leave(device, why);
  }

  /** A worker has let go of a device. */
  letGo(device: number): void {
    const left = (this.users[device] ?? 1) - 1;
    this.users[device] = left;
    if (left === 0) this.close(device);
  }

  /** A worker died, which lets go of everything. */
  workerDied(): void {
    this.states.forEach((state, i) => {
      if (state === 'leaving') this.letGo(i);
    });
  }

  /** Call each second: looks for faults, and tries to attach what is away. */
  check(): void {
    this.set.devices.forEach((_, i) => {
      const why = this.states[i] === 'attached' ? this.faultAt(i) : '';
      if (why !== '') this.leave(i, why);
    });
    this.attachAll();
  }

  private faultAt(device: number): string {
    try {
      return (
        this.set
          .handlesOf(device)
          .map((handle) => (handle ? faultOf(handle) : ''))
          .find((why) => why !== '') ?? ''
      );
    } catch (error) {
      if (error instanceof SystemError) return error.message;
      throw error;
    }
  }

  private leave(device: number, why: string): void {
    const { name } = this.set.devices[device]!;
    this.log.warn(`${name}: ${why}; the director goes on without it, and attaches it again as soon as it can`);
    this.states[device] = 'leaving';
    this.users[device] = this.workers;
    this.refusals[device] = '';
    this.around.send({ kind: 'detach', device });
  }

  private close(device: number): void {
    this.set.close(device);
    this.around.send({ kind: 'reclaim', device });
    this.states[device] = 'away';
    if (!this.attach(device)) this.around.changed();
  }

  private attachAll(): void {
    this.states.forEach((state, i) => {
      if (state === 'away') this.attach(i);
    });
  }

  /** Attaches a device that is away. Returns false when it cannot be opened yet. */
  private attach(device: number): boolean {
    const { name, shared } = this.set.devices[device]!;
    if (shared && this.around.indexOf(name) === undefined) return false;
    try {
      const how = this.set.open(device);
      this.states[device] = 'attached';
      this.around.send({ kind: 'attach', device, handles: this.set.handlesOf(device) });
      this.log.info(`${name}: attached again, using ${how}`);
      this.around.changed();
      return true;
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      if (this.refusals[device] !== error.message) this.log.warn(`not attached yet: ${error.message}`);
      this.refusals[device] = error.message;
      return false;
    }
  }
}
