/**
 * A dataplane with its devices, in any thread: built from plain data, changed by messages, run in
 * turns by its owner.
 */
import { randomInt } from 'node:crypto';
import { TICK_WORD } from '../../conntrack/entry.js';
import { Rebuild } from '../../conntrack/rebuild/rebuild.js';
import { ConnectionTable } from '../../conntrack/table.js';
import { Director, tickOf } from '../../dataplane/director.js';
import { Housekeeping, REBUILD_BUDGET } from '../../dataplane/housekeeping.js';
import { Loop } from '../../dataplane/loop.js';
import type { Offload } from '../../dataplane/offload/offload.js';
import { CheckPorts } from '../../dataplane/table/check-ports.js';
import { type CompiledRoutes, compileRoutes } from '../../dataplane/table/compiled-routes.js';
import type { Neighbour } from '../../dataplane/table/neighbour.js';
import { Trace, type TraceSpec } from '../../dataplane/trace/trace.js';
import { WorkerDispatch } from '../../dataplane/workers/dispatch.js';
import type { DeviceHandle } from '../../device/handle.js';
import { useLargePages } from '../../device/large-pages.js';
import { umemIn } from '../../device/umem-memory.js';
import { Counters } from '../../stats/counters.js';
import { LoopStats } from '../../stats/loop-stats.js';
import { format4, format6 } from '../../wire/address.js';
import type { Action } from '../rules/actions.js';
import { Announcements } from './announcing.js';
import { apply, teach } from './apply.js';
import { monotonic, wallOrigin } from './clock.js';
import { DeviceCounters } from './device-counters.js';
import { DevicePlaces } from './device-places.js';
import { beforeMessage, useFlows } from './flow-offload.js';
import { FrameCounts } from './frame-census.js';
import { addHostLinks, HostFacts } from './host-facts.js';
import type { Message, Report, RunnerSetup } from './messages.js';
import { addLinks, addNeighbours, setAddresses, settings, staticRoutes } from './static-network.js';
import { collectAlone, TrafficStart } from './v8-flags.js';
import { WorkerSync } from './worker-sync.js';

/** Period, in ms, at which the counters of devices are written for other threads. */
const COUNT_EVERY = 200;

/** One worker's dataplane. */
export class Runner {
  readonly director: Director;
  readonly places: DevicePlaces;
  /** With several workers. */
  readonly dispatch: WorkerDispatch | undefined;
  private readonly sync: WorkerSync;
  private readonly loop: Loop;
  private readonly words: Int32Array;
  private readonly deviceCounters: DeviceCounters;
  private readonly frameCounts: FrameCounts;
  private readonly announcements: Announcements;
  private readonly host: HostFacts;
  private readonly offload: Offload | undefined;
  /** Those in force. */
  routes: CompiledRoutes | undefined;
  private nextCount = 0;
  private readonly traffic = new TrafficStart();
  private mayBeginFlows = false;
  /** Another process goes on: no turn may follow. */
  isPaused = false;
  private rebuild: { readonly work: Rebuild; readonly since: number } | undefined;

  /** Has no device yet; `now` in ms. */
  constructor(
    setup: RunnerSetup,
    now: number,
    private readonly report: (report: Report) => void,
  ) {
    collectAlone();
    const umem = umemIn(setup.umem);
    const table = new ConnectionTable(setup.connections, setup.table, Int32Array.from(setup.secret));
    this.words = table.words;
    this.deviceCounters = new DeviceCounters(setup.deviceCounters);
    this.frameCounts = new FrameCounts(setup.frameCounts);
    this.director = new Director(umem, new Counters(setup.counters, setup.gauges), table, now, randomInt(2 ** 32));
    this.adviseLargePages();
    this.dispatch = setup.workers && new WorkerDispatch(this.director, setup.workers);
    this.sync = new WorkerSync(this.director, this.dispatch);
    this.announcements = new Announcements(this.director);
    this.host = new HostFacts(this.director, this.announcements, report);
    const { synFloods } = this.director;
    synFloods.onTurn = ({ slot }, on) => report({ kind: 'synProxy', worker: this.index, slot, on });
    addLinks(this.director, setup.devices);
    this.offload = setup.flows && useFlows(this.director, setup.flows, setup.workers);
    if (setup.standby === undefined) this.begin(setup.inherited, now);
    this.places = new DevicePlaces(umem, setup.devices, this.index, report);
    if (setup.live) addHostLinks(this.director, this.places, umem, setup.tun, report);
    this.configure(setup);
    const housekeeping = new Housekeeping(this.director, (neighbour) => this.resolve(neighbour));
    // From the host's TUN too: by a route into it the host itself is a client.
    const receiving = setup.devices.length + (setup.live ? 1 : 0);
    const timing = { stats: new LoopStats(setup.loop), clock: monotonic };
    this.loop = new Loop(this.director, this.places.devices, housekeeping, receiving, this.dispatch, timing);
  }

  /** Puts the whole configuration into force: rules, settings, routes. */
  private configure({ config, first }: RunnerSetup): void {
    settings(this.director, config);
    this.announcements.ranges = config.accept.ranges;
    addNeighbours(this.director, config);
    this.handle({ kind: 'routes', ...compileRoutes(staticRoutes(config)) });
    // No device is open yet: nothing is announced.
    for (const message of first)
      if (message.kind === 'actions') this.apply(message.actions);
      else if (message.kind === 'neighbours') for (const fact of message.facts) this.host.learn(fact, true);
      else this.handle(message);
  }

  private apply(actions: readonly Action[]): void {
    apply(this.director, actions);
    if (this.dispatch !== undefined) teach(this.dispatch.steering, this.director, actions);
  }

  private follow(actions: readonly Action[]): void {
    this.apply(actions);
    if (this.index === 0) this.announcements.announceServices(actions);
  }

  /** Asks for large pages, after the table's memory was mapped. */
  adviseLargePages(): void {
    const { words, buckets } = this.director.connections.table;
    useLargePages(words.buffer, buckets.buffer);
  }

  /** Takes over an open device (DevicePlaces.attach). */
  attach(device: number, handles: readonly (DeviceHandle | undefined)[], waits = false): void {
    this.places.attach(device, handles, waits);
    this.director.links[device]!.takesGso = this.places.devices[device]!.takesGso === true;
  }

  /** Goes on with a device that another process has read up to `position`. */
  resume(device: number, position: number): void {
    this.places.devices[device]!.resume?.(position);
    this.announcements.note(device);
    if (this.index === 0) this.announcements.announceDue();
  }

  /** One turn at `now` (ms). Returns the number of frames received. */
  turn(now: number): number {
    const received = this.loop.turn(now);
    if (!this.traffic.hasBegun) this.traffic.note(received);
    this.words[TICK_WORD] = tickOf(now);
    if (now >= this.nextCount) this.count(now);
    if (this.rebuild !== undefined && this.director.rebuild === undefined) this.endRebuild(now);
    // Programs go on with connections that are not found yet.
    if (this.mayBeginFlows && this.rebuild === undefined) this.offload?.begin();
    return received;
  }

  /**
   * Devices are read no more. Processes what other workers hand off, until none does, for `ms` at
   * most.
   */
  drain(ms: number): void {
    const { dispatch } = this;
    if (dispatch === undefined) return;
    dispatch.stopReceiving();
    for (const end = monotonic() + ms; !dispatch.isDrained && monotonic() < end; ) this.loop.drain();
  }

  /** The thread must not sleep: there is work without frames. */
  get isBusy(): boolean {
    return this.rebuild !== undefined;
  }

  /** Nobody else uses frames and table any more. `now` in ms. */
  begin(inherited: RunnerSetup['inherited'], now: number): void {
    this.director.umem.restock();
    this.director.connections.now = tickOf(now);
    // Before the rebuild: it ends connections whose time is over.
    this.offload?.adopt();
    if (inherited !== undefined) this.beginRebuild(inherited === 'counted', now);
  }

  /** The table of a former process or thread: its index is made again, a step a turn. */
  private beginRebuild(counted: boolean, now: number): void {
    this.rebuild = { work: new Rebuild(this.director.connections, counted), since: now };
    this.director.rebuild = this.rebuild.work;
  }

  /**
   * Rebuilds for `ms` at most, before the first frame is received: frames wait in the rings, and
   * those of connections that are not found yet would be dropped.
   */
  rebuildFirst(ms: number): void {
    const { director } = this;
    const end = monotonic() + ms;
    while (director.rebuild !== undefined && monotonic() < end)
      if (director.rebuild.step(REBUILD_BUDGET)) director.rebuild = undefined;
  }

  private endRebuild(now: number): void {
    const { work, since } = this.rebuild!;
    this.rebuild = undefined;
    this.report({ kind: 'rebuilt', worker: this.index, kept: work.kept, lost: work.lost, ms: now - since });
  }

  /** Handles a message. False: it was `stop`. */
  handle(message: Message): boolean {
    if (this.offload !== undefined) beforeMessage(this.offload, message);
    switch (message.kind) {
      case 'actions':
        this.follow(message.actions);
        return true;
      case 'routes':
        this.routes = message;
        this.director.router.replace(message);
        return true;
      case 'links':
        this.host.setLinks(message.links);
        return true;
      case 'addresses':
        setAddresses(this.director, message.addresses);
        if (this.index === 0) this.announcements.announceDue();
        return true;
      case 'neighbours':
        for (const fact of message.facts) this.host.learn(fact);
        return true;
      case 'settings':
        settings(this.director, message);
        this.sync.noteSettings();
        this.announcements.ranges = message.accept.ranges;
        return true;
      case 'checks':
        this.director.checks = new CheckPorts(message.memory, message.protocols);
        return true;
      case 'trace':
        this.trace(message.spec);
        return true;
      case 'steering':
        if (this.dispatch !== undefined) this.dispatch.steering.stages = message.stages;
        return true;
      case 'syncMaster':
      case 'syncBackup':
      case 'syncReceived':
      case 'syncResend':
        this.sync.handle(message);
        return true;
      case 'detach':
      case 'reclaim':
        this.places[message.kind](message.device);
        return true;
      case 'attach':
        this.attach(message.device, message.handles);
        this.announcements.note(message.device);
        if (this.index === 0) this.announcements.announceDue();
        return true;
      case 'readFlows':
        this.report({ kind: 'flowsRead', id: message.id });
        return true;
      case 'beginFlows':
        this.mayBeginFlows = true;
        return true;
      case 'deepen':
        for (const device of this.places.devices) device.deepen?.();
        return true;
      case 'pause':
        this.isPaused = true;
        return true;
      case 'stop':
        return false;
    }
  }

  /** Worker 0 announces the addresses that all of them answer for. */
  private get index(): number {
    return this.dispatch?.index ?? 0;
  }

  /** The devices that this thread has opened itself are closed. */
  close(): void {
    this.places.close();
  }

  private count(now: number): void {
    this.nextCount = now + COUNT_EVERY;
    this.deviceCounters.write(this.places.devices, this.places.before);
    this.frameCounts.write(this.director);
    this.places.check(now);
  }

  private trace(spec: TraceSpec | undefined): void {
    const { director } = this;
    const origin = wallOrigin();
    director.trace =
      spec &&
      new Trace(director, spec, (record) =>
        this.report({ kind: 'traced', record: { ...record, at: origin + record.at } }),
      );
  }

  /** Asks the kernel to resolve a neighbour. */
  private resolve({ device, family, words }: Neighbour): void {
    this.report({ kind: 'resolve', device, ip: family === 4 ? format4(words[3]!) : format6(words) });
  }
}
