/**
 * Writes the lines of connections that are to be offloaded: what it takes to forward a direction of
 * a connection, from its entry, its neighbour and its tunnel.
 *
 *     entry ─► tuples, tunnel ─► row of the next hop ─► line: its own, a free one, or that of an idle one ─► in force
 */
import { CADDR, CONN_IPV6, DADDR, ENTRY_SHIFT, FLAGS, METHOD_MASK, WIDE_CADDR } from '../../conntrack/entry.js';
import { Control, DEVICES } from '../../device/flow/layout.js';
import type { FlowMemory } from '../../device/flow/maps.js';
import { Method } from '../../service/service.js';
import { copyWords } from '../../wire/address.js';
import type { Director } from '../director.js';
import type { FlowHops } from './hops.js';
import type { FlowLines } from './lines.js';
import type { FlowReadback } from './readback.js';
import { Rewriting } from './rewriting.js';
import { FlowTunnel } from './tunnel.js';
import { FlowTuple, fillTuples } from './tuple.js';

/** In the place of a line: it was noted, or its bucket is full. */
export const PENDING = -1;
export const NO_ROOM = -2;

export class FlowRegister {
  private readonly from = new FlowTuple();
  private readonly to = new FlowTuple();
  private readonly tunnel = new FlowTunnel();
  private readonly noTunnel = new FlowTunnel();
  private readonly rewriting = new Rewriting();
  /** Longer than needed, so that V8 places it outside its heap. */
  private readonly client = new Int32Array(32);

  /** `places`: by 2 x connection + direction. */
  constructor(
    private readonly d: Director,
    private readonly memory: FlowMemory,
    private readonly lines: FlowLines,
    private readonly readback: FlowReadback,
    private readonly hops: FlowHops,
    private readonly places: Int32Array,
  ) {}

  /**
   * Puts a direction of a connection in force. `hop`: number of the neighbour; `mtu`: the longest
   * packet.
   */
  put(entry: number, direction: number, hop: number, mtu: number): void {
    const owner = 2 * entry + direction;
    const neighbour = this.d.neighbours.all[hop];
    const tunnel = neighbour === undefined ? undefined : this.tunnelOf(entry, hop);
    const { words } = this.d.connections;
    fillTuples(words, entry, direction, this.from, this.to);
    this.rewriting.fill(direction, this.d.connections.protocolOf(entry), this.from, this.to);
    const row =
      tunnel !== undefined && neighbour!.usable && this.takesFrames(neighbour!.device)
        ? this.hops.rowOf(neighbour!, mtu, tunnel, this.rewriting)
        : -1;
    const place = row < 0 || (direction === 1 && this.mayBeServed(entry)) ? 0 : this.placeFor(entry, owner);
    if (place <= 0) {
      if (this.places[owner] === PENDING) this.places[owner] = place;
      return;
    }
    this.places[owner] = place;
    this.lines.encapsulate(place - 1, tunnel!.bytes, tunnel === this.tunnel ? tunnel.portsOf(this.from) : 0);
    this.lines.enforce(place - 1, row, this.d.now);
    this.lines.written++;
  }

  /** The tunnel of a connection's packets; undefined: the program cannot make it. */
  private tunnelOf(entry: number, hop: number): FlowTunnel | undefined {
    const { d, tunnel } = this;
    const { connections } = d;
    if ((connections.words[(entry << ENTRY_SHIFT) + FLAGS]! & METHOD_MASK) !== Method.ipip) return this.noTunnel;
    const dest = connections.destOf(entry);
    return dest !== undefined && tunnel.fill(d, dest, hop) ? tunnel : undefined;
  }

  /** A reply to an address that is a VIP, too, may belong to another connection. */
  private mayBeServed(entry: number): boolean {
    const { services, connections } = this.d;
    const { words } = connections;
    const at = entry << ENTRY_SHIFT;
    // Of IPv6 it is a fold, as that of the virtual addresses that are counted.
    const client = words[at + CADDR]!;
    if (connections.table.vipCounts.mayHave(client)) return true;
    if ((words[at + FLAGS]! & CONN_IPV6) === 0) return services.isVip4(client);
    copyWords(words, (words[at + DADDR]! << ENTRY_SHIFT) + WIDE_CADDR, this.client);
    return services.isVip6(this.client);
  }

  /** The device takes frames that an XDP program redirects to it. */
  private takesFrames(device: number): boolean {
    return (this.memory.control[Control.devices + (device >> 5)]! & (1 << device)) !== 0 && device < DEVICES;
  }

  /** The line of a direction + 1, written; NO_ROOM when its bucket is full. */
  private placeFor(entry: number, owner: number): number {
    const { connections, now } = this.d;
    if (this.places[owner]! > 0) return this.places[owner]!;
    const line = this.lines.claim(this.from, now);
    if (line === 0) {
      this.lines.noRoom++;
      return NO_ROOM;
    }
    if (this.lines.owners[line] !== 0) this.giveUp(line);
    if (!this.lines.take(line, owner, now)) return NO_ROOM;
    const seal = connections.table.seals[entry] ?? 0;
    this.lines.write(line, owner, this.from, this.to, seal);
    return line + 1;
  }

  /** Another connection needs the line of one that is idle. */
  private giveUp(line: number): void {
    const owner = this.lines.owners[line]! - 1;
    this.readback.pull(line + 1, (owner >> 1) << ENTRY_SHIFT);
    this.readback.fold(line);
    this.places[owner] = 0;
    this.lines.vacate(line, this.d.now);
  }
}
