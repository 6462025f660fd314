/**
 * A live box: links, addresses, routes, rules and neighbours are the kernel's. They are read once and followed; the
 * dataplane sees only the tables pushed to it.
 *
 *     kernel ── monitor ──► a change ──► (50 ms later, once) dump ──► orders: links, addresses, routes
 *                       └─► neighbours, at once
 *     dataplane ── wanted ──► NTF_USE ──► the kernel asks ──► monitor
 */
import type { RouteData } from '../../dataplane/table/routes.js';
import type { Change } from '../../netlink/change.js';
import { type Monitor, monitor } from '../../netlink/monitor.js';
import type { Neighbour } from '../../netlink/neighbour.js';
import { RouteSocket } from '../../netlink/route-socket.js';
import { readSnapshot, type Snapshot } from '../../netlink/snapshot.js';
import type { DeviceSetup, NeighbourFact, Order } from '../engine/messages.js';
import { kernelRoutes } from './kernel-routes.js';

/** Changes come in bursts: one dump serves what came within this many ms. */
const SETTLE_MS = 50;

/** ms until the kernel is asked again that could not be read. */
const RETRY_MS = 1000;

/** Who is told of the network. */
export interface Listener {
  /** To the dataplane. */
  send(order: Order): void;
  /** Addresses of the host may have changed. */
  changed(): void;
  /** One line: the director cannot go on. */
  failed(message: string): void;
  /** One line: it can, but not as it should. */
  warned(message: string): void;
  /** Routes of the configuration, in place of the kernel's; undefined: the kernel's. `devices` as they are now. */
  routes(devices: readonly DeviceSetup[]): RouteData | undefined;
}

export class LiveNetwork {
  private readonly socket = new RouteSocket();
  private readonly monitor: Monitor;
  private snapshot: Snapshot;
  /** The kernel's neighbour table as of its last word, by `place`. */
  private neighbours = new Map<string, Neighbour>();
  private timer: NodeJS.Timeout | undefined;
  private listener: Listener | undefined;
  private devices: readonly DeviceSetup[] = [];

  /** Throws SystemError. */
  constructor() {
    this.monitor = monitor({ onChange: (changes) => this.changed(changes), onLost: () => this.later() });
    this.snapshot = readSnapshot(this.socket);
  }

  get links() {
    return this.snapshot.links;
  }

  get rules() {
    return this.snapshot.rules;
  }

  /** Addresses of a device, with prefix lengths. */
  addressesOf(name: string): string[] {
    const ifindex = this.indexOf(name);
    return this.snapshot.addresses.filter((address) => address.ifindex === ifindex).map(withLength);
  }

  /** Whether any interface of this box has the address. */
  has(address: string): boolean {
    return this.snapshot.addresses.some((one) => one.address === address);
  }

  /** From now on the listener is told; everything that is known first. `devices`: in the order of the links. */
  feed(devices: readonly DeviceSetup[], listener: Listener): void {
    this.devices = devices;
    this.listener = listener;
    this.tell();
  }

  /** The kernel shall find out who has `ip`, or see whether it still has it. */
  want(device: number, ip: string): void {
    if (this.listener === undefined) return;
    const ifindex = this.indexOf(this.devices[device]?.name ?? '');
    const known = this.neighbours.get(`${ifindex} ${ip}`);
    if (known?.valid) this.listener.send({ kind: 'neighbours', facts: this.facts([known]) });
    // To use a permanent entry would make a passing one of it (Linux 6.18, __neigh_update).
    if (known?.state === 'PERMANENT' || known?.state === 'NOARP') return;
    try {
      if (ifindex !== undefined) this.socket.useNeighbour(ifindex, ip);
    } catch {
      // The interface is down or gone, or no neighbour can have this address: nobody will answer.
      this.listener.send({ kind: 'neighbours', facts: [{ device, ip, mac: '', failed: true }] });
    }
  }

  /** Everything is read and told again (the configuration's routes may be others). */
  refresh(): void {
    try {
      this.snapshot = readSnapshot(this.socket);
    } catch (error) {
      // Where routes change without end, a dump may never be whole.
      this.listener?.warned(`the kernel's network cannot be read, again in a second: ${(error as Error).message}`);
      return this.later(RETRY_MS);
    }
    this.tell();
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.listener = undefined;
    await this.monitor.close();
    this.socket.close();
  }

  private changed(changes: readonly Change[]): void {
    const neighbours = changes.flatMap((change) => (change.kind === 'neighbour' ? [this.note(change)] : []));
    const facts = this.facts(neighbours);
    if (facts.length > 0) this.listener?.send({ kind: 'neighbours', facts });
    if (neighbours.length < changes.length) this.later();
  }

  private note({ record, action }: Extract<Change, { kind: 'neighbour' }>): Neighbour & { gone: boolean } {
    const gone = action === 'del';
    if (gone) this.neighbours.delete(place(record));
    else this.neighbours.set(place(record), record);
    return { ...record, gone };
  }

  private later(ms = SETTLE_MS): void {
    if (this.listener === undefined) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.refresh();
    }, ms);
  }

  private tell(): void {
    const { listener } = this;
    const gone = this.devices.find(({ shared, name }) => shared && this.indexOf(name) === undefined);
    if (gone !== undefined)
      return listener?.failed(`${gone.name}: the network interface is gone; 'ip link' lists those there are`);
    const devices = this.current();
    this.neighbours = new Map(this.snapshot.neighbours.map((one) => [place(one), one]));
    listener?.send({ kind: 'links', links: devices.map(({ mac, mtu }) => ({ mac, mtu })) });
    listener?.send({ kind: 'addresses', addresses: [...devices.map(({ addresses }) => addresses), this.elsewhere()] });
    listener?.send({ kind: 'routes', ...(listener.routes(devices) ?? this.routes()) });
    listener?.send({ kind: 'neighbours', facts: this.facts(this.snapshot.neighbours) });
    listener?.changed();
  }

  /** The devices as they are now. */
  current(): DeviceSetup[] {
    return this.devices.map((device) => this.asItIs(device));
  }

  /** Interfaces of the host change; devices that are the director's alone do not. */
  private asItIs(device: DeviceSetup): DeviceSetup {
    const link = this.snapshot.links.find(({ name }) => name === device.name);
    if (!device.shared || link === undefined) return device;
    return { ...device, mac: link.mac, mtu: link.mtu, addresses: this.addressesOf(device.name) };
  }

  /** The host's addresses on other interfaces (lo …). */
  private elsewhere(): string[] {
    return this.snapshot.addresses.filter(({ ifindex }) => this.deviceOf(ifindex) < 0).map(withLength);
  }

  private routes(): RouteData {
    return kernelRoutes(this.snapshot, (ifindex) => this.deviceOf(ifindex), this.devices.length + 1);
  }

  private facts(neighbours: readonly (Neighbour & { gone?: boolean })[]): NeighbourFact[] {
    return neighbours.flatMap(({ ifindex, ip, mac, valid, state, gone }) => {
      const device = this.deviceOf(ifindex);
      if (device < 0) return [];
      return [{ device, ip, mac: valid && gone !== true ? mac : '', failed: state === 'FAILED' }];
    });
  }

  private deviceOf(ifindex: number | undefined): number {
    const link = this.snapshot.links.find((one) => one.ifindex === ifindex);
    return link === undefined ? -1 : this.devices.findIndex(({ name }) => name === link.name);
  }

  private indexOf(name: string): number | undefined {
    return this.snapshot.links.find((link) => link.name === name)?.ifindex;
  }
}

function place({ ifindex, ip }: Neighbour): string {
  return `${ifindex} ${ip}`;
}

function withLength({ address, prefixLength }: { address: string; prefixLength: number }): string {
  return `${address}/${prefixLength}`;
}
