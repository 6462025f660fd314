/** What an entry holds, and the tie of an entry to its template or control connection. */
import type { Destination } from '../service/service.js';
import {
  CONN_NOOUTPUT,
  CONTROL,
  CONTROLLED,
  DEST,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  METHOD_MASK,
  PACKETS,
  TIMEOUT,
} from './entry.js';

/** The entries of one table, by number. */
export class EntryFields {
  /** `dests`: by slot, removed destinations included. */
  constructor(
    readonly words: Int32Array,
    protected readonly dests: readonly (Destination | undefined)[],
  ) {}

  /** The destination; undefined for none. */
  destOf(entry: number): Destination | undefined {
    const slot = this.words[(entry << ENTRY_SHIFT) + DEST]!;
    return slot === 0 ? undefined : this.dests[slot - 1];
  }
  /** A destination has the slot. */
  hasDest(slot: number): boolean {
    return this.dests[slot] !== undefined;
  }
  stateOf(entry: number): number {
    return this.words[(entry << ENTRY_SHIFT) + DPORT_PROTO_STATE]! & 0xff;
  }
  protocolOf(entry: number): number {
    return (this.words[(entry << ENTRY_SHIFT) + DPORT_PROTO_STATE]! >>> 8) & 0xff;
  }
  flagsOf(entry: number): number {
    return this.words[(entry << ENTRY_SHIFT) + FLAGS]!;
  }
  methodOf(entry: number): number {
    return this.words[(entry << ENTRY_SHIFT) + FLAGS]! & METHOD_MASK;
  }
  hasNoOutput(entry: number): boolean {
    return (this.words[(entry << ENTRY_SHIFT) + FLAGS]! & CONN_NOOUTPUT) !== 0;
  }

  /** Sets the timeout that each packet adds, in ticks. */
  setTimeout(entry: number, ticks: number): void {
    this.words[(entry << ENTRY_SHIFT) + TIMEOUT] = ticks;
  }
  countPacket(entry: number): void {
    this.words[(entry << ENTRY_SHIFT) + PACKETS]!++;
  }

  childrenOf(entry: number): number {
    return this.words[(entry << ENTRY_SHIFT) + CONTROLLED]!;
  }
  /** Its template or control connection; 0: none. */
  parentOf(entry: number): number {
    return this.words[(entry << ENTRY_SHIFT) + CONTROL]!;
  }
  isControlled(entry: number): boolean {
    return this.words[(entry << ENTRY_SHIFT) + CONTROL] !== 0;
  }

  /**
   * Makes `parent` (a template or control connection) the controller of `child`
   * (ip_vs_control_add).
   */
  control(child: number, parent: number): void {
    this.uncontrol(child);
    this.words[(child << ENTRY_SHIFT) + CONTROL] = parent;
    this.words[(parent << ENTRY_SHIFT) + CONTROLLED]!++;
  }

  protected uncontrol(child: number): void {
    const at = child << ENTRY_SHIFT;
    const parent = this.words[at + CONTROL]!;
    if (parent === 0) return;
    this.words[at + CONTROL] = 0;
    this.words[(parent << ENTRY_SHIFT) + CONTROLLED]!--;
  }
}
