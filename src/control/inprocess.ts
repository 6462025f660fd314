/**
 * A whole director in the caller's thread, without I/O and with a clock that the caller moves:
 * replay, tests and benchmarks use it. `ulvs run` has the same director with devices and the real
 * time.
 */

import { ConnectionTable } from '../conntrack/table.js';
import { Director, tickOf } from '../dataplane/director.js';
import { Housekeeping } from '../dataplane/housekeeping.js';
import { processBatch } from '../dataplane/ingress.js';
import { compileRoutes } from '../dataplane/table/compiled-routes.js';
import { Trace, type TraceSpec } from '../dataplane/trace/trace.js';
import { Batch } from '../device/batch.js';
import { Umem } from '../device/umem.js';
import { Counters, FrameStat } from '../stats/counters.js';
import type { AdminClient, AdminReply, AdminRequest, ConnectionEntry } from './api/api.js';
import type { Config, DeviceConfig } from './config/config.js';
import { apply } from './engine/apply.js';
import type { Message } from './engine/messages.js';
import { addLinks, addNeighbours, settings, staticRoutes } from './engine/static-network.js';
import { isSyncMessage, WorkerSync } from './engine/worker-sync.js';
import { Requests } from './server/requests.js';
import { SyncDaemons } from './sync/daemons.js';
import { SyncFrames } from './sync/frames.js';

/** Gets each frame that leaves. `device`: index of the link. `bytes`: a copy. */
export type Outlet = (device: number, bytes: Uint8Array) => void;

/** Step of the clock, in ms: timers and ARP retries happen when they are due. */
const STEP = 50;

/** A director that is a function of frames and time. */
export class InProcessDirector implements AdminClient {
  readonly director: Director;
  private readonly requests: Requests;
  private readonly sync: WorkerSync;
  private readonly syncFrames: SyncFrames;
  private readonly daemons: SyncDaemons;
  private readonly housekeeping: Housekeeping;
  private readonly batch = new Batch();

  constructor(
    readonly config: Config,
    readonly outlet: Outlet,
    now = 0,
    umem = new Umem(1024),
    table = new ConnectionTable(config.connections.max),
  ) {
    this.director = new Director(umem, new Counters(), table, now);
    addLinks(this.director, config.devices.map(alone));
    settings(this.director, config);
    addNeighbours(this.director, config);
    this.director.router.replace(compileRoutes(staticRoutes(config)));
    this.housekeeping = new Housekeeping(this.director);
    this.sync = new WorkerSync(this.director);
    this.syncFrames = new SyncFrames(config.devices.map(alone), outlet);
    this.daemons = new SyncDaemons({
      net: this.syncFrames,
      send: (message) => this.handle(message),
      now: () => this.now,
      sysctl: () => this.director.sysctl,
      workers: 1,
      plain: true,
    });
    this.requests = new Requests(config, this.director.counters, {
      intercept: () => {},
      send: (message) => this.handle(message),
      devices: () => [],
      now: () => this.now,
      tables: [table.words],
      tick: () => tickOf(this.now),
      gather: () => {},
      processed: () => this.director.counters.values[FrameStat.in]!,
      sync: this.daemons,
    });
    this.daemons.configure(config.sync);
  }

  get now(): number {
    return this.director.now;
  }

  request(request: AdminRequest): Promise<AdminReply> {
    return this.requests.request(request);
  }

  connections(): ConnectionEntry[] {
    return this.requests.connections().connections;
  }

  private handle(message: Message): void {
    if (message.kind === 'actions') apply(this.director, message.actions);
    else if (message.kind === 'settings') this.set(message);
    else if (message.kind === 'trace') this.trace(message.spec);
    else if (isSyncMessage(message)) this.sync.handle(message);
  }

  private set(message: Extract<Message, { kind: 'settings' }>): void {
    settings(this.director, message);
    this.sync.noteSettings();
  }

  private trace(spec: TraceSpec | undefined): void {
    this.director.trace = spec && new Trace(this.director, spec, (record) => this.requests.tracing.add(record));
  }

  /**
   * Receives a frame on link `device`; the frames that it causes go to the outlet. False: it is
   * longer than a frame may be.
   */
  receive(device: number, bytes: Uint8Array): boolean {
    if (this.syncFrames.receive(device, bytes)) return true;
    const frame = this.director.umem.put(bytes);
    if (frame < 0) return false;
    this.batch.push(frame, bytes.length);
    processBatch(this.director, device, this.batch);
    this.housekeeping.ask();
    this.flush();
    this.daemons.poll();
    return true;
  }

  /** Moves the clock to `to` (ms); timers that are due on the way run. */
  advance(to: number): void {
    for (let at = Math.min(to, this.now + STEP); this.now < to; at = Math.min(to, at + STEP)) this.tick(at);
    this.tick(to);
  }

  private tick(now: number): void {
    this.housekeeping.tick(now);
    this.requests.tick();
    this.flush();
    this.daemons.poll();
  }

  private flush(): void {
    const { links, umem } = this.director;
    for (const link of links) {
      for (let i = 0; i < link.output.n; i++) {
        const at = link.output.offsets[i]!;
        const bytes = umem.u8.slice(at, at + link.output.lengths[i]!);
        umem.free(at);
        this.outlet(link.index, bytes);
      }
      link.output.n = 0;
    }
    this.director.offload?.write();
  }
}

/** A device without a host: the director answers ARP and everything else. */
function alone(device: DeviceConfig, i: number) {
  return {
    ...device,
    mac: device.mac ?? `02:00:00:00:0d:${(i & 0xff).toString(16).padStart(2, '0')}`,
    shared: false,
    exclusive: false,
    resolves: true,
  };
}
