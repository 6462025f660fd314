/**
 * Workers: the dataplane of a live director with its devices, as the control thread owns it.
 *
 *     DeviceSet (handles, frames) ─┐
 *     SharedMemory (tables, counters) ─► setups ─► worker threads ◄─ messages
 *     WorkerPool (what they share) ┘                   │ one dies
 *                                        devices anew ─┴─► a thread on the same table and counters
 */

import type { FlowMaps } from '../../device/flow/maps.js';
import { kindOf } from '../../device/kinds.js';
import type { InterceptMaps } from '../../device/xdp/intercept-maps.js';
import type { ServiceConfig } from '../../service/config.js';
import type { ChangeRequest } from '../api/api.js';
import type { Config } from '../config/config.js';
import { DeviceSet } from './device-set.js';
import type { DeviceSetup, Message, Report, RunnerSetup } from './messages.js';
import type { SharedMemory } from './shared-memory.js';
import { newStandby, release, type Standby } from './standby/standby.js';
import type { Transfer } from './transfer.js';
import { type Dataplane, type DataplaneSetup, startInline, startWorker } from './worker-handle.js';
import { type InheritedSteering, setupFor, WorkerPool } from './worker-pool.js';

/** Deaths within DEATHS_MS after which a director gives up: the next start would die, too. */
const MOST_DEATHS = 5;
const DEATHS_MS = 60_000;
/** An answer does not wait longer, ms, for a worker that reads flows. */
const READ_MS = 1000;

/** Where the rings of devices are read, by worker and device. */
export type Positions = readonly (readonly number[])[];

/** The dataplane with its devices. */
export class Workers {
  readonly set: DeviceSet;
  private readonly pool: WorkerPool | undefined;
  private readonly base: Pick<RunnerSetup, 'config' | 'devices' | 'live'>;
  private dataplane: Dataplane | undefined;
  private standby: Standby | undefined;
  /** Messages from before the start. */
  private readonly early: Message[] = [];
  private paused: ((positions: Positions) => void) | undefined;
  private positions: (readonly number[])[] = [];
  private deaths: number[] = [];
  /** By number of the request: who waits, and for how many workers. */
  private readonly readers = new Map<number, { readonly resolve: () => void; left: number }>();
  private reads = 0;

  /** Makes the frames; opens no device yet. Throws a SystemError. */
  constructor(
    private readonly shared: SharedMemory,
    config: Config,
    devices: readonly DeviceSetup[],
    maps: InterceptMaps | undefined,
    live: boolean,
    inherited?: InheritedSteering,
    adopted?: Transfer,
    flows?: FlowMaps,
  ) {
    this.base = { config, devices, live };
    this.pool = shared.workers === 1 ? undefined : new WorkerPool(shared, devices, maps, inherited);
    this.set = new DeviceSet(devices, shared.workers, (device) => this.pool?.shareOf(device), adopted, flows);
  }

  /**
   * Opens the devices for which `isThere` holds; the workers take them over. Returns lines for the
   * log. Throws a DeviceError.
   */
  open(isThere: (device: DeviceSetup) => boolean): string[] {
    const lines = this.base.devices.flatMap((device, i) => {
      if (this.set.isOpen(i)) return [];
      if (!isThere(device)) return `${device.name}: no such network interface yet; it is attached when it is there`;
      const how = this.set.open(i);
      this.send({ kind: 'attach', device: i, handles: this.set.handlesOf(i) });
      return `${device.name}: using ${how}`;
    });
    this.beginFlows();
    return lines;
  }

  private beginFlows(worker?: number): void {
    if (this.set.flows !== undefined) this.send({ kind: 'beginFlows' }, worker);
  }

  /** Name of the interface into the host's stack; '': none. */
  get tun(): string {
    return this.set.tuns[0]?.name ?? '';
  }

  /**
   * Starts the threads, which know the rules before they have a device: the first frame meets the
   * whole configuration. With `standsBy` they wait for `goOn`. Returns lines for the log. Rejects
   * with an Error of one line.
   */
  async start(onReport: (report: Report) => void, standsBy = false): Promise<string[]> {
    const lines = this.base.live ? this.set.openTuns() : [];
    const first = this.early.splice(0);
    if (standsBy) this.standby = newStandby(this.set.allHandles, this.shared.workers);
    const setups = this.set.memories.map((_, worker) => {
      const setup = this.setupOf(worker, first, this.shared.inherited[worker] ? 'uncounted' : undefined);
      return { ...setup, standby: this.standby };
    });
    const inline = this.base.devices.some(({ kind }) => kindOf(kind).thread === 'main');
    if (this.pool !== undefined) this.dataplane = await this.pool.start(setups, onReport);
    else this.dataplane = await (inline ? startInline : startWorker)(setups[0]!, onReport);
    for (const message of this.early.splice(0)) this.dataplane.send(message);
    return lines;
  }

  /** The workers forward no more. Resolves with the positions of their rings. */
  pause(): Promise<Positions> {
    return new Promise((resolve) => {
      this.positions = [];
      this.paused = resolve;
      this.send({ kind: 'pause' });
    });
  }

  /** Counters and timers are up to date with what programs have forwarded. */
  readFlows(): Promise<void> {
    if (this.set.flows === undefined || this.dataplane === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const id = this.reads++;
      this.readers.set(id, { resolve, left: this.shared.workers });
      setTimeout(() => this.hasReadFlows(id, this.shared.workers), READ_MS).unref();
      this.send({ kind: 'readFlows', id });
    });
  }

  /** A worker has read flows for a request, or all have. */
  hasReadFlows(id: number, workers = 1): void {
    const reader = this.readers.get(id);
    if (reader === undefined) return;
    reader.left -= workers;
    if (reader.left > 0) return;
    this.readers.delete(id);
    reader.resolve();
  }

  /** A worker has reported that it forwards no more. */
  hasPaused(worker: number, positions: readonly number[]): void {
    this.positions[worker] = positions;
    if (Object.keys(this.positions).length === this.shared.workers) this.paused?.(this.positions);
  }

  /** Workers that stand by begin, where the rings of another process were read last. */
  goOn(positions: Positions): void {
    this.set.goOnFrom(positions);
    if (this.standby !== undefined) release(this.standby, positions);
  }

  /**
   * Workers that have paused start anew, after another process has failed to go on. They have no
   * device until `attachAll`.
   */
  async takeBack(first: readonly Message[]): Promise<void> {
    await this.dataplane?.stop();
    for (const worker of this.set.memories.keys()) {
      this.set.renew(worker);
      await this.dataplane?.restart?.(worker, this.setupOf(worker, first, 'uncounted'));
    }
  }

  /** Ends the threads; the devices are another process's by now. */
  async leave(): Promise<void> {
    await this.dataplane?.stop();
  }

  /** Gives a worker, or all, the devices that are open. */
  attachAll(worker?: number): void {
    this.base.devices.forEach((_, device) => {
      if (this.set.isOpen(device)) this.send({ kind: 'attach', device, handles: this.set.handlesOf(device) }, worker);
    });
    this.beginFlows(worker);
  }

  /** To one worker, or to all. What is sent before the start is in their setup. */
  send(message: Message, worker?: number): void {
    if (this.dataplane === undefined) this.early.push(message);
    else this.dataplane.send(message, worker);
  }

  /**
   * Starts a worker that has died anew, with devices that are opened anew, on the same connection
   * table and counters. `first`: messages that tell it the rules. It has no device until
   * `attachAll`. Returns false when workers die
   * too often, or where the thread is the main one. Rejects with an Error of one line.
   */
  async revive(worker: number, first: readonly Message[]): Promise<boolean> {
    const { dataplane } = this;
    const now = performance.now();
    this.deaths = [...this.deaths.filter((then) => now - then < DEATHS_MS), now];
    if (dataplane?.restart === undefined || this.deaths.length > MOST_DEATHS) return false;
    this.set.renew(worker);
    await dataplane.restart(worker, this.setupOf(worker, first, 'counted'));
    return true;
  }

  /**
   * The workers follow accepted changes of the rules. `ftp`: ports of the helper. Returns the
   * messages that were sent.
   */
  steer(
    changes: readonly ChangeRequest[],
    services: () => readonly ServiceConfig[],
    ftp: readonly number[],
  ): Message[] {
    const messages = this.pool?.update(changes, services, ftp) ?? [];
    for (const message of messages) this.send(message);
    return messages;
  }

  /** Stops the threads and closes the devices. */
  async stop(): Promise<void> {
    await this.dataplane?.stop();
    this.set.closeAll();
    this.pool?.close();
  }

  private setupOf(worker: number, rules: readonly Message[], inherited: RunnerSetup['inherited']): DataplaneSetup {
    const first = this.pool === undefined ? rules : [this.pool.steering, ...rules];
    const flows = this.set.flows?.fds;
    const setup = { ...setupFor(worker, this.shared, this.set, { ...this.base, first }), inherited, flows };
    return this.pool?.complete(setup, worker) ?? setup;
  }
}
