/** Tables that find the service of a packet: by address, protocol and port, and by fwmark. */
import { TCP } from '../wire/ipv4.js';
import type { VirtualService } from './service.js';

const ROW = 6;
/** Ports of FTP control connections and of active data connections. */
const FTP = 21;
const FTP_DATA = 20;

/**
 * A map from address, protocol and port to a number, with open addressing: rows of six words, at
 * most half of them used. Services and masq destinations (the sources of replies) are found by it.
 *
 *     row: [ a0 a1 a2 a3 | protocol << 16 | port | index + 1 ]      IPv4: 0 0 0 address
 */
export class AddressIndex {
  private rows = new Int32Array(64 * ROW);
  private mask = 63;
  private used = 0;

  get size(): number {
    return this.used;
  }

  /** The number stored for a key, or −1. For IPv4 a0..a2 are 0. */
  find(a0: number, a1: number, a2: number, a3: number, protocol: number, port: number): number {
    const key = (protocol << 16) | port;
    for (let i = mix(a0, a1, a2, a3, key) & this.mask; ; i = (i + 1) & this.mask) {
      const row = i * ROW;
      const index = this.rows[row + 5]!;
      if (index === 0) return -1;
      if (this.matches(row, a0, a1, a2, a3, key)) return index - 1;
    }
  }

  /** Stores `index`, 0 or more, for a key. */
  set(a0: number, a1: number, a2: number, a3: number, protocol: number, port: number, index: number): void {
    if ((this.used + 1) * 2 > this.mask) this.grow();
    this.put(a0, a1, a2, a3, (protocol << 16) | port, index + 1);
  }

  /** Removes all keys. Changes are rare, so that the owner fills the index anew for each. */
  clear(): void {
    this.rows.fill(0);
    this.used = 0;
  }

  private matches(row: number, a0: number, a1: number, a2: number, a3: number, key: number): boolean {
    const rows = this.rows;
    return (
      rows[row + 3] === a3 && rows[row + 4] === key && rows[row + 2] === a2 && rows[row + 1] === a1 && rows[row] === a0
    );
  }

  private put(a0: number, a1: number, a2: number, a3: number, key: number, stored: number): void {
    for (let i = mix(a0, a1, a2, a3, key) & this.mask; ; i = (i + 1) & this.mask) {
      const row = i * ROW;
      if (this.rows[row + 5] !== 0 && !this.matches(row, a0, a1, a2, a3, key)) continue;
      if (this.rows[row + 5] === 0) this.used++;
      this.rows.set([a0, a1, a2, a3, key, stored], row);
      return;
    }
  }

  private grow(): void {
    const old = this.rows;
    this.rows = new Int32Array(old.length * 2);
    this.mask = this.mask * 2 + 1;
    this.used = 0;
    for (let row = 0; row < old.length; row += ROW)
      if (old[row + 5] !== 0)
        this.put(old[row]!, old[row + 1]!, old[row + 2]!, old[row + 3]!, old[row + 4]!, old[row + 5]!);
  }
}

function mix(a0: number, a1: number, a2: number, a3: number, key: number): number {
  let h =
    Math.imul(a3, 0x9e3779b1) ^ Math.imul(key, 0x85ebca77) ^ Math.imul(a2, 0xc2b2ae3d) ^ Math.imul(a1, 0x27d4eb2f) ^ a0;
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return h ^ (h >>> 13);
}

/** The services of a director. */
export class ServiceTable {
  /** By slot; undefined where free. */
  readonly bySlot: (VirtualService | undefined)[] = [];
  private readonly addresses = new AddressIndex();
  /** VIPs without protocol and port. */
  private readonly vips = new AddressIndex();
  private readonly marks4 = new Map<number, VirtualService>();
  private readonly marks6 = new Map<number, VirtualService>();
  /** An FTP service exists; its data connections have other ports (docs/ipvs-reference.md, 4). */
  private hasFtp = false;
  private has4 = false;
  private has6 = false;

  add(service: VirtualService): void {
    this.bySlot[service.slot] = service;
    this.reindex();
  }
  delete(service: VirtualService): void {
    this.bySlot[service.slot] = undefined;
    this.reindex();
  }
  /** By slot. */
  all(): VirtualService[] {
    return this.bySlot.filter((service) => service !== undefined);
  }

  /**
   * The service of a packet, in the order of IPVS (ip_vs_service_find): mark, exact port, FTP
   * control port, port 0.
   */
  find4(mark: number, protocol: number, address: number, port: number): VirtualService | undefined {
    if (mark !== 0) {
      const marked = this.marks4.get(mark);
      if (marked !== undefined) return marked;
    }
    return this.findWords(0, 0, 0, address, protocol, port);
  }
  find6(mark: number, protocol: number, address: Int32Array, port: number): VirtualService | undefined {
    if (mark !== 0) {
      const marked = this.marks6.get(mark);
      if (marked !== undefined) return marked;
    }
    return this.findWords(address[0]!, address[1]!, address[2]!, address[3]!, protocol, port);
  }

  /** There is a service of exactly this address and port. For IPv4 a0..a2 are 0. */
  has(a0: number, a1: number, a2: number, a3: number, protocol: number, port: number): boolean {
    return this.addresses.find(a0, a1, a2, a3, protocol, port) >= 0;
  }

  /** There is a service of this family. */
  serves(family: number): boolean {
    return family === 4 ? this.has4 : this.has6;
  }
  /** There is a service of this fwmark and family. */
  isMarked(mark: number, family: number): boolean {
    return (family === 4 ? this.marks4 : this.marks6).has(mark);
  }
  /** Whether there is any fwmark service of this family. */
  hasMarks(family: number): boolean {
    return (family === 4 ? this.marks4 : this.marks6).size !== 0;
  }

  /** There is a service of this address, whatever its port. */
  isVip4(address: number): boolean {
    return this.vips.find(0, 0, 0, address, 0, 0) >= 0;
  }
  isVip6(a: Int32Array): boolean {
    return this.vips.find(a[0]!, a[1]!, a[2]!, a[3]!, 0, 0) >= 0;
  }

  private findWords(a0: number, a1: number, a2: number, a3: number, protocol: number, port: number) {
    let slot = this.addresses.find(a0, a1, a2, a3, protocol, port);
    if (slot < 0 && this.hasFtp && protocol === TCP && (port === FTP_DATA || port >= 1024))
      slot = this.addresses.find(a0, a1, a2, a3, protocol, FTP);
    if (slot < 0) slot = this.addresses.find(a0, a1, a2, a3, protocol, 0);
    return slot < 0 ? undefined : this.bySlot[slot];
  }

  private reindex(): void {
    this.addresses.clear();
    this.vips.clear();
    this.marks4.clear();
    this.marks6.clear();
    this.hasFtp = false;
    this.has4 = false;
    this.has6 = false;
    for (const service of this.all()) this.index(service);
  }
  private index(service: VirtualService): void {
    if (service.family === 4) this.has4 = true;
    else this.has6 = true;
    if (service.fwmark !== 0) {
      (service.family === 4 ? this.marks4 : this.marks6).set(service.fwmark, service);
      return;
    }
    const [a0, a1, a2, a3] = service.family === 4 ? [0, 0, 0, service.address] : [...service.address6];
    this.addresses.set(a0!, a1!, a2!, a3!, service.protocol, service.port, service.slot);
    this.vips.set(a0!, a1!, a2!, a3!, 0, 0, service.slot);
    if (service.port === FTP && service.protocol === TCP) this.hasFtp = true;
  }
}
