/**
 * Index by the whole tuple, for the entries that a long chain spills. A bucket follows from the
 * client's address and port alone. One client that walks 65,536 virtual addresses, by design or as
 * an attack, would make one long chain, as in the kernel. More than two of its entries (chain.ts)
 * go into this index, which has a part for each direction of a packet:
 *
 *     in    [ – | 7 | – | 12 | 3 | … ]     client, virtual address and port       numbers of entries, 0 where free; the next
 *     out   [ 3 | – | – | 12 | – | … ]     client, destination address and port   place when one is taken
 *                          └─ NEXT ─► 7 ─► 0     entries that a reply cannot tell apart, newest first
 *
 * Each part has twice as many places as there are entries. It is allocated on first use, as virtual
 * memory.
 */
import {
  CADDR,
  CONN_IPV6,
  DADDR,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  NEXT,
  PORTS,
  VADDR,
  WIDE_DADDR,
} from '../entry.js';
import { fold, isIn4, isIn6, isOut4, isOut6 } from '../match.js';

/** Open addressing with linear probing. */
export class TupleIndex {
  /** Number of entries. */
  size = 0;
  private ins = new Int32Array(0);
  private outs = new Int32Array(0);
  /** By entry: the next newer entry with the same reply tuple; 0: it is the newest. */
  private newer = new Int32Array(0);
  private mask = 0;

  /** `words`: the connection table. `key`: secret, so that a sender cannot choose a place. */
  constructor(
    private readonly words: Int32Array,
    private readonly maxEntries: number,
    private readonly key: number,
  ) {}

  /** Adds a filled entry that is in no chain. Uses its NEXT. */
  add(entry: number): void {
    if (this.mask === 0) this.make();
    const at = entry << ENTRY_SHIFT;
    this.addIn(entry, at);
    this.addOut(entry, at);
    this.size++;
  }

  /** Removes an entry that is in the index. */
  remove(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    this.freePlace(this.ins, this.placeOf(this.ins, entry, this.homeIn(at)), true);
    const newer = this.newer[entry]!;
    const older = this.words[at + NEXT]!;
    if (older !== 0) this.newer[older] = newer;
    if (newer !== 0) this.words[(newer << ENTRY_SHIFT) + NEXT] = older;
    else this.freeOut(this.placeOf(this.outs, entry, this.homeOut(at)), older);
    this.size--;
  }

  /** The place where findIn4 starts, for prefetching; `entryAt` gives the entry there, or 0. */
  placeIn4(protocol: number, caddr: number, vaddr: number, ports: number): number {
    return this.hash(caddr, ports, vaddr, protocol) & this.mask;
  }
  entryAt(place: number): number {
    return this.ins[place]!;
  }

  /** As ConnectionTable.findIn4. */
  findIn4(protocol: number, caddr: number, vaddr: number, ports: number): number {
    const { ins, mask, words } = this;
    for (let place = this.placeIn4(protocol, caddr, vaddr, ports); ins[place] !== 0; place = (place + 1) & mask)
      if (isIn4(words, ins[place]! << ENTRY_SHIFT, protocol, caddr, vaddr, ports)) return ins[place]!;
    return 0;
  }
  /** As findIn6 of find-wide.ts; `folded`: fold of `caddr`. */
  findIn6(protocol: number, caddr: Int32Array, folded: number, vaddr: Int32Array, ports: number): number {
    const { ins, mask, words } = this;
    const home = this.hash(folded, ports, fold(vaddr), protocol) & mask;
    for (let place = home; ins[place] !== 0; place = (place + 1) & mask)
      if (isIn6(words, ins[place]! << ENTRY_SHIFT, protocol, caddr, folded, vaddr, ports)) return ins[place]!;
    return 0;
  }
  /** As ConnectionTable.findOut4. */
  findOut4(protocol: number, daddr: number, dport: number, caddr: number, cport: number): number {
    const { words } = this;
    let entry = this.newestReply(protocol, caddr, (cport << 16) | dport, daddr);
    while (entry !== 0 && !isOut4(words, entry << ENTRY_SHIFT, protocol, daddr, dport, caddr, cport))
      entry = words[(entry << ENTRY_SHIFT) + NEXT]!;
    return entry;
  }
  /** As findOut6 of find-wide.ts; `folded`: fold of `caddr`. */
  findOut6(
    protocol: number,
    daddr: Int32Array,
    dport: number,
    caddr: Int32Array,
    folded: number,
    cport: number,
  ): number {
    const { words } = this;
    let entry = this.newestReply(protocol, folded, (cport << 16) | dport, fold(daddr));
    while (entry !== 0 && !isOut6(words, entry << ENTRY_SHIFT, protocol, daddr, dport, caddr, folded, cport))
      entry = words[(entry << ENTRY_SHIFT) + NEXT]!;
    return entry;
  }

  /** The newest entry with this reply tuple (for IPv6 with its folds), or 0. `ports`: cport << 16 | dport. */
  private newestReply(protocol: number, caddr: number, ports: number, daddr: number): number {
    const { outs, mask } = this;
    let place = this.hash(caddr, ports, daddr, protocol) & mask;
    while (outs[place] !== 0 && !this.hasReplyTuple(outs[place]! << ENTRY_SHIFT, protocol, caddr, ports, daddr))
      place = (place + 1) & mask;
    return outs[place]!;
  }
  private hasReplyTuple(at: number, protocol: number, caddr: number, ports: number, daddr: number): boolean {
    const { words } = this;
    return (
      words[at + CADDR] === caddr &&
      this.portsOut(at) === ports &&
      this.protocolAt(at) === protocol &&
      this.daddrAt(at) === daddr
    );
  }

  private make(): void {
    const places = 2 ** Math.ceil(Math.log2(this.maxEntries * 2));
    this.ins = new Int32Array(places);
    this.outs = new Int32Array(places);
    this.newer = new Int32Array(this.maxEntries + 1);
    this.mask = places - 1;
  }

  /** Inserts before the entries of the same tuple: each of them moves to the place of the next. */
  private addIn(entry: number, at: number): void {
    const { words, ins, mask } = this;
    let moving = entry;
    let place = this.homeIn(at);
    for (; ins[place] !== 0; place = (place + 1) & mask) {
      const older = ins[place]!;
      const other = older << ENTRY_SHIFT;
      if (words[other + CADDR] !== words[at + CADDR] || words[other + PORTS] !== words[at + PORTS]) continue;
      if (words[other + VADDR] !== words[at + VADDR]) continue;
      ins[place] = moving;
      moving = older;
    }
    ins[place] = moving;
  }

  /** Inserts at the head of the entries with the same reply tuple. */
  private addOut(entry: number, at: number): void {
    const { words, outs, mask } = this;
    const [protocol, caddr, ports, daddr] = [
      this.protocolAt(at),
      words[at + CADDR]!,
      this.portsOut(at),
      this.daddrAt(at),
    ];
    let place = this.hash(caddr, ports, daddr, protocol) & mask;
    while (outs[place] !== 0 && !this.hasReplyTuple(outs[place]! << ENTRY_SHIFT, protocol, caddr, ports, daddr))
      place = (place + 1) & mask;
    const older = outs[place]!;
    words[at + NEXT] = older;
    this.newer[entry] = 0;
    if (older !== 0) this.newer[older] = entry;
    outs[place] = entry;
  }

  private placeOf(places: Int32Array, entry: number, home: number): number {
    let place = home;
    while (places[place] !== entry) place = (place + 1) & this.mask;
    return place;
  }

  /** Removes the newest entry of a reply tuple: the next older one takes its place. */
  private freeOut(place: number, older: number): void {
    if (older !== 0) this.outs[place] = older;
    else this.freePlace(this.outs, place, false);
  }

  /** Frees a place. Later entries that would no longer be found move up. */
  private freePlace(places: Int32Array, vacated: number, isIn: boolean): void {
    let free = vacated;
    for (let place = (free + 1) & this.mask; places[place] !== 0; place = (place + 1) & this.mask) {
      const at = places[place]! << ENTRY_SHIFT;
      const home = isIn ? this.homeIn(at) : this.homeOut(at);
      if (((place - home) & this.mask) < ((place - free) & this.mask)) continue;
      places[free] = places[place]!;
      free = place;
    }
    places[free] = 0;
  }

  private homeIn(at: number): number {
    const { words } = this;
    return this.hash(words[at + CADDR]!, words[at + PORTS]!, words[at + VADDR]!, this.protocolAt(at)) & this.mask;
  }
  private homeOut(at: number): number {
    return this.hash(this.words[at + CADDR]!, this.portsOut(at), this.daddrAt(at), this.protocolAt(at)) & this.mask;
  }
  private protocolAt(at: number): number {
    return (this.words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff;
  }
  private portsOut(at: number): number {
    return (this.words[at + PORTS]! & 0xffff0000) | (this.words[at + DPORT_PROTO_STATE]! >>> 16);
  }
  private daddrAt(at: number): number {
    const { words } = this;
    const daddr = words[at + DADDR]!;
    return (words[at + FLAGS]! & CONN_IPV6) === 0 ? daddr : fold(words, (daddr << ENTRY_SHIFT) + WIDE_DADDR);
  }

  private hash(a: number, b: number, c: number, d: number): number {
    let h = Math.imul(a ^ this.key, 0x9e3779b1) + Math.imul(b, this.key | 1);
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) + Math.imul(c, 0x27d4eb2f);
    h = Math.imul(h ^ (h >>> 13), this.key | 1) + d;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    return h ^ (h >>> 14);
  }
}
