/**
 * Steering: which worker owns a packet. The client's side decides, so that both directions of a
 * connection meet in one worker.
 *
 *      packet ─┬─ to an address of full NAT's pool ─► by the port, which its owner chose so
 *              ├─ from a masq destination's port ────► its destination is the client
 *              ├─ to a VIP, marked for a service ────► its source is the client
 *              ├─ from a masq destination, or snat's ► its destination is the client
 *              └─ anything else ─────────────────────► no owner: the worker that has it goes on
 *
 * A stage tells how much of the client counts: address and port; the address alone (where
 * connections of one client must meet: persistence, FTP); or a network of addresses (a persistence
 * netmask). When a coarser stage comes into force, connections of the finer stages stay where they
 * are: their workers are asked first, in the order of the stages.
 */
import { findIn6, findOut6 } from '../../conntrack/find-wide.js';
import { AddressIndex } from '../../service/address-index.js';
import type { Destination, VirtualService } from '../../service/service.js';
import { maskWord } from '../../wire/address.js';
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { PacketInfo } from '../parse/packet.js';
import { Quote } from '../parse/quote.js';
import { tunnelShim } from '../path/icmp-tunnel.js';

/**
 * Which part of a client counts: its port or not, the bits of its IPv4 address, the first bits of
 * its IPv6 address.
 */
export interface SteeringStage {
  readonly ports: boolean;
  readonly mask4: number;
  readonly prefix6: number;
  /**
   * Of full NAT: added to the port before it gives the worker. Connections that came from another
   * number of workers (control/state) may be in a worker that would not have chosen their port.
   */
  readonly shift?: number;
}

export const FINEST: SteeringStage = { ports: true, mask4: -1, prefix6: 128 };
/** No worker owns the packet. */
export const ANYONE = -1;
const FULL_NAT = -2;

export class Steering {
  stages: readonly SteeringStage[] = [FINEST];
  /** All services and masq destinations that ever existed: their connections may outlive them. */
  private readonly vips = new AddressIndex();
  private readonly sources = new AddressIndex();
  private readonly client = new Int32Array(5);
  private readonly quote = new Quote();
  private readonly turned = new PacketInfo();

  /** `secret`: random words, the same in all workers. */
  constructor(
    private readonly d: Director,
    readonly count: number,
    private readonly secret: readonly number[],
  ) {}

  get last(): number {
    return this.stages.length - 1;
  }

  /** Call for each new service, before its destinations. */
  learnService({ family, address, address6, fwmark }: VirtualService): void {
    const [a, b, c, e] = family === 4 ? [0, 0, 0, address] : address6;
    if (fwmark === 0) this.vips.set(a!, b!, c!, e!, 0, 0, 0);
  }

  /** Call for each destination that a service gets. */
  learnDestination({ service, family, address, address6, port }: Destination): void {
    const [a, b, c, e] = family === 4 ? [0, 0, 0, address] : address6;
    this.sources.set(a!, b!, c!, e!, service.protocol, port, 0);
    this.sources.set(a!, b!, c!, e!, 0, 0, 0);
  }

  /**
   * Returns the number of the worker, or ANYONE. `p`: a whole packet; this function sets its mark.
   */
  of(p: PacketInfo, stage: number): number {
    if (this.d.marks !== undefined) p.mark = this.d.marks.match(p);
    const found = isError(p) ? this.findQuoted(p) : this.findClient(p);
    if (found === FULL_NAT) return (this.client[4]! + (this.stages[stage]!.shift ?? 0)) % this.count;
    return found === ANYONE ? ANYONE : this.hash(this.stages[stage]!, p.family);
  }

  /** Returns the worker that reassembles a fragment, before the ports are known. */
  ofFragment(p: PacketInfo): number {
    const { client } = this;
    if (p.family === 4) client[0] = client[1] = client[2] = 0;
    for (let i = 0; i < 4; i++)
      if (p.family === 6) client[i] = p.src6[i]! ^ p.dst6[3 - i]!;
      else if (i === 3) client[3] = p.src ^ Math.imul(p.dst, 31);
    client[4] = 0;
    return this.hash(FINEST, p.family);
  }

  /** Returns the worker that owns a client's connections, or the template of a client's network. */
  ofClient(family: number, address: Int32Array, port: number): number {
    this.client.set(address);
    this.client[4] = port;
    return this.hash(this.stages[this.last]!, family);
  }

  /** Returns true when a connection of this worker matches the packet. */
  knows(p: PacketInfo): boolean {
    const { table } = this.d.connections;
    const { protocol, src6, dst6, sport, dport } = p;
    const ports = (sport << 16) | dport;
    if (p.family === 4)
      return (
        table.findIn4(protocol, p.src, p.dst, ports) !== 0 || table.findOut4(protocol, p.src, sport, p.dst, dport) !== 0
      );
    return (
      findIn6(table, protocol, src6, dst6, ports) !== 0 || findOut6(table, protocol, src6, sport, dst6, dport) !== 0
    );
  }

  /** Finds the client. Returns 0 when it was found, else ANYONE or FULL_NAT. */
  private findClient(p: PacketInfo): number {
    const { protocol } = p;
    if (protocol !== ipv4.TCP && protocol !== ipv4.UDP && protocol !== ipv4.SCTP) return ANYONE;
    if (p.family === 4 && this.d.sourcePool.has(p.dst)) {
      this.client[4] = p.dport;
      return FULL_NAT;
    }
    if (this.isSource(p, protocol, p.sport)) return this.clientIs(p, p.dst, p.dst6, p.dport);
    if (this.isService(p)) return this.clientIs(p, p.src, p.src6, p.sport);
    if (this.isSource(p, 0, 0) || this.d.snatRules.ruleFor(p) !== undefined)
      return this.clientIs(p, p.dst, p.dst6, p.dport);
    return ANYONE;
  }

  private isSource(p: PacketInfo, protocol: number, port: number): boolean {
    const { src6: a } = p;
    if (p.family === 4) return this.sources.find(0, 0, 0, p.src, protocol, port) >= 0;
    return this.sources.find(a[0]!, a[1]!, a[2]!, a[3]!, protocol, port) >= 0;
  }

  private isService(p: PacketInfo): boolean {
    const { d, vips } = this;
    if (p.mark !== 0 && d.services.isMarked(p.mark, p.family)) return true;
    const { dst6: a } = p;
    if (p.family === 4) return vips.find(0, 0, 0, p.dst, 0, 0) >= 0 || d.isLocal4(p.dst);
    return vips.find(a[0]!, a[1]!, a[2]!, a[3]!, 0, 0) >= 0 || d.isLocal6(a);
  }

  private clientIs(p: PacketInfo, address: number, address6: Int32Array, port: number): 0 {
    const { client } = this;
    if (p.family === 6) for (let i = 0; i < 4; i++) client[i] = address6[i]!;
    else {
      client[0] = client[1] = client[2] = 0;
      client[3] = address;
    }
    client[4] = port;
    return 0;
  }

  /** An ICMP error belongs to the connection of the quoted packet, in either direction. */
  private findQuoted(p: PacketInfo): number {
    const { quote, turned } = this;
    if (!this.readQuote(p)) return ANYONE;
    turned.family = p.family;
    turned.device = p.device;
    turned.protocol = quote.protocol;
    this.fill(quote.dst, quote.dst6, quote.dport, quote.src, quote.src6, quote.sport);
    const found = this.findClient(turned);
    if (found !== ANYONE) return found;
    this.fill(quote.src, quote.src6, quote.sport, quote.dst, quote.dst6, quote.dport);
    return this.findClient(turned);
  }

  private fill(src: number, src6: Int32Array, sport: number, dst: number, dst6: Int32Array, dport: number): void {
    const { turned } = this;
    turned.src = src;
    turned.dst = dst;
    turned.sport = sport;
    turned.dport = dport;
    if (turned.family === 6) {
      turned.src6.set(src6);
      turned.dst6.set(dst6);
    }
    turned.mark = this.d.marks?.match(turned) ?? 0;
  }

  /**
   * Reads the quoted packet. Returns false when it has no ports. For one of our tunnels the inner
   * packet counts.
   */
  private readQuote(p: PacketInfo): boolean {
    const { quote } = this;
    const { view } = this.d.umem;
    const at = p.l4 + icmp.EMBEDDED;
    const end = p.l3 + p.l3len;
    if (p.family === 6) return quote.readIpv6(view, at, end) && quote.readPorts(view, end);
    if (!quote.readIpv4(view, at, end)) return false;
    const shim = tunnelShim(this.d, quote, end);
    if (shim >= 0 && !quote.readIpv4(view, quote.l4 + shim, end)) return false;
    return quote.readPorts(view, end);
  }

  private hash(stage: SteeringStage, family: number): number {
    return workerOf(this.client, stage, family, this.count, this.secret);
  }
}

/** The worker of a client: its address (IPv4 in the fourth word), then its port. */
export function workerOf(
  client: Int32Array,
  { ports, mask4, prefix6 }: SteeringStage,
  family: number,
  count: number,
  secret: readonly number[],
): number {
  let h = secret[0]!;
  for (let i = family === 4 ? 3 : 0; i < 4; i++)
    h = mix(h, client[i]! & (family === 4 ? mask4 : maskWord(prefix6, i)), secret[1]!);
  if (ports) h = mix(h, client[4]!, secret[2]!);
  return Math.imul(h >>> 16, count) >>> 16;
}

function mix(h: number, word: number, key: number): number {
  const x = Math.imul((h ^ word) + key, 0x9e3779b1);
  return Math.imul(x ^ (x >>> 15), 0x85ebca77) ^ (x >>> 13);
}

function isError(p: PacketInfo): boolean {
  if (p.family === 6) return p.protocol === ipv6.ICMP6 && icmp6.isError(p.icmpType);
  return p.protocol === ipv4.ICMP && icmp.isError(p.icmpType);
}
