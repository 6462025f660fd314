/**
 * What the packets of a direction have in common between a service and a realserver, as the words
 * of a row of the next hops: the address that is not the client's, and what it and its port become.
 * The sums change by the same for all of them.
 */
import { Hop } from '../../device/flow/layout.js';
import { deltas, type FlowTuple } from './tuple.js';

/** Ports of a packet as a little-endian word: the source port is the low half. */
const SOURCE_PORT = 0xffff;

export class Rewriting {
  private protocol = 0;
  private other = 0;
  private newOther = 0;
  private reply = 0;
  private portsKept = 0;
  private newPorts = 0;
  private deltas = 0;

  /** `direction`: 0 from the client, whose port stays; 1 to it. */
  fill(direction: number, protocol: number, from: FlowTuple, to: FlowTuple): void {
    const isReply = direction === 1;
    this.protocol = protocol | (from.family << 8);
    this.other = isReply ? from.saddr : from.daddr;
    this.newOther = isReply ? to.saddr : to.daddr;
    this.reply = isReply ? -1 : 0;
    this.portsKept = isReply ? ~SOURCE_PORT : SOURCE_PORT;
    this.newPorts = to.ports & ~this.portsKept;
    this.deltas = deltas(from, to);
  }

  /** All words in one, for a hash. */
  get mixed(): number {
    return Math.imul(this.other ^ Math.imul(this.newOther, 0x85ebca6b), 0xc2b2ae35) ^ this.newPorts ^ this.deltas;
  }

  /** The row at word `at` has the same words. */
  isAt(rows: Int32Array, at: number): boolean {
    return (
      rows[at + Hop.protocol] === this.protocol &&
      rows[at + Hop.other] === this.other &&
      rows[at + Hop.newOther] === this.newOther &&
      rows[at + Hop.reply] === this.reply &&
      rows[at + Hop.portsKept] === this.portsKept &&
      rows[at + Hop.newPorts] === this.newPorts &&
      rows[at + Hop.deltas] === this.deltas
    );
  }

  writeTo(rows: Int32Array, at: number): void {
    rows[at + Hop.protocol] = this.protocol;
    rows[at + Hop.other] = this.other;
    rows[at + Hop.newOther] = this.newOther;
    rows[at + Hop.reply] = this.reply;
    rows[at + Hop.portsKept] = this.portsKept;
    rows[at + Hop.newPorts] = this.newPorts;
    rows[at + Hop.deltas] = this.deltas;
  }
}
