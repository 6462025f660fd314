/**
 * Is an entry sound that a former process left? Only then may packets follow it. The seal (seal.ts)
 * says that nobody changed it. The other checks hold for any words: what passes them cannot break
 * the table.
 *
 *     full NAT     connection ── DADDR ──► reverse line       each must name the other
 *                             ◄─ CONTROL ─
 */
import { Method } from '../../service/service.js';
import { SCTP, TCP } from '../../wire/ipv4.js';
import {
  CONN_ENGINE_KEY,
  CONN_FULLNAT,
  CONN_HASHED,
  CONN_IPV6,
  CONN_ONE_PACKET,
  CONN_OUTGOING,
  CONN_REVERSE,
  CONN_SYNC,
  CONN_SYNPROXY,
  CONN_TEMPLATE,
  CONTROL,
  DADDR,
  DEST,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  KEY,
  METHOD_MASK,
  NEXT,
  TICKS,
  TIMEOUT,
  WITH_SHIFTS,
} from '../entry.js';
import { SCTP_STATES } from '../sctp.js';
import { MAX_KEY_LINES } from '../seal.js';
import { SeqAdjRows } from '../seqadj.js';
import type { ConnectionTable } from '../table.js';
import { TCP_STATES } from '../tcp.js';

/** The longest timeout that the rule table accepts (rules/refusals.ts), in ticks. */
const LONGEST = Math.floor(2147483647 / 250) * TICKS;
const METHODS = Object.keys(Method).length;

/** The entries of a table that a former process left. */
export class Soundness {
  private readonly words: Int32Array;
  private readonly shifts: SeqAdjRows;

  /** `end`: the highest entry that was in use. `hasDest`: a destination has the slot. */
  constructor(
    private readonly table: ConnectionTable,
    private readonly end: number,
    private readonly hasDest: (slot: number) => boolean,
  ) {
    this.words = table.words;
    this.shifts = new SeqAdjRows(table.shifts);
  }

  /** Returns true when packets may follow the entry. */
  isSound(entry: number): boolean {
    if (!this.isWhole(entry)) return false;
    const at = entry << ENTRY_SHIFT;
    const flags = this.words[at + FLAGS]!;
    if ((flags & CONN_REVERSE) !== 0) return this.isPair(this.words[at + CONTROL]!, entry);
    return (flags & CONN_FULLNAT) === 0 || this.isPair(entry, this.words[at + DADDR]!);
  }

  /** The entry itself, without its reverse line or its connection. */
  private isWhole(entry: number): boolean {
    const at = entry << ENTRY_SHIFT;
    const flags = this.words[at + FLAGS]!;
    if ((flags & CONN_HASHED) === 0 || !this.hasPossibleFlags(flags) || !this.hasLines(at, flags)) return false;
    if (!this.table.isSealed(entry)) return false;
    if ((flags & WITH_SHIFTS) !== 0 && !this.hasShifts(entry, flags)) return false;
    return (flags & CONN_REVERSE) !== 0 || (this.isServed(at, flags) && this.hasState(at));
  }

  /** The numbers of the SYN proxy's connections are always shifted. */
  private hasShifts(entry: number, flags: number): boolean {
    return this.shifts.isSound(entry, this.table.seals[entry]!, (flags & CONN_SYNPROXY) !== 0);
  }

  private hasPossibleFlags(flags: number): boolean {
    const isTemplate = (flags & CONN_TEMPLATE) !== 0;
    const method = flags & METHOD_MASK;
    if ((flags & CONN_ONE_PACKET) !== 0 || method >= METHODS) return false;
    if ((flags & CONN_REVERSE) !== 0)
      return (flags & (CONN_FULLNAT | CONN_IPV6 | CONN_TEMPLATE | CONN_ENGINE_KEY)) === 0;
    if ((flags & CONN_ENGINE_KEY) !== 0 && !isTemplate) return false;
    const translated = (flags & CONN_FULLNAT) !== 0;
    if (translated && (isTemplate || (flags & CONN_IPV6) !== 0)) return false;
    // A connection of full NAT without a reverse line was being opened.
    return translated === (method === Method.fullnat && !isTemplate);
  }

  /** The lines that belong to the entry exist, and are no entries. */
  private hasLines(at: number, flags: number): boolean {
    const { words } = this;
    if ((flags & CONN_IPV6) !== 0 && !this.isPlain(words[at + DADDR]!)) return false;
    if ((flags & CONN_ENGINE_KEY) === 0) return true;
    let line = words[at + KEY]!;
    for (let n = 0; n < MAX_KEY_LINES; n++) {
      if (!this.isPlain(line)) return false;
      line = words[(line << ENTRY_SHIFT) + NEXT]!;
      if (line === 0) return true;
    }
    return false;
  }

  private isPlain(line: number): boolean {
    return line >= 1 && line <= this.end && this.words[(line << ENTRY_SHIFT) + FLAGS] === 0;
  }

  /** Connections of snat and of bypass have no destination. */
  private isServed(at: number, flags: number): boolean {
    const slot = this.words[at + DEST]! - 1;
    if (slot >= 0) return this.hasDest(slot);
    return slot === -1 && ((flags & (CONN_OUTGOING | CONN_SYNC)) !== 0 || (flags & METHOD_MASK) === Method.bypass);
  }

  private hasState(at: number): boolean {
    const { words } = this;
    const protocol = (words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff;
    const state = words[at + DPORT_PROTO_STATE]! & 0xff;
    if (protocol === TCP && state >= TCP_STATES.length) return false;
    if (protocol === SCTP && state >= SCTP_STATES.length) return false;
    return words[at + TIMEOUT]! > 0 && words[at + TIMEOUT]! <= LONGEST;
  }

  private isPair(entry: number, reverse: number): boolean {
    if (!this.isIn(entry) || !this.isIn(reverse)) return false;
    const { words } = this;
    const at = entry << ENTRY_SHIFT;
    const back = reverse << ENTRY_SHIFT;
    if ((words[at + FLAGS]! & CONN_FULLNAT) === 0 || (words[back + FLAGS]! & CONN_REVERSE) === 0) return false;
    if (words[at + DADDR] !== reverse || words[back + CONTROL] !== entry) return false;
    return this.isWhole(entry) && this.isWhole(reverse);
  }

  private isIn(entry: number): boolean {
    return entry >= 1 && entry <= this.end;
  }
}
