/**
 * Workers: the dataplane of a live director with its devices, as the control thread owns it.
 *
 *     DeviceSet (handles, frames) ─┐
 *     SharedMemory (tables, counters) ─► setups ─► worker threads ◄─ messages
 *     WorkerPool (what they share) ┘                   │ one dies
 *                                        devices anew ─┴─► a thread on the same table and counters
 */
import { kindOf } from '../../device/kinds.js';
import type { InterceptMaps } from '../../device/xdp/intercept-maps.js';
import type { ServiceEntry } from '../api/api.js';
import type { Config } from '../config/config.js';
import { DeviceSet } from './device-set.js';
import type { DeviceSetup, Message, Report, RunnerSetup } from './messages.js';
import type { SharedMemory } from './shared-memory.js';
import { type Dataplane, type DataplaneSetup, startInline, startWorker } from './worker-handle.js';
import { setupFor, WorkerPool } from './worker-pool.js';

/** Deaths within DEATHS_MS after which a director gives up: the next start would die, too. */
const MOST_DEATHS = 5;
const DEATHS_MS = 60_000;

/** The dataplane with its devices. */
export class Workers {
  readonly set: DeviceSet;
  private readonly pool: WorkerPool | undefined;
  private readonly base: Pick<RunnerSetup, 'config' | 'devices' | 'live'>;
  private dataplane: Dataplane | undefined;
  private deaths: number[] = [];

  /** Makes the frames; opens no device yet. Throws a SystemError. */
  constructor(
    private readonly shared: SharedMemory,
    config: Config,
    devices: readonly DeviceSetup[],
    maps: readonly InterceptMaps[],
    live: boolean,
  ) {
    this.base = { config, devices, live };
    this.pool = shared.workers === 1 ? undefined : new WorkerPool(shared, devices, maps);
    this.set = new DeviceSet(devices, shared.workers, (device) => this.pool?.shareOf(device));
  }

  /** Opens the devices for which `isThere` holds. Returns lines for the log. Throws a DeviceError. */
  open(isThere: (device: DeviceSetup) => boolean): string[] {
    const lines = this.base.devices.map((device, i) => {
      if (!isThere(device)) return `${device.name}: no such network interface yet; it is attached when it is there`;
      return `${device.name}: using ${this.set.open(i)}`;
    });
    return this.base.live ? [...lines, ...this.set.openTuns()] : lines;
  }

  /** Name of the interface into the host's stack; '': none. */
  get tun(): string {
    return this.set.tuns[0]?.name ?? '';
  }

  /** Starts the threads. Rejects with an Error of one line. */
  async start(onReport: (report: Report) => void): Promise<void> {
    const setups = this.set.memories.map((_, worker) => this.setupOf(worker));
    const inline = this.base.devices.some(({ kind }) => kindOf(kind).thread === 'main');
    if (this.pool !== undefined) this.dataplane = await this.pool.start(setups, onReport);
    else this.dataplane = await (inline ? startInline : startWorker)(setups[0]!, onReport);
  }

  /** To one worker, or to all. */
  send(message: Message, worker?: number): void {
    this.dataplane?.send(message, worker);
  }

  /**
   * Starts a worker that has died anew, with devices that are opened anew, on the same connection
   * table and counters. The caller tells it rules and network. Returns false when workers die too
   * often, or where the thread is the main one. Rejects with an Error of one line.
   */
  async revive(worker: number): Promise<boolean> {
    const { dataplane } = this;
    const now = performance.now();
    this.deaths = [...this.deaths.filter((then) => now - then < DEATHS_MS), now];
    if (dataplane?.restart === undefined || this.deaths.length > MOST_DEATHS) return false;
    this.set.renew(worker);
    await dataplane.restart(worker, this.setupOf(worker));
    return true;
  }

  /** The workers follow a change of the services. `ftp`: ports of the helper. */
  steer(services: readonly ServiceEntry[], ftp: readonly number[]): void {
    for (const message of this.pool?.update(services, ftp) ?? []) this.send(message);
  }

  /** Stops the threads and closes the devices. */
  async stop(): Promise<void> {
    await this.dataplane?.stop();
    this.set.closeAll();
    this.pool?.close();
  }

  private setupOf(worker: number): DataplaneSetup {
    const setup = setupFor(worker, this.shared, this.set, this.base);
    return this.pool?.complete(setup, worker) ?? setup;
  }
}
