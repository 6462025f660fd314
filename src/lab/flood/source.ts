/**
 * Makes the flood inside the kernel: an XDP program writes each frame and sends it out of a device;
 * BPF_PROG_TEST_RUN runs it on live frames, 64 at a time. One core makes 1 to 2 million frames a
 * second.
 *
 *     shared with the program:  | sent 64 | due 64 | interval 64 | limit 64 |     times in ns / 256
 *
 * A frame that is not due is not sent; this paces the flood evenly. One frame in PROBE carries the
 * time at which it was made. The kernel needs 25 ms to end a call, so a flood is one call, ended by
 * a signal.
 */
import { Assembler, Call } from '../../device/bpf/assembler.js';
import { loadXdp, runXdpLive, XDP_DROP, XDP_TX } from '../../sys/bpf.js';
import { close, ifNameToIndex, SystemError } from '../../sys/libc.js';
import { alarmIn } from '../../sys/user.js';
import { BpfCounters } from './bpf-counters.js';
import * as at from './frame.js';

export interface SourceOptions {
  /**
   * The device to send on. Its peer must accept XDP frames: a veth needs GRO or an XDP program
   * there.
   */
  readonly device: string;
  readonly kind: at.Kind;
  readonly target: at.Target;
  /** The number of clients: a power of two, up to 65,536. */
  readonly clients: number;
  /** The number of ports of each client, from 32,768 on: a power of two, up to 32,768. */
  readonly ports: number;
}

const [SENT, DUE, INTERVAL, LIMIT] = [0, 8, 16, 24];
const UNLIMITED = 2 ** 52;
const TIME_SHIFT = 8;
/** A late flood catches up by at most this many ns. */
const CATCH_UP = 1_000_000;
const PROBE = 64;
const FIRST_PORT = 0x8000;
/**
 * Multipliers for flow numbers. They are odd, so that n frames of n flows are one of each; their
 * order is one that a prefetcher does not guess. Each run has another one than the run before it: a
 * forwarder may have put its entries in the order of that one.
 */
const SPREADS = [0x9e3779b1 | 0, 0x85ebca6b | 0];
const IN_ORDER = 1;
const MOST_TRIES = 2 ** 32 - 1;
/** The signal repeats at this interval, because the first one may come before the call. */
const AGAIN_MS = 5;
const SHORTEST_MS = 20;

export class Source {
  private readonly state = new BpfCounters(1, 4);
  private readonly fds: number[] = [];
  private readonly ifindex: number;
  private readonly opener: Program;
  private readonly senders: readonly Program[];
  private runs = 0;

  /** Loads the programs. Throws a SystemError. */
  constructor(private readonly options: SourceOptions) {
    this.ifindex = ifNameToIndex(options.device);
    this.opener = this.load(true, IN_ORDER);
    this.senders = SPREADS.map((spread) => this.load(false, spread));
  }

  private load(opening: boolean, spread: number): Program {
    const { kind, target } = this.options;
    const frame = at.template(kind, target, opening);
    const fd = loadXdp(program(frame, this.state.fd, spread, this.options));
    this.fds.push(fd);
    return { fd, frame };
  }

  get flows(): number {
    return this.options.clients * this.options.ports;
  }

  /**
   * Sends one opening frame of each flow, at `rate` frames a second. SIGALRM must have a handler.
   */
  open(rate: number): void {
    this.begin(rate, this.flows);
    while (this.sent < this.flows) {
      const ms = ((this.flows - this.sent) * 1000) / rate;
      this.callFor(this.opener, Math.max(SHORTEST_MS, ms));
    }
  }

  /**
   * Sends frames of all flows in a scattered order for `ms`, at `rate` frames a second (0: as fast
   * as possible). Returns the number of frames and the time it took in ms. SIGALRM must have a
   * handler.
   */
  run(rate: number, ms: number): { sent: number; ms: number } {
    this.begin(rate);
    const begun = performance.now();
    this.callFor(this.sender, ms);
    this.runs++;
    return { sent: this.sent, ms: Math.min(ms, performance.now() - begun) };
  }

  /** Sends this many frames as fast as possible. */
  burst(frames: number): void {
    this.begin(0, frames);
    this.call(this.sender, frames);
  }

  private get sender(): Program {
    return this.senders[this.runs % SPREADS.length]!;
  }

  private begin(rate: number, limit = UNLIMITED): void {
    const { values } = this.state;
    values[SENT >> 3] = 0n;
    values[DUE >> 3] = 0n;
    values[INTERVAL >> 3] = rate === 0 ? 0n : BigInt(Math.round((1e9 * 2 ** TIME_SHIFT) / rate));
    values[LIMIT >> 3] = BigInt(limit);
  }

  private get sent(): number {
    return Number(this.state.values[SENT >> 3]);
  }

  private callFor(program: Program, ms: number): void {
    alarmIn(ms, AGAIN_MS);
    try {
      this.call(program, MOST_TRIES);
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== 'EINTR') throw error;
    } finally {
      alarmIn(0, 0);
    }
  }

  private call({ fd, frame }: Program, tries: number): void {
    runXdpLive(fd, frame, this.ifindex, tries);
  }

  close(): void {
    for (const fd of this.fds.splice(0)) close(fd);
    this.state.close();
  }
}

interface Program {
  readonly fd: number;
  readonly frame: Uint8Array;
}

/**
 * The program. r6: the frame, then the time; r7: the flow; r8: the shared state; r9: the context.
 */
function program(frame: Uint8Array, mapFd: number, spread: number, options: SourceOptions): Uint8Array {
  const asm = new Assembler().mov('r9', 'r1');
  asm.store(32, 'r10', -4, 0).mov('r2', 'r10').add('r2', -4).map('r1', mapFd).call(Call.mapLookup);
  asm.jumpIf('r0', '==', 0, 'drop').mov('r8', 'r0');
  pace(asm);
  asm
    .load(64, 'r7', 'r8', SENT)
    .load(64, 'r1', 'r8', LIMIT)
    .jumpIf('r7', '>=', 'r1', 'drop')
    .mov('r6', 0)
    .mov('r1', 'r7')
    .and('r1', PROBE - 1)
    .jumpIf('r1', '!=', 0, 'plain');
  asm.call(Call.ktime).mov('r6', 'r0').or('r6', 1).label('plain');
  asm.load(32, 'r2', 'r9', 0).load(32, 'r3', 'r9', 4).mov('r4', 'r2').add('r4', at.LENGTH);
  asm.jumpIf('r4', '>', 'r3', 'drop');
  fill(asm, frame);
  number(asm, spread, options);
  asm.store(32, 'r2', at.STAMP, 'r6').xor('r6', -1).store(32, 'r2', at.STAMP_COMPLEMENT, 'r6');
  asm.load(64, 'r1', 'r8', SENT).add('r1', 1).store(64, 'r8', SENT, 'r1');
  return asm.mov('r0', XDP_TX).exit().label('drop').mov('r0', XDP_DROP).exit().assemble();
}

/** Continues at 'due' when the next frame is due, else drops. */
function pace(asm: Assembler): void {
  asm.load(64, 'r7', 'r8', INTERVAL).jumpIf('r7', '==', 0, 'due').call(Call.ktime).lsh('r0', TIME_SHIFT);
  asm.load(64, 'r1', 'r8', DUE).jumpIf('r0', '<', 'r1', 'drop').mov('r2', 'r0').sub('r2', 'r1');
  asm
    .jumpIf('r2', '<', CATCH_UP << TIME_SHIFT, 'soon')
    .mov('r1', 'r0')
    .label('soon');
  asm.add('r1', 'r7').store(64, 'r8', DUE, 'r1').label('due');
}

/**
 * Writes every byte of the frame each time: recycled frames hold what the receiver left in them.
 */
function fill(asm: Assembler, frame: Uint8Array): void {
  const view = new DataView(frame.buffer);
  let offset = 0;
  for (; offset + 4 <= frame.length; offset += 4) asm.store(32, 'r2', offset, view.getInt32(offset, true));
  for (; offset < frame.length; offset += 2) asm.store(16, 'r2', offset, view.getInt16(offset, true));
}

/** Writes client and port of the flow, and their complements. */
function number(asm: Assembler, spread: number, { kind, clients, ports }: SourceOptions): void {
  const complement = at.complementAt(kind);
  const client = at.clientAt(kind);
  asm
    .mul('r7', spread)
    .mov('r1', 'r7')
    .and('r1', clients - 1);
  asm
    .swap('r1', 16)
    .store(16, 'r2', client.address + 2, 'r1')
    .xor('r1', -1);
  asm.store(16, 'r2', at.ID, 'r1').store(16, 'r2', complement, 'r1');
  asm
    .rsh('r7', Math.log2(clients))
    .and('r7', ports - 1)
    .or('r7', FIRST_PORT);
  asm.swap('r7', 16).store(16, 'r2', client.port, 'r7').xor('r7', -1);
  asm.store(16, 'r2', complement + 2, 'r7');
}
