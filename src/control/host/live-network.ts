/**
 * The network of a live box: links, addresses, routes, rules and neighbours of the kernel. They are
 * read once and then followed; the dataplane gets them by messages.
 *
 *     kernel ── monitor ──► a change ──► (50 ms later, once) dump ──► messages: links, addresses, compiled routes
 *                       └─► neighbours, at once
 *     dataplane ── resolve ──► NTF_USE ──► the kernel asks ──► monitor
 */
import { compileRoutes } from '../../dataplane/table/compiled-routes.js';
import type { RouteData } from '../../dataplane/table/route-data.js';
import type { Change } from '../../netlink/change.js';
import { type Monitor, monitor } from '../../netlink/monitor.js';
import type { Neighbour } from '../../netlink/neighbour.js';
import { RouteSocket } from '../../netlink/route-socket.js';
import { readSnapshot, type Snapshot } from '../../netlink/snapshot.js';
import type { DeviceSetup, Message } from '../engine/messages.js';
import { kernelRoutes } from './kernel-routes.js';
import { neighbourFacts, neighbourMessages } from './neighbour-facts.js';
import type { WireState } from './wire-log.js';

/** Changes come in bursts: one dump serves those within this many ms. */
const SETTLE_MS = 50;

/** Pause, in ms, before the next dump after one that failed. */
const RETRY_MS = 1000;

/** Receiver of the network's changes. */
export interface Listener {
  /** A message for the dataplane. */
  send(message: Message): void;
  /** Addresses of the host may have changed. */
  changed(): void;
  /** Interfaces may have gone, come or changed. */
  linksChanged(): void;
  /** A warning, one line. */
  warned(message: string): void;
  /** The devices whose interface is there, as the kernel sees them. */
  wire(states: readonly WireState[]): void;
  /** A next hop that the dataplane needs has answered the kernel, or has not. */
  nextHop(device: string, ip: string, answers: boolean): void;
  /** Routes of the configuration; undefined: use the kernel's. `devices`: as they are now. */
  routes(devices: readonly DeviceSetup[]): RouteData | undefined;
}

/** The network of this namespace. */
export class LiveNetwork {
  private readonly socket = new RouteSocket();
  private readonly monitor: Monitor;
  private snapshot: Snapshot;
  /** The routes that the dataplane follows. */
  routing: RouteData = { tables: [], rules: [] };
  /** The kernel's neighbour table, by `keyOf`. */
  private neighbours = new Map<string, Neighbour>();
  /** Neighbours that the dataplane has asked for, by `keyOf`. */
  private readonly needed = new Set<string>();
  /** The addresses of a snapshot, for `has`. */
  private known: { of: Snapshot['addresses']; all: ReadonlySet<string> } = { of: [], all: new Set() };
  private timer: NodeJS.Timeout | undefined;
  /** Before the next dump, ms: while routes keep changing, a third of the time is for dumps. */
  private pause = SETTLE_MS;
  private listener: Listener | undefined;
  private devices: readonly DeviceSetup[] = [];

  /** Throws SystemError. */
  constructor() {
    this.monitor = monitor({ onChange: (changes) => this.changed(changes), onLost: (why) => this.lost(why) });
    this.snapshot = readSnapshot(this.socket);
  }

  get links() {
    return this.snapshot.links;
  }

  get routes() {
    return this.snapshot.routes;
  }

  get rules() {
    return this.snapshot.rules;
  }

  /** Addresses of a device, with prefix lengths. */
  addressesOf(name: string): string[] {
    const ifindex = this.indexOf(name);
    return this.snapshot.addresses.filter((address) => address.ifindex === ifindex).map(withLength);
  }

  /** An interface of this box has the address. */
  has(address: string): boolean {
    const { addresses } = this.snapshot;
    if (this.known.of !== addresses) this.known = { of: addresses, all: new Set(addresses.map((one) => one.address)) };
    return this.known.all.has(address);
  }

  /**
   * Sends everything to the listener, and every change from now on. `devices`: in the order of the
   * links.
   */
  start(devices: readonly DeviceSetup[], listener: Listener): void {
    this.devices = devices;
    this.listener = listener;
    this.publish();
  }

  /** Makes the kernel resolve or confirm the neighbour `ip` of a link. */
  resolve(device: number, ip: string): void {
    if (this.listener === undefined) return;
    const ifindex = this.indexOf(this.devices[device]?.name ?? '');
    const known = this.neighbours.get(`${ifindex} ${ip}`);
    this.needed.add(`${ifindex} ${ip}`);
    if (known?.valid) this.tellNeighbours([known]);
    // NTF_USE turns a permanent entry into a temporary one (Linux 6.18, __neigh_update).
    if (known?.state === 'PERMANENT' || known?.state === 'NOARP') return;
    try {
      if (ifindex !== undefined) this.socket.useNeighbour(ifindex, ip);
    } catch {
      // The interface is down or gone, or no neighbour can have this address.
      this.listener.send({ kind: 'neighbours', facts: [{ device, ip, mac: '', failed: true }] });
    }
  }

  /** Reads everything and sends it to the listener. Call it after the configuration has changed. */
  refresh(): void {
    const began = performance.now();
    try {
      this.snapshot = readSnapshot(this.socket);
    } catch (error) {
      // While routes keep changing, a dump may fail again and again.
      this.listener?.warned(
        `the network of the kernel cannot be read, next try in a second: ${(error as Error).message}`,
      );
      return this.refreshLater(RETRY_MS);
    }
    this.publish();
    this.pause = Math.max(SETTLE_MS, 2 * (performance.now() - began));
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.listener = undefined;
    await this.monitor.close();
    this.socket.close();
  }

  private changed(changes: readonly Change[]): void {
    const neighbours = changes.flatMap((change) => (change.kind === 'neighbour' ? [this.record(change)] : []));
    this.tellNeighbours(neighbours);
    if (neighbours.length < changes.length) this.refreshLater();
  }

  /** The kernel had more changes than the monitor could take: everything is read again. */
  private lost(why: string): void {
    this.listener?.warned(`changes of the network were lost, and it is read again: ${why}`);
    this.refreshLater();
  }

  private record({ record, action }: Extract<Change, { kind: 'neighbour' }>): Neighbour & { gone: boolean } {
    const gone = action === 'del';
    if (gone) this.neighbours.delete(keyOf(record));
    else this.neighbours.set(keyOf(record), record);
    if (!gone && this.needed.has(keyOf(record))) this.tellNextHop(record);
    return { ...record, gone };
  }

  private tellNextHop({ ifindex, ip, valid, state }: Neighbour): void {
    const device = this.devices[this.deviceOf(ifindex)];
    if (device === undefined || !(valid || state === 'FAILED')) return;
    this.listener?.nextHop(device.name, ip, valid);
  }

  private refreshLater(ms = this.pause): void {
    if (this.listener === undefined) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.refresh();
    }, ms);
  }

  private publish(): void {
    const { listener } = this;
    const devices = this.current();
    this.neighbours = new Map(this.snapshot.neighbours.map((one) => [keyOf(one), one]));
    const links = devices.map(({ name, mac, mtu }) => ({ mac, mtu, running: this.isRunning(name) }));
    listener?.send({ kind: 'links', links });
    listener?.wire(this.wireStates());
    listener?.send({
      kind: 'addresses',
      addresses: [...devices.map(({ addresses }) => addresses), this.otherAddresses()],
    });
    this.routing = listener?.routes(devices) ?? this.routeData();
    listener?.send({ kind: 'routes', ...compileRoutes(this.routing) });
    this.tellNeighbours(this.snapshot.neighbours);
    listener?.changed();
    listener?.linksChanged();
  }

  /** The devices with their present MAC, MTU and addresses. */
  current(): DeviceSetup[] {
    return this.devices.map((device) => this.present(device));
  }

  /** Only interfaces of the host change. */
  private present(device: DeviceSetup): DeviceSetup {
    if (!device.shared) return device;
    const link = this.snapshot.links.find(({ name }) => name === device.name);
    if (link === undefined) return { ...device, addresses: [] };
    return { ...device, mac: link.mac, mtu: link.mtu, addresses: this.addressesOf(device.name) };
  }

  /** The interface is there, up, and has a carrier. */
  private isRunning(name: string): boolean {
    const link = this.snapshot.links.find((one) => one.name === name);
    return link?.up === true && link.carrier;
  }

  private wireStates(): WireState[] {
    return this.devices.flatMap(({ name, shared }) => {
      const link = this.snapshot.links.find((one) => one.name === name);
      if (!shared || link === undefined) return [];
      const down = link.up ? (link.carrier ? '' : 'link down (no carrier)') : 'link down (the interface is set down)';
      return [{ name, down, mac: link.mac, mtu: link.mtu }];
    });
  }

  /** Addresses of the host on other interfaces, such as lo. */
  private otherAddresses(): string[] {
    return this.snapshot.addresses.filter(({ ifindex }) => this.deviceOf(ifindex) < 0).map(withLength);
  }

  private routeData(): RouteData {
    return kernelRoutes(this.snapshot, (ifindex) => this.deviceOf(ifindex), this.devices.length + 1);
  }

  private tellNeighbours(neighbours: readonly (Neighbour & { gone?: boolean })[]): void {
    const facts = neighbourFacts(neighbours, (ifindex) => this.deviceOf(ifindex));
    for (const message of neighbourMessages(facts)) this.listener?.send(message);
  }

  private deviceOf(ifindex: number | undefined): number {
    const link = this.snapshot.links.find((one) => one.ifindex === ifindex);
    return link === undefined ? -1 : this.devices.findIndex(({ name }) => name === link.name);
  }

  /** Index of the interface of this name; undefined: there is none. */
  indexOf(name: string): number | undefined {
    return this.snapshot.links.find((link) => link.name === name)?.ifindex;
  }
}

function keyOf({ ifindex, ip }: Neighbour): string {
  return `${ifindex} ${ip}`;
}

function withLength({ address, prefixLength }: { address: string; prefixLength: number }): string {
  return `${address}/${prefixLength}`;
}
