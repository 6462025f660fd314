/**
 * A director: all state that the packet path reads and writes, and no I/O. Frames and time are
 * pushed in, frames leave through the links' outputs. The owner pushes in services, routes,
 * neighbours and marks.
 */

import { Connections } from '../conntrack/connections.js';
import { TICKS } from '../conntrack/entry.js';
import type { Rebuild } from '../conntrack/rebuild/rebuild.js';
import type { Offloaded } from '../conntrack/states.js';
import { ConnectionTable } from '../conntrack/table.js';
import type { Batch } from '../device/batch.js';
import type { Umem } from '../device/umem.js';
import { AddressIndex } from '../service/address-index.js';
import type { ServiceOptions } from '../service/options.js';
import type { Destination, VirtualService } from '../service/service.js';
import { defaultSysctls, type Sysctls } from '../service/sysctl.js';
import { ServiceTable } from '../service/table.js';
import { Counters } from '../stats/counters.js';
import type { Verdict } from '../stats/verdict.js';
import { addressFamily } from '../wire/address.js';
import { Defence } from './defence.js';
import { EarlyDrop } from './early-drop.js';
import { EndConns } from './end-conns.js';
import { PacketInfo } from './parse/packet.js';
import { SynFloods } from './syn-floods.js';
import { Assembled } from './table/assembled.js';
import type { CheckPorts } from './table/check-ports.js';
import { Cookies } from './table/cookies.js';
import { FragmentTable } from './table/fragments.js';
import type { Link } from './table/link.js';
import { Neighbours } from './table/neighbour.js';
import { PathMtus } from './table/path-mtu.js';
import { Random } from './table/random.js';
import { TokenBuckets } from './table/rate-limit.js';
import { covers, wordsOf } from './table/route-data.js';
import { Router } from './table/routes.js';
import { Senders } from './table/senders.js';
import { SnatRules } from './table/snat-rules.js';
import { SourcePool } from './table/source-pool.js';
import type { Trace } from './trace/trace.js';

/** Gives a packet its fwmark (dataplane/table/marks.ts). */
export interface Marker {
  match(packet: PacketInfo): number;
  /** Returns true when nft keeps the packet from the host's stack for an fwmark service. */
  isIntercepted(packet: PacketInfo, services: ServiceTable): boolean;
}

/**
 * Processes the frames of `batch` (512 at most), received by the link `device`, in their order.
 * Returns how many it has taken: all, or those before a large frame that must be cut.
 */
export type FastPath = (device: number, batch: Batch) => number;

/**
 * With several workers: returns true when the current reassembled packet was handed off
 * (dataplane/workers/dispatch.ts).
 */
export interface ReassembledHandoff {
  handOffReassembled(): Verdict;
}

/** The master of synchronisation, while one runs (dataplane/sync/master.ts). */
export interface SyncMaster {
  /**
   * Call after each packet of a client. Decides whether its connection is sent. `packets`: the
   * packets of the client so far.
   */
  offer(entry: number, packets: number): void;
  /** Goes on with a resend of all connections. */
  tick(): void;
}

/** The offload of established connections (dataplane/offload/offload.ts). */
export interface Offloading extends Offloaded {
  /** Notes what was done with a packet. `neighbour`: its number; `mtu`: of the route. */
  note(entry: number, direction: 0 | 1, neighbour: number, mtu: number): void;
  /** Call it after the frames of a turn were sent. */
  write(): void;
  /** Call it once a turn. */
  tick(): void;
  /** Neighbours have other numbers, or devices other addresses. */
  forgetHops(): void;
}

export interface Range {
  readonly words: Int32Array;
  readonly length: number;
  readonly family: number;
  /**
   * Addresses that snat translates to. The host may have them; it then keeps their ports below
   * 1024.
   */
  readonly isSnat: boolean;
}

export class Director {
  readonly packet = new PacketInfo();
  readonly services = new ServiceTable();
  /** By slot. A removed destination stays, unavailable, while connections name it. */
  readonly dests: (Destination | undefined)[] = [];
  readonly connections: Connections;
  readonly links: Link[] = [];
  readonly neighbours = new Neighbours();
  readonly router: Router;
  /** Incomplete datagrams, and the reassembled datagram that is the current packet. */
  readonly fragments: FragmentTable;
  readonly assembled: Assembled;
  readonly sourcePool = new SourcePool();
  marks: Marker | undefined;
  sysctl: Sysctls = defaultSysctls();
  /** The director's own addresses, with the device of each. */
  readonly own = new AddressIndex();
  /** Destinations by the packets that they send, and by their tunnels. */
  readonly senders = new Senders();
  /** The parts of `senders`, which the packet path reads. */
  readonly masqSources = this.senders.masqSources;
  readonly tunnels = this.senders.tunnels;
  /** Number of services with a persistence engine whose masq destinations may open connections. */
  private openingServices = 0;
  readonly pathMtus = new PathMtus();
  readonly snatRules = new SnatRules();
  /** VIP-less acceptance: addresses that count as the director's though no interface has them. */
  ranges: readonly Range[] = [];
  acceptArp = true;
  /** A link forwards packets from our VIPs. */
  forwardsShared = false;
  acceptIcmp = true;
  /** The trace, set by the director's owner while somebody traces. */
  trace: Trace | undefined;
  /** The same trace while a packet is processed that it is about. */
  traced: Trace | undefined;
  /** Link to the host's own stack, for intercepted frames; undefined without interception. */
  hostLink: Link | undefined;
  /** Health checks go through the dataplane (dataplane/path/checked.ts). */
  checks: CheckPorts | undefined;
  readonly icmpLimits = new TokenBuckets();
  /** Numbers for IPv6 fragment identifications and for drop_entry's choice. */
  readonly random: Random;
  readonly defence: Defence;
  readonly endConns: EndConns;
  /** Connections whose packets the XDP program forwards; set before the first batch. */
  offload: Offloading | undefined;
  readonly earlyDrop: EarlyDrop;
  readonly synFloods: SynFloods;
  readonly cookies: Cookies;
  /** Options of services by keyText, also of services that do not exist. */
  options: ReadonlyMap<string, ServiceOptions> = new Map();
  /** Set while a master of synchronisation runs. */
  sync: SyncMaster | undefined;
  /** A backup of synchronisation runs, and sysctl backup_only leaves packets to the host. */
  backupOnly = false;
  /** While the table of a former process gets its index back (housekeeping.ts). */
  rebuild: Rebuild | undefined = undefined;
  /** Set where several workers are one director. */
  dispatch: ReassembledHandoff | undefined;
  /** The fast path, made with the first batch. */
  fastPath: FastPath | undefined;
  /** Time in ms, set once per batch. */
  now = 0;
  /** Last IP id that the director used for its own packets. */
  ident = 1;

  constructor(
    readonly umem: Umem,
    readonly counters: Counters = new Counters(),
    table: ConnectionTable = new ConnectionTable(),
    now = 0,
    seed = 1,
  ) {
    this.now = now;
    this.random = new Random(seed);
    this.defence = new Defence(this);
    this.endConns = new EndConns(this);
    this.connections = new Connections(table, this.dests, tickOf(now));
    this.earlyDrop = new EarlyDrop(this.connections, counters);
    this.synFloods = new SynFloods(this);
    this.cookies = new Cookies(table.secret);
    const room = umem.frameCount >>> 2;
    this.assembled = new Assembled(umem, room);
    this.fragments = new FragmentTable(room, (frame, len, reason) => {
      counters.drop(reason, len);
      umem.free(frame);
    });
    this.router = new Router(this.neighbours, (device) => this.links[device]?.mtu ?? 1500);
  }

  /**
   * Without services of a family the kernel removes its hooks: existing connections are dormant
   * until a service comes back. Connections of snat need no service.
   */
  isAwake(family: number): boolean {
    return this.services.serves(family) || this.snatRules.rules.length !== 0;
  }

  /**
   * Returns true for an address of a device, a VIP, or an accepted range: a packet to it is for the
   * director.
   */
  isLocal4(address: number): boolean {
    return (
      this.own.find(0, 0, 0, address, 0, 4) >= 0 ||
      this.services.isVip4(address) ||
      (this.ranges.length !== 0 && this.inRange(4, 0, 0, 0, address))
    );
  }
  isLocal6(a: Int32Array): boolean {
    return (
      this.own.find(a[0]!, a[1]!, a[2]!, a[3]!, 0, 6) >= 0 ||
      this.services.isVip6(a) ||
      (this.ranges.length !== 0 && this.inRange(6, a[0]!, a[1]!, a[2]!, a[3]!))
    );
  }

  /** Indexes the addresses of all links. Call after any of them changed. */
  reindexOwn(): void {
    this.own.clear();
    for (const link of this.links)
      for (const { family, words } of link.addresses)
        this.own.set(words[0]!, words[1]!, words[2]!, words[3]!, 0, family, link.index);
  }

  /** Puts other ports of FTP control connections in force (helpers.ftp). */
  setHelperPorts(ports: readonly number[]): void {
    const old = this.connections.helperPorts;
    const changes = ({ port }: VirtualService) => old.includes(port) !== ports.includes(port);
    const touched = this.services.all().filter(changes);
    for (const service of touched) for (const dest of service.destinations) this.unindex(dest);
    this.connections.helperPorts = ports;
    for (const service of touched) for (const dest of service.destinations) this.index(dest);
  }

  /** Call after a destination was added to its service, and after it was edited. */
  index(dest: Destination): void {
    this.senders.add(dest, this.connections.helperPorts);
  }
  /** Call before a destination is removed from its service, and before it is edited. */
  unindex(dest: Destination): void {
    this.senders.remove(dest, this.connections.helperPorts);
  }

  /**
   * A service has a persistence engine whose masq destinations may open connections
   * (dataplane/path/server-opened.ts).
   */
  get serversMayOpen(): boolean {
    return this.openingServices > 0;
  }

  /** Call with 1 after a service got its engine, with −1 before it loses it. */
  noteEngine({ engine }: VirtualService, one: 1 | -1): void {
    if (engine?.serversMayOpen) this.openingServices += one;
  }

  /**
   * `accepted`: prefixes that are accepted even if the host has them. `snat`: those snat translates
   * to.
   */
  setRanges(accepted: readonly string[], snat: readonly string[] = []): void {
    this.ranges = [...accepted.map((text) => rangeOf(text, false)), ...snat.map((text) => rangeOf(text, true))];
  }

  nextIdent(): number {
    this.ident = (this.ident + 1) & 0xffff;
    return this.ident;
  }

  /**
   * Returns true for an address of an accepted range, without those of snat. IPv4: a0 to a2 are 0.
   */
  isAccepted(family: number, a0: number, a1: number, a2: number, a3: number): boolean {
    return this.ranges.length !== 0 && this.inRange(family, a0, a1, a2, a3, false);
  }

  private inRange(family: number, a0: number, a1: number, a2: number, a3: number, snat = true): boolean {
    scratch[0] = a0;
    scratch[1] = a1;
    scratch[2] = a2;
    scratch[3] = a3;
    for (const range of this.ranges)
      if (range.family === family && (snat || !range.isSnat) && covers(range, scratch, family)) return true;
    return false;
  }
}

function rangeOf(text: string, isSnat: boolean): Range {
  const [address, length] = text.split('/');
  const family = addressFamily(text);
  return { words: wordsOf(address)!, length: Number(length ?? (family === 4 ? 32 : 128)), family, isSnat };
}

const scratch = new Int32Array(4);

/** Ticks of connection timers: 10 ms each, int32 that wraps. */
export function tickOf(ms: number): number {
  return Math.floor((ms * TICKS) / 1000) | 0;
}
