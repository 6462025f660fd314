/**
 * A dataplane with its devices, in any thread: built from plain data, changed by messages, run in
 * turns by its owner.
 */
import { randomInt } from 'node:crypto';
import { TICK_WORD } from '../../conntrack/entry.js';
import { ConnectionTable } from '../../conntrack/table.js';
import { Director, tickOf } from '../../dataplane/director.js';
import { Housekeeping } from '../../dataplane/housekeeping.js';
import { Loop } from '../../dataplane/loop.js';
import { dropWaiting, releaseWaiting } from '../../dataplane/output/neighbour-output.js';
import { Link } from '../../dataplane/table/link.js';
import type { Neighbour } from '../../dataplane/table/neighbour.js';
import { wordsOf } from '../../dataplane/table/routes.js';
import { Trace, type TraceSpec } from '../../dataplane/trace/trace.js';
import { WorkerDispatch } from '../../dataplane/workers/dispatch.js';
import type { Device } from '../../device/device.js';
import { DeviceError } from '../../device/error.js';
import { kindOf } from '../../device/kinds.js';
import { useLargePages } from '../../device/large-pages.js';
import { openDevice } from '../../device/open.js';
import { HostRouting, openHostTun } from '../../device/tun/host.js';
import type { Umem } from '../../device/umem.js';
import { frameSizeFor, framesFor, mappedUmem } from '../../device/umem-memory.js';
import { Counters } from '../../stats/counters.js';
import { addressFamily, format4, format6, parseMac, ZERO_MAC } from '../../wire/address.js';
import { announceRanges, announceServices } from './announcing.js';
import { apply } from './apply.js';
import { DeviceCounters } from './device-counters.js';
import type { DeviceSetup, Message, NeighbourFact, Report, RunnerSetup } from './messages.js';
import { addLinks, addNeighbours, setAddresses, settings, staticRoutes } from './static-network.js';
import { setPacketPathFlags } from './v8-flags.js';
import { WorkerSync } from './worker-sync.js';

/** Period, in ms, at which the counters of devices are written for other threads. */
const COUNT_EVERY = 200;
/** Ethernet header and a VLAN tag. */
const OVERHEAD = 18;

/** One worker's dataplane. */
export class Runner {
  readonly director: Director;
  readonly devices: Device[] = [];
  /** Lines about the choice of devices, for the log. */
  readonly reasons: string[] = [];
  /** With several workers. */
  readonly dispatch: WorkerDispatch | undefined;
  private readonly sync: WorkerSync;
  private readonly loop: Loop;
  private readonly words: Int32Array;
  private readonly deviceCounters: DeviceCounters;
  private nextCount = 0;

  /** Opens the devices; `now` in ms. Throws a DeviceError after closing what it has opened. */
  constructor(
    setup: RunnerSetup,
    now: number,
    private readonly report: (report: Report) => void,
  ) {
    setPacketPathFlags();
    const { config } = setup;
    const names = setup.devices.filter(({ kind }) => kindOf(kind).postsFrames).map(({ name }) => name);
    const frameSize = frameSizeFor(setup.devices.map(({ mtu }) => mtu));
    const { frames, entries } = framesFor(names, frameSize, setup.workers?.count);
    const { umem } = mappedUmem(frames, frameSize);
    const table = new ConnectionTable(setup.connections, setup.table, crypto.getRandomValues(new Int32Array(3)));
    useLargePages(table.words.buffer, table.buckets.buffer);
    this.words = table.words;
    this.deviceCounters = new DeviceCounters(setup.deviceCounters);
    this.director = new Director(umem, new Counters(setup.counters, setup.gauges), table, now, randomInt(2 ** 32));
    this.dispatch = setup.workers && new WorkerDispatch(this.director, setup.workers);
    this.sync = new WorkerSync(this.director, this.dispatch);
    try {
      for (const device of setup.devices) this.open(umem, device, entries);
      addLinks(this.director, setup.devices);
      if (setup.live) this.addHostLinks(umem);
    } catch (error) {
      this.close();
      throw error;
    }
    settings(this.director, config);
    addNeighbours(this.director, config);
    this.director.router.replace(staticRoutes(config));
    const housekeeping = new Housekeeping(this.director, (neighbour) => this.resolve(neighbour));
    if (this.announces) announceRanges(this.director, config.accept.ranges);
    // Frames are received from the host's TUN too: by a route into it the host itself is a client.
    const receiving = setup.devices.length + (setup.live ? 1 : 0);
    this.loop = new Loop(this.director, this.devices, housekeeping, receiving, this.dispatch);
  }

  /** One turn at `now` (ms). Returns the number of frames received. */
  turn(now: number): number {
    const received = this.loop.turn(now);
    this.words[TICK_WORD] = tickOf(now);
    if (now >= this.nextCount) this.count(now);
    return received;
  }

  /** Handles a message. False: it was `stop`. */
  handle(message: Message): boolean {
    switch (message.kind) {
      case 'actions':
        apply(this.director, message.actions);
        this.dispatch?.steering.learn();
        if (this.announces) announceServices(this.director, message.actions);
        return true;
      case 'routes':
        this.director.router.replace(message);
        return true;
      case 'links':
        this.setLinks(message.links);
        return true;
      case 'addresses':
        setAddresses(this.director, message.addresses);
        return true;
      case 'neighbours':
        for (const fact of message.facts) this.learn(fact);
        return true;
      case 'settings':
        settings(this.director, message);
        this.sync.noteSettings();
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
      case 'stop':
        return false;
    }
  }

  /** One worker announces the addresses that all of them answer for. */
  private get announces(): boolean {
    return this.dispatch === undefined || this.dispatch.index === 0;
  }

  /** Name of the interface into the host's stack; '': none. */
  get tun(): string {
    return this.director.hostLink?.name ?? '';
  }

  /** Closes the devices. */
  close(): void {
    for (const device of this.devices) device.close();
  }

  private count(now: number): void {
    this.nextCount = now + COUNT_EVERY;
    this.deviceCounters.write(this.devices);
  }

  /** Sets MAC and MTU of the links. A longer MTU than frames have room for needs a restart. */
  private setLinks(links: readonly Pick<DeviceSetup, 'mac' | 'mtu'>[]): void {
    const { director } = this;
    const longest = director.umem.capacity - OVERHEAD;
    links.forEach(({ mac, mtu }, i) => {
      const link = director.links[i]!;
      if (mtu > longest && mtu !== link.mtu)
        this.warn(`${link.name}: MTU ${mtu} needs a restart; until then it is ${longest}`);
      link.mac = parseMac(mac) ?? link.mac;
      link.mtu = Math.min(mtu, longest);
    });
    director.router.forgetCached();
  }

  private warn(message: string): void {
    this.report({ kind: 'warned', message });
  }

  private trace(spec: TraceSpec | undefined): void {
    const { director } = this;
    director.trace = spec && new Trace(director, spec, (record) => this.report({ kind: 'traced', record }));
  }

  private open(umem: Umem, { name, kind, mtu, promiscuous, maps, share }: DeviceSetup, entries: number): void {
    const { device, reasons } = openDevice(umem, name, kind, { mtu, promiscuous, maps, entries, share });
    this.devices.push(device);
    this.reasons.push(...reasons);
  }

  /** Adds two links after the configured ones: into the host's stack, and out by its routing. */
  private addHostLinks(umem: Umem): void {
    const { director } = this;
    const tun = this.hostTun(umem);
    const routing = new HostRouting(umem, (packet) => this.report({ kind: 'originate', packet }));
    this.devices.push(tun ?? new HostRouting(umem, () => {}), routing);
    for (const name of [tun?.name ?? 'no host', routing.name])
      director.links.push(new Link(director.links.length, name, ZERO_MAC, 1500, false, false));
    if (tun) director.hostLink = director.links.at(-2)!;
    for (const link of director.links.slice(-2)) director.neighbours.pointToPoint.add(link.index);
  }

  /**
   * Without /dev/net/tun, as in some user namespaces, all works but packets for the host itself.
   */
  private hostTun(umem: Umem): Device | undefined {
    try {
      const { tun, warnings } = openHostTun(umem);
      this.reasons.push(...warnings);
      return tun;
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      this.reasons.push(`packets for the host itself are lost: ${error.message}`);
      return undefined;
    }
  }

  /** Asks the kernel to resolve a neighbour. */
  private resolve({ device, family, words }: Neighbour): void {
    this.report({ kind: 'resolve', device, ip: family === 4 ? format4(words[3]!) : format6(words) });
  }

  /** Applies what the kernel knows about a neighbour, if the dataplane has asked for it. */
  private learn({ device, ip, mac, failed }: NeighbourFact): void {
    const { neighbours } = this.director;
    const [a0, a1, a2, a3] = wordsOf(ip)!;
    const neighbour = neighbours.known(device, addressFamily(ip), a0!, a1!, a2!, a3!);
    if (neighbour === undefined || neighbour.permanent) return;
    const parsed = mac === '' ? undefined : parseMac(mac);
    if (parsed === undefined) {
      if (neighbour.usable || failed) neighbours.forget(neighbour, failed, this.director.now);
      if (failed) dropWaiting(this.director, neighbour);
      return;
    }
    neighbours.resolve(neighbour, parsed[0], parsed[1], this.director.now);
    releaseWaiting(this.director, neighbour);
  }
}
