/**
 * What the packets of a direction have in common between a service and a realserver, as the words
 * of a row of the next hops: the address that is not the client's, and what it and its port become.
 * The sums change by the same for all of them.
 */
import { Hop } from '../../device/flow/layout.js';
import { deltas, type FlowTuple } from './tuple.js';

/** Ports of a packet as a little-endian word: the source port is the low half. */
const SOURCE_PORT = 0xffff;
/** The words of a row that this is about. */
const BEGIN = Hop.protocol;
const WORDS = Hop.deltas + 1 - BEGIN;

export class Rewriting {
  /** Longer than needed, so that V8 places it outside its heap. */
  private readonly words = new Int32Array(new ArrayBuffer(128), 0, WORDS);

  /** `direction`: 0 from the client, whose port stays; 1 to it. */
  fill(direction: number, protocol: number, from: FlowTuple, to: FlowTuple): void {
    const { words } = this;
    const isReply = direction === 1;
    const portsKept = isReply ? ~SOURCE_PORT : SOURCE_PORT;
    words[Hop.protocol - BEGIN] = protocol | (from.family << 8);
    words[Hop.other - BEGIN] = isReply ? from.saddr : from.daddr;
    words[Hop.newOther - BEGIN] = isReply ? to.saddr : to.daddr;
    words[Hop.reply - BEGIN] = isReply ? -1 : 0;
    words[Hop.portsKept - BEGIN] = portsKept;
    words[Hop.newPorts - BEGIN] = to.ports & ~portsKept;
    words[Hop.deltas - BEGIN] = deltas(from, to);
  }

  /** All words in one, for a hash. */
  get mixed(): number {
    let mixed = 0;
    for (let i = 0; i < WORDS; i++) mixed = Math.imul(mixed ^ this.words[i]!, 0x85ebca6b);
    return mixed;
  }

  /** The row at word `at` has the same words. */
  isAt(rows: Int32Array, at: number): boolean {
    for (let i = 0; i < WORDS; i++) if (rows[at + BEGIN + i] !== this.words[i]) return false;
    return true;
  }

  writeTo(rows: Int32Array, at: number): void {
    for (let i = 0; i < WORDS; i++) rows[at + BEGIN + i] = this.words[i]!;
  }
}
