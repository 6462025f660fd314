/**
 * Records the decisions about a packet, step by step, for `ulvs trace`. The packet path calls
 * `d.traced?.note…` at each decision. `d.traced` is set only while a packet is processed that the
 * filter matches: all other packets cost one comparison at each of these places.
 *
 *      isAbout (filter) ─► begin ─► note… ─► end: one record
 *
 * A frame that waits for a neighbour leaves later, while another packet is processed. Its record
 * ends with the waiting; a second one tells how the frame left or why it was dropped.
 */

import type { Connections } from '../../conntrack/connections.js';
import { describe, stateName } from '../../conntrack/describe.js';
import { ENTRY_SHIFT, TICKS, TIMEOUT } from '../../conntrack/entry.js';
import type { Umem } from '../../device/umem.js';
import { endpoint } from '../../service/config.js';
import type { Destination, VirtualService } from '../../service/service.js';
import { DROP_NAMES } from '../../stats/drops.js';
import { format4, format6, formatMac } from '../../wire/address.js';
import * as ipv4 from '../../wire/ipv4.js';
import type { PacketInfo } from '../parse/packet.js';
import type { Link } from '../table/link.js';
import type { Neighbour, TracedFrame } from '../table/neighbour.js';
import { boxesOf, isInBoxes } from './boxes.js';
import { type Filter, passes } from './filter.js';

export interface Candidate {
  readonly dest: string;
  readonly weight: number;
  readonly active: number;
  readonly inactive: number;
  readonly overloaded: boolean;
}

export type TraceStep =
  | { step: 'mark'; mark: number }
  | { step: 'connection'; side: 'client' | 'destination'; caddr: string; vaddr: string; daddr: string; state: string }
  | { step: 'noConnection' }
  | { step: 'service'; service: string; scheduler: string }
  | { step: 'chosen'; scheduler: string; dest: string; candidates: readonly Candidate[] }
  | { step: 'none'; scheduler: string; candidates: readonly Candidate[] }
  | { step: 'state'; from: string; to: string; seconds: number }
  | { step: 'neighbour'; ip: string; device: string; mac: string }
  | { step: 'waits'; ip: string; device: string }
  | { step: 'waited'; ms: number }
  | { step: 'note'; text: string };

export interface TraceOut {
  readonly device: string;
  readonly hex: string;
  readonly originated: boolean;
}

export interface TraceRecord {
  /** ms of the director's clock; of a live director ms since 1970. */
  readonly at: number;
  readonly device: string;
  readonly hex: string;
  readonly steps: readonly TraceStep[];
  readonly out: readonly TraceOut[];
  /** forwarded, delivered, passed, waiting, or the name of a drop reason. */
  readonly verdict: string;
  readonly dropped: boolean;
}

export interface TraceSpec {
  readonly filter: Filter;
  readonly dropsOnly: boolean;
  /** The trace ends after this number of records. */
  readonly count: number;
}

/** The fields of a director that a trace reads. */
export interface TraceSource {
  readonly packet: PacketInfo;
  readonly umem: Umem;
  readonly links: readonly Link[];
  readonly connections: Connections;
  readonly dests: readonly (Destination | undefined)[];
  readonly now: number;
  /** The trace that runs. */
  readonly trace: Trace | undefined;
}

export class Trace {
  private hex = '';
  private steps: TraceStep[] = [];
  private out: TraceOut[] = [];
  private verdict = '';
  private dropped = false;
  private left: number;
  /** The filter for the fast path (boxes.ts). */
  readonly boxes: Int32Array;

  constructor(
    private readonly d: TraceSource,
    private readonly spec: TraceSpec,
    private readonly sink: (record: TraceRecord) => void,
  ) {
    this.left = spec.count;
    this.boxes = boxesOf(spec.filter);
  }

  /**
   * True when the packets inside `boxes` must take the slow path to be traced. Dropped packets take
   * the slow path anyway, so a trace of drops alone diverts no packet.
   */
  get diverts(): boolean {
    return this.left > 0 && !this.spec.dropsOnly;
  }

  /** Returns true when the parsed (or refused) packet is to be traced. Allocates nothing. */
  isAbout(p: PacketInfo): boolean {
    if (this.left <= 0) return false;
    const { protocol, src, dst, sport, dport } = p;
    const isPlain = p.family === 4 && (protocol === ipv4.TCP || protocol === ipv4.UDP) && p.fragmentOffset === 0;
    return (!isPlain || isInBoxes(this.boxes, protocol, src, dst, sport, dport)) && passes(this.spec.filter, p);
  }

  begin(frame: number, len: number): void {
    this.hex = hexOf(this.d.umem.u8, frame, len);
    this.steps = [];
    this.out = [];
    this.verdict = '';
    this.dropped = false;
  }

  end(): void {
    if (this.spec.dropsOnly && !this.dropped) return;
    this.left--;
    const { d, hex, steps, out, dropped } = this;
    const verdict = this.verdict || (out.some(({ originated }) => !originated) ? 'forwarded' : 'delivered');
    this.sink({ at: d.now, device: d.links[d.packet.device]!.name, hex, steps, out, verdict, dropped });
  }

  note(text: string): void {
    this.steps.push({ step: 'note', text });
  }
  noteMark(mark: number): void {
    if (mark !== 0) this.steps.push({ step: 'mark', mark });
  }
  noteConnection(entry: number, side: 'client' | 'destination'): void {
    if (entry === 0) this.steps.push({ step: 'noConnection' });
    else this.steps.push({ step: 'connection', side, ...this.connectionText(entry) });
  }
  private connectionText(entry: number) {
    const { caddr, cport, vaddr, vport, daddr, dport, state } = describe(
      this.d.connections.words,
      entry,
      (slot) => this.d.dests[slot]?.text ?? '',
    );
    return { caddr: endpoint(caddr, cport), vaddr: endpoint(vaddr, vport), daddr: endpoint(daddr, dport), state };
  }
  noteService(service: VirtualService): void {
    this.steps.push({ step: 'service', service: nameOf(service), scheduler: service.scheduler });
  }
  noteChoice(service: VirtualService, dest: Destination | null): void {
    const { scheduler } = service;
    const candidates = service.destinations.map(candidateOf);
    if (dest === null) this.steps.push({ step: 'none', scheduler, candidates });
    else this.steps.push({ step: 'chosen', scheduler, dest: destName(dest), candidates });
  }
  noteState(entry: number, before: number): void {
    const { connections } = this.d;
    const protocol = connections.protocolOf(entry);
    const flags = connections.flagsOf(entry);
    const from = stateName(protocol, before, flags);
    const to = stateName(protocol, connections.stateOf(entry), flags);
    this.steps.push({ step: 'state', from, to, seconds: connections.words[(entry << ENTRY_SHIFT) + TIMEOUT]! / TICKS });
  }
  /**
   * `originated`: what waits is a packet of the director's own, so that the frame at hand does not.
   */
  noteNeighbour(neighbour: Neighbour, originated: boolean): void {
    if (neighbour.usable) this.steps.push(this.resolved(neighbour));
    else {
      this.steps.push({ step: 'waits', ...this.placeOf(neighbour) });
      if (!originated) this.verdict = 'waiting';
    }
  }
  private placeOf({ family, words, device }: Neighbour): { ip: string; device: string } {
    return { ip: family === 4 ? format4(words[3]!) : format6(words), device: this.d.links[device]!.name };
  }
  private resolved(neighbour: Neighbour): TraceStep {
    return { step: 'neighbour', ...this.placeOf(neighbour), mac: formatMac(neighbour.macHi, neighbour.macLo) };
  }
  /** The frame at hand waits for its next hop. Returns what makes its second record. */
  noteWait(): TracedFrame {
    const { d, hex } = this;
    const since = d.now;
    const device = d.links[d.packet.device]!.name;
    const tell = (more: Pick<TraceRecord, 'out' | 'verdict' | 'dropped'>, steps: readonly TraceStep[] = []) => {
      if (d.trace !== this || this.left <= 0 || (this.spec.dropsOnly && !more.dropped)) return;
      this.left--;
      const waited: TraceStep = { step: 'waited', ms: d.now - since };
      this.sink({ at: d.now, device, hex, steps: [waited, ...steps], ...more });
    };
    return {
      left: (neighbour, frame, len) => {
        const out = this.outOf(neighbour.device, frame, len, false);
        tell({ out: [out], verdict: 'forwarded', dropped: false }, [this.resolved(neighbour)]);
      },
      dropped: (reason) => tell({ out: [], verdict: DROP_NAMES[reason]!, dropped: true }),
    };
  }
  noteOut(device: number, frame: number, len: number, originated: boolean): void {
    this.out.push(this.outOf(device, frame, len, originated));
  }
  private outOf(device: number, frame: number, len: number, originated: boolean): TraceOut {
    return { device: this.d.links[device]!.name, hex: hexOf(this.d.umem.u8, frame, len), originated };
  }
  noteVerdict(verdict: 'delivered' | 'passed' | 'waiting'): void {
    this.verdict = verdict;
  }
  noteDrop(reason: number): void {
    this.verdict = DROP_NAMES[reason]!;
    this.dropped = true;
  }
}

function hexOf(u8: Uint8Array, at: number, len: number): string {
  return Buffer.from(u8.buffer, u8.byteOffset + at, len).toString('hex');
}

function nameOf(service: VirtualService): string {
  if (service.fwmark !== 0) return `FWM ${service.fwmark}`;
  const protocol = { 6: 'TCP', 17: 'UDP', 132: 'SCTP' }[service.protocol] ?? String(service.protocol);
  const address = service.family === 4 ? format4(service.address) : `[${format6(service.address6)}]`;
  return `${protocol} ${address}:${service.port}`;
}

function destName(dest: Destination): string {
  return endpoint(dest.text, dest.port);
}

function candidateOf(dest: Destination): Candidate {
  const { weight, active, inactive, overloaded } = dest;
  return { dest: destName(dest), weight, active, inactive, overloaded };
}
