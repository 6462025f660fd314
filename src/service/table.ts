/** Tables that find the service of a packet: by address, protocol and port, and by fwmark. */
import { TCP } from '../wire/ipv4.js';
import { AddressIndex } from './address-index.js';
import type { VirtualService } from './service.js';
import { SharedAddressIndex } from './shared-address-index.js';

/** Ports of FTP control connections and of active data connections. */
const FTP = 21;
const FTP_DATA = 20;

/** The services of a director. */
export class ServiceTable {
  /** By slot; undefined where free. */
  readonly bySlot: (VirtualService | undefined)[] = [];
  private readonly addresses = new AddressIndex();
  /** VIPs without protocol and port. */
  private readonly vips = new SharedAddressIndex();
  private readonly marks4 = new Map<number, VirtualService>();
  private readonly marks6 = new Map<number, VirtualService>();
  /**
   * Number of FTP services, whose data connections have other ports (docs/ipvs-reference.md, 4),
   * and of services of each family.
   */
  private ftp = 0;
  private ipv4 = 0;
  private ipv6 = 0;

  add(service: VirtualService): void {
    this.bySlot[service.slot] = service;
    this.count(service, 1);
    if (service.fwmark !== 0) return void this.marksOf(service).set(service.fwmark, service);
    const { protocol, port, slot } = service;
    const [a0, a1, a2, a3] = wordsOf(service);
    this.addresses.set(a0!, a1!, a2!, a3!, protocol, port, slot);
    this.vips.add(a0!, a1!, a2!, a3!, 0, 0, slot);
  }
  delete(service: VirtualService): void {
    this.bySlot[service.slot] = undefined;
    this.count(service, -1);
    if (service.fwmark !== 0) return void this.marksOf(service).delete(service.fwmark);
    const { protocol, port, slot } = service;
    const [a0, a1, a2, a3] = wordsOf(service);
    this.addresses.delete(a0!, a1!, a2!, a3!, protocol, port);
    this.vips.remove(a0!, a1!, a2!, a3!, 0, 0, slot);
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
    return (family === 4 ? this.ipv4 : this.ipv6) > 0;
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
    if (slot < 0 && this.ftp > 0 && protocol === TCP && (port === FTP_DATA || port >= 1024))
      slot = this.addresses.find(a0, a1, a2, a3, protocol, FTP);
    if (slot < 0) slot = this.addresses.find(a0, a1, a2, a3, protocol, 0);
    return slot < 0 ? undefined : this.bySlot[slot];
  }

  private marksOf({ family }: VirtualService): Map<number, VirtualService> {
    return family === 4 ? this.marks4 : this.marks6;
  }

  private count({ family, fwmark, port, protocol }: VirtualService, one: 1 | -1): void {
    if (family === 4) this.ipv4 += one;
    else this.ipv6 += one;
    if (fwmark === 0 && port === FTP && protocol === TCP) this.ftp += one;
  }
}

function wordsOf({ family, address, address6 }: VirtualService): ArrayLike<number> & Iterable<number> {
  return family === 4 ? [0, 0, 0, address] : address6;
}
