/**
 * A director as a function: frames in + now → frames out + verdicts. It does no I/O, reads no clock
 * and asks no kernel: devices, addresses, routes and neighbours are those of its configuration. The
 * same inputs give the same outputs.
 *
 *     configuration ─► createDirector ─► receive(device, frame, now) ─► { verdict, drop, sent, steps }
 *                                        advance(now) ─► what time alone sends: ARP requests, ICMP errors
 */
import type { ConnectionEntry } from '../control/api/api.js';
import type { Config } from '../control/config/config.js';
import { InProcessDirector } from '../control/inprocess.js';
import { Trace, type TraceRecord, type TraceStep } from '../dataplane/trace/trace.js';
import { FrameStat } from '../stats/counters.js';
import { DROP_NAMES, type DropReason } from '../stats/drops.js';
import { loadRules } from '../ulvsadm/rules.js';
import { ulvsadm } from '../ulvsadm/ulvsadm.js';

/**
 * What became of a frame that came in:
 *
 * - `forwarded`: it left, rewritten or not.
 * - `delivered`: the director itself consumed it (ARP, a ping of a VIP).
 * - `passed`: it is for the host's own stack; a director without I/O has none, and frees it.
 * - `dropped`: `Outcome.drop` has the reason.
 * - `waiting`: for a neighbour's MAC address, or for other fragments of the same packet. It ends
 *   later, and `counts` tells how.
 */
export type Verdict = 'forwarded' | 'delivered' | 'passed' | 'dropped' | 'waiting';

/** A frame that leaves. */
export interface SentFrame {
  /** The name of the device in the configuration. */
  readonly device: string;
  /** From the Ethernet header on, without FCS. A copy: it is the caller's. */
  readonly bytes: Uint8Array;
}

/** What one frame that came in caused. */
export interface Outcome {
  readonly verdict: Verdict;
  /** Set when the verdict is `dropped`. */
  readonly drop: DropReason | undefined;
  /**
   * All that left since the call began, in order: what fell due before the frame, the frame itself,
   * and what it caused (ICMP errors, ARP requests, frames that had waited for the neighbour this
   * frame tells of).
   */
  readonly sent: readonly SentFrame[];
  /** The decisions on the way: mark, connection, service, scheduler's choice, state, next hop. */
  readonly steps: readonly TraceStep[];
}

/** Frames by what became of them, since the director was created. */
export interface Counts {
  /** in = forwarded + delivered + passed + dropped + those that wait. */
  readonly in: number;
  readonly forwarded: number;
  readonly delivered: number;
  readonly passed: number;
  readonly dropped: number;
  /** Frames the director made itself: ARP, ICMP, RST, fragments beyond the first. */
  readonly originated: number;
  /** Only the reasons that occurred; their sum is `dropped`. */
  readonly drops: { readonly [reason in DropReason]?: number };
}

/** What a command line of ulvsadm gave. */
export interface CommandResult {
  /** Exit code, 0..255. */
  readonly rc: number;
  readonly out: string;
  readonly err: string;
}

export interface Director {
  readonly config: Config;
  /** The director's clock in milliseconds; it moves only by `receive` and `advance`. */
  readonly now: number;
  /**
   * A frame comes in.
   * @param device The name of a device of the configuration.
   * @param frame From the Ethernet header on, without FCS; at most 1790 bytes. It is copied. A
   *   frame shorter than its headers is dropped as truncated.
   * @param now Milliseconds. What falls due until then happens first. Default: no time has passed.
   * @throws RangeError for an unknown device, a frame that is too long, or a time that is past or
   *   not a number; nothing has changed then.
   */
  receive(device: string, frame: Uint8Array, now?: number): Outcome;
  /**
   * Lets time pass, with all that falls due on the way: connections end, neighbours are asked for
   * again or given up, fragments are given up.
   * @param now Milliseconds.
   * @returns The frames that left.
   * @throws RangeError for a time that is past or not a number.
   */
  advance(now: number): readonly SentFrame[];
  /**
   * Runs a command line of ipvsadm 1.31.
   * @param argv Without the program's name: ['-A', '-t', '10.0.0.100:80', '-s', 'rr'].
   * @param stdin Read by -R only.
   * @returns Also for mistakes, which are in `rc` and `err`, as a shell would see them.
   */
  ulvsadm(argv: readonly string[], stdin?: string): Promise<CommandResult>;
  /** The connection table: templates of persistence included. */
  connections(): readonly ConnectionEntry[];
  counts(): Counts;
}

/**
 * Makes a director with the rules of its configuration. The keys `workers`, `socket` and the
 * devices' `kind` have no effect.
 * @param config From parseConfig or loadConfig.
 * @param now Where its clock begins, in milliseconds.
 * @throws RuleLineError that names the rule lines that are refused.
 */
export async function createDirector(config: Config, now = 0): Promise<Director> {
  const director = new FunctionDirector(config, now);
  await director.load();
  return director;
}

class FunctionDirector implements Director {
  private readonly inner: InProcessDirector;
  private sent: SentFrame[] = [];
  private record: TraceRecord | undefined;

  constructor(
    readonly config: Config,
    now: number,
  ) {
    this.inner = new InProcessDirector(config, (device, bytes) => this.leave(device, bytes), now);
    const { director } = this.inner;
    const spec = { filter: { kind: 'all' }, dropsOnly: false, count: Number.POSITIVE_INFINITY } as const;
    director.trace = new Trace(director, spec, (record) => {
      this.record = record;
    });
  }

  load(): Promise<void> {
    return loadRules(this.config, this.inner);
  }

  get now(): number {
    return this.inner.now;
  }

  receive(device: string, frame: Uint8Array, now = this.now): Outcome {
    const index = this.deviceIndex(device);
    const { capacity } = this.inner.director.umem;
    if (frame.length > capacity) throw new RangeError(`a frame of ${frame.length} bytes; the longest is ${capacity}`);
    this.move(now);
    this.record = undefined;
    if (!this.inner.receive(index, frame)) throw new RangeError('no room for the frame: too many others wait');
    return outcome(this.record, this.taken());
  }

  advance(now: number): readonly SentFrame[] {
    this.move(now);
    return this.taken();
  }

  ulvsadm(argv: readonly string[], stdin = ''): Promise<CommandResult> {
    return ulvsadm(argv, () => stdin, this.inner);
  }

  connections(): readonly ConnectionEntry[] {
    return this.inner.connections();
  }

  counts(): Counts {
    const { counters } = this.inner.director;
    const of = (what: number) => counters.values[what]!;
    const { in: received, forwarded, delivered, passed, dropped, originated } = FrameStat;
    const drops = DROP_NAMES.map((name, i) => [name, counters.drops(i)] as const).filter(([, count]) => count > 0);
    return {
      in: of(received),
      forwarded: of(forwarded),
      delivered: of(delivered),
      passed: of(passed),
      dropped: of(dropped),
      originated: of(originated),
      drops: Object.fromEntries(drops),
    };
  }

  private deviceIndex(name: string): number {
    const { devices } = this.config;
    const index = devices.findIndex((device) => device.name === name);
    if (index >= 0) return index;
    throw new RangeError(`no device ${name}; the configuration has ${devices.map((one) => one.name).join(', ')}`);
  }

  private move(to: number): void {
    if (!(to >= this.now && to < Number.POSITIVE_INFINITY))
      throw new RangeError(`time ${to} ms: it is ${this.now} ms already, and time goes forward only`);
    if (to > this.now) this.inner.advance(to);
  }

  private leave(device: number, bytes: Uint8Array): void {
    this.sent.push({ device: this.config.devices[device]!.name, bytes });
  }

  private taken(): SentFrame[] {
    const { sent } = this;
    this.sent = [];
    return sent;
  }
}

/**
 * `record`: what the trace says; undefined for a message to the daemon of synchronisation, which
 * goes to the host, where the daemon has its socket.
 */
function outcome(record: TraceRecord | undefined, sent: readonly SentFrame[]): Outcome {
  if (record === undefined) return { verdict: 'passed', drop: undefined, sent, steps: [] };
  const { verdict, dropped, steps } = record;
  if (dropped) return { verdict: 'dropped', drop: verdict as DropReason, sent, steps };
  return { verdict: verdict as Verdict, drop: undefined, sent, steps };
}
