/**
 * A whole director in this thread, without I/O and with a clock that its owner moves: what replay, tests and benchmarks
 * drive. The worker of `ulvs run` is the same director with real devices and the real time.
 */

import { ConnectionTable } from '../conntrack/table.js';
import { Director, tickOf } from '../dataplane/director.js';
import { Housekeeping } from '../dataplane/housekeeping.js';
import { processBatch } from '../dataplane/ingress.js';
import { Trace, type TraceSpec } from '../dataplane/trace/trace.js';
import { Batch } from '../device/batch.js';
import { Umem } from '../device/umem.js';
import { Counters, FrameStat } from '../stats/counters.js';
import type { AdminClient, AdminReply, AdminRequest, ConnectionEntry } from './api/api.js';
import type { Config, DeviceConfig } from './config/config.js';
import { apply } from './engine/apply.js';
import type { Order } from './engine/messages.js';
import { addLinks, addNeighbours, settings, staticRoutes } from './engine/static-network.js';
import { Requests } from './server/requests.js';

/** What leaves, frame by frame; `device` is the link's index, `bytes` a copy. */
export type Outlet = (device: number, bytes: Uint8Array) => void;

/** The clock moves in steps of this many ms, so that timers and ARP retries happen when they are due. */
const STEP = 50;

export class InProcessDirector implements AdminClient {
  readonly director: Director;
  private readonly requests: Requests;
  private readonly housekeeping: Housekeeping;
  private readonly batch = new Batch();

  constructor(
    readonly config: Config,
    private readonly outlet: Outlet,
    now = 0,
    umem = new Umem(1024),
  ) {
    const table = new ConnectionTable(config.connections.max);
    this.director = new Director(umem, new Counters(), table, now);
    addLinks(this.director, config.devices.map(alone));
    settings(this.director, config);
    addNeighbours(this.director, config);
    this.director.router.replace(staticRoutes(config));
    this.housekeeping = new Housekeeping(this.director);
    this.requests = new Requests(config, this.director.counters, {
      take: () => {},
      send: (order) => this.obey(order),
      devices: () => [],
      now: () => this.now,
      tables: [table.words],
      tick: () => tickOf(this.now),
      gather: () => {},
      processed: () => this.director.counters.values[FrameStat.in]!,
    });
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

  private obey(order: Order): void {
    if (order.kind === 'actions') apply(this.director, order.actions);
    else if (order.kind === 'settings') settings(this.director, order);
    else if (order.kind === 'trace') this.trace(order.spec);
  }

  private trace(spec: TraceSpec | undefined): void {
    this.director.trace = spec && new Trace(this.director, spec, (record) => this.requests.tracing.add(record));
  }

  /** A frame comes in by link `device`; what it causes leaves through the outlet. False: it is too long for any device. */
  receive(device: number, bytes: Uint8Array): boolean {
    const frame = this.director.umem.put(bytes);
    if (frame < 0) return false;
    this.batch.push(frame, bytes.length);
    processBatch(this.director, device, this.batch);
    this.housekeeping.ask();
    this.flush();
    return true;
  }

  /** Lets time pass until `to` (ms), with all that falls due on the way. */
  advance(to: number): void {
    for (let at = Math.min(to, this.now + STEP); this.now < to; at = Math.min(to, at + STEP)) this.tick(at);
    this.tick(to);
  }

  private tick(now: number): void {
    this.housekeeping.tick(now);
    this.requests.tick();
    this.flush();
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
  }
}

/** Nobody else is behind the device: the director answers ARP and everything else. */
function alone(device: DeviceConfig, i: number) {
  return {
    ...device,
    mac: device.mac ?? `02:00:00:00:0d:${(i & 0xff).toString(16).padStart(2, '0')}`,
    shared: false,
    exclusive: false,
    resolves: true,
  };
}
