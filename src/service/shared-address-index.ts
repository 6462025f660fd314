/**
 * An AddressIndex whose keys may belong to several numbers at once, as one realserver's port
 * belongs to the destinations of several services. `find` returns one of them. The further numbers
 * of a key are a ring, in typed arrays: a Set for each key is work for V8's collector, and the
 * worker waits for that.
 *
 *     key ─ this ───► the number that `find` returns
 *     key ─ heads ──► head ─► oldest ─► … ─► newest ─┐      nodes: [ number | next | previous ]
 *                      ▲────────────────────────────┘
 *     head, number ─ places ─► node
 */
import { AddressIndex } from './address-index.js';

const NODE = 3;
const NEXT = 1;
const PREVIOUS = 2;
const FEWEST = 64;

export class SharedAddressIndex extends AddressIndex {
  private readonly heads = new AddressIndex();
  private readonly places = new AddressIndex();
  private nodes = new Int32Array(FEWEST * NODE);
  /** Nodes from here on were never used. */
  private fresh = 0;
  /** Released nodes, linked by NEXT; −1: none. */
  private released = -1;

  /** Adds a number to a key. */
  add(a0: number, a1: number, a2: number, a3: number, protocol: number, port: number, number: number): void {
    const found = this.find(a0, a1, a2, a3, protocol, port);
    if (found < 0) return this.set(a0, a1, a2, a3, protocol, port, number);
    if (found === number) return;
    let head = this.heads.find(a0, a1, a2, a3, protocol, port);
    if (head < 0) {
      head = this.node(0);
      this.link(head, head);
      this.heads.set(a0, a1, a2, a3, protocol, port, head);
    }
    this.append(head, number);
  }

  /** Takes a number from a key. The last one takes the key with it. */
  remove(a0: number, a1: number, a2: number, a3: number, protocol: number, port: number, number: number): void {
    const head = this.heads.find(a0, a1, a2, a3, protocol, port);
    if (this.find(a0, a1, a2, a3, protocol, port) !== number) {
      if (head < 0) return;
      this.takeOut(head, number);
    } else if (head < 0) return this.delete(a0, a1, a2, a3, protocol, port);
    else {
      const oldest = this.nodes[this.nodes[head + NEXT]!]!;
      this.takeOut(head, oldest);
      this.set(a0, a1, a2, a3, protocol, port, oldest);
    }
    if (this.nodes[head + NEXT] !== head) return;
    this.heads.delete(a0, a1, a2, a3, protocol, port);
    this.release(head);
  }

  private append(head: number, number: number): void {
    if (this.places.find(0, 0, head, number, 0, 0) >= 0) return;
    const node = this.node(number);
    this.link(this.nodes[head + PREVIOUS]!, node);
    this.link(node, head);
    this.places.set(0, 0, head, number, 0, 0, node);
  }

  private takeOut(head: number, number: number): void {
    const node = this.places.find(0, 0, head, number, 0, 0);
    if (node < 0) return;
    this.places.delete(0, 0, head, number, 0, 0);
    this.link(this.nodes[node + PREVIOUS]!, this.nodes[node + NEXT]!);
    this.release(node);
  }

  private link(from: number, to: number): void {
    this.nodes[from + NEXT] = to;
    this.nodes[to + PREVIOUS] = from;
  }

  /** The place in `nodes` of an unused node. */
  private node(number: number): number {
    const node = this.released < 0 ? this.newNode() : this.released;
    if (node === this.released) this.released = this.nodes[node + NEXT]!;
    this.nodes[node] = number;
    return node;
  }

  private newNode(): number {
    const node = this.fresh;
    this.fresh += NODE;
    if (this.fresh <= this.nodes.length) return node;
    const wider = new Int32Array(2 * this.nodes.length);
    wider.set(this.nodes);
    this.nodes = wider;
    return node;
  }

  private release(node: number): void {
    this.nodes[node + NEXT] = this.released;
    this.released = node;
  }
}
