/**
 * A live box: links, addresses, routes, rules and neighbours are the kernel's. They are read once and followed; the
 * dataplane sees only the tables pushed to it.
 *
 *     kernel ── monitor ──► a change ──► (50 ms later, once) dump ──► orders: addresses, routes
 *                       └─► neighbours, at once
 *     dataplane ── wanted ──► NTF_USE ──► the kernel asks ──► monitor
 */
import type { Route, RouteType, Rule } from '../dataplane/route.js';
import type { Change } from '../netlink/change.js';
import { type Monitor, monitor } from '../netlink/monitor.js';
import type { Neighbour } from '../netlink/neighbour.js';
import type { Route as KernelRoute } from '../netlink/route.js';
import { RouteSocket } from '../netlink/route-socket.js';
import type { Rule as KernelRule } from '../netlink/rule.js';
import { readSnapshot, type Snapshot } from '../netlink/snapshot.js';
import type { NeighbourFact, Order } from './orders.js';

/** Changes come in bursts: one dump serves what came within this many ms. */
const SETTLE_MS = 50;

export class LiveNetwork {
  private readonly socket = new RouteSocket();
  private readonly monitor: Monitor;
  private snapshot: Snapshot;
  private timer: NodeJS.Timeout | undefined;
  private send: ((order: Order) => void) | undefined;

  /** `devices`: interface names, in the order of the links. Throws SystemError. */
  constructor(private readonly devices: readonly string[]) {
    this.monitor = monitor({ onChange: (changes) => this.changed(changes), onLost: () => this.later() });
    this.snapshot = readSnapshot(this.socket);
  }

  get links() {
    return this.snapshot.links;
  }

  /** Addresses of a device, with prefix lengths. */
  addressesOf(name: string): string[] {
    const ifindex = this.indexOf(name);
    return this.snapshot.addresses
      .filter((address) => address.ifindex === ifindex)
      .map(({ address, prefixLength }) => `${address}/${prefixLength}`);
  }

  /** Whether any interface of this box has the address. */
  has(address: string): boolean {
    return this.snapshot.addresses.some((one) => one.address === address);
  }

  /** From now on the dataplane is told; everything that is known first. */
  feed(send: (order: Order) => void): void {
    this.send = send;
    this.tell();
  }

  /** The kernel shall find out who has `ip`. */
  want(device: number, ip: string): void {
    const ifindex = this.indexOf(this.devices[device]!);
    const known = this.socket.dump('neighbour').find((one) => one.ifindex === ifindex && one.ip === ip);
    if (known?.valid) this.send?.({ kind: 'neighbours', facts: this.facts([known]) });
    if (ifindex !== undefined) this.socket.useNeighbour(ifindex, ip);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.monitor.close();
    this.socket.close();
  }

  private changed(changes: readonly Change[]): void {
    const neighbours = changes.flatMap((change) =>
      change.kind === 'neighbour' ? [{ ...change.record, gone: change.action === 'del' }] : [],
    );
    if (neighbours.length > 0) this.send?.({ kind: 'neighbours', facts: this.facts(neighbours) });
    if (neighbours.length < changes.length) this.later();
  }

  private later(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.snapshot = readSnapshot(this.socket);
      this.tell();
    }, SETTLE_MS);
  }

  private tell(): void {
    this.send?.({ kind: 'addresses', addresses: this.devices.map((name) => this.addressesOf(name)) });
    this.send?.({ kind: 'routes', tables: this.tables(), rules: this.rules() });
    this.send?.({ kind: 'neighbours', facts: this.facts(this.snapshot.neighbours) });
  }

  private tables() {
    const byId = new Map<number, Route[]>();
    for (const route of this.snapshot.routes)
      for (const one of this.routesOf(route)) byId.set(route.table, [...(byId.get(route.table) ?? []), one]);
    return [...byId].map(([id, routes]) => ({ id, routes }));
  }

  /** Of several next hops the first that leaves by one of our devices. The link numbers behind ours: see Engine. */
  private routesOf(route: KernelRoute): Route[] {
    const type = typeOf(route.type);
    if (type === undefined) return [];
    const base = {
      family: route.family,
      to: route.dst,
      type,
      metric: route.priority,
      ...(route.mtu && { mtu: route.mtu }),
    };
    const source = route.prefsrc === undefined ? {} : { src: route.prefsrc };
    if (type !== 'unicast') return [{ ...base, ...source, device: -1 }];
    const hops = route.nexthops.filter(({ dead }) => !dead).map((hop) => ({ hop, device: this.deviceOf(hop.oif) }));
    const best = hops.find(({ device }) => device >= 0);
    // By a device that is not ours: the host's own routing does it, by the link behind ours.
    if (best === undefined) return [{ ...base, ...source, device: this.devices.length + 1 }];
    return [{ ...base, ...source, device: best.device, ...(best.hop.gateway && { via: best.hop.gateway }) }];
  }

  private rules(): Rule[] {
    return this.snapshot.rules.filter(isUsable).map((rule) => ({
      family: rule.family,
      priority: rule.priority,
      table: rule.table,
      ...(rule.src && { from: rule.src }),
      ...(rule.dst && { to: rule.dst }),
      ...(rule.iif !== undefined && { iif: this.devices.indexOf(rule.iif) }),
      ...(rule.fwmask !== 0 && { mark: rule.fwmark, mask: rule.fwmask }),
    }));
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
    return link === undefined ? -1 : this.devices.indexOf(link.name);
  }

  private indexOf(name: string): number | undefined {
    return this.snapshot.links.find((link) => link.name === name)?.ifindex;
  }
}

function typeOf(type: KernelRoute['type']): RouteType | undefined {
  if (type === 'unicast' || type === 'local' || type === 'blackhole' || type === 'unreachable' || type === 'prohibit')
    return type;
  return undefined;
}

/** Rules that speak of what a balanced packet has: addresses and mark. */
function isUsable(rule: KernelRule): boolean {
  return (
    rule.action === 'lookup' &&
    !rule.invert &&
    !rule.special &&
    !rule.l3mdev &&
    rule.oif === undefined &&
    rule.ipProto === undefined &&
    rule.sport === undefined &&
    rule.dport === undefined &&
    rule.uid === undefined &&
    rule.suppressPrefixLength === undefined &&
    rule.tos === 0
  );
}
