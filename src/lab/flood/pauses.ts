/**
 * Pauses of the machine: how long a CPU did not run although its timer was due. The host of a
 * virtual machine takes its CPUs away, and wakes one that sleeps late; a thread of any priority
 * waits for that. A BPF program runs in the timer's interrupts of each CPU:
 *
 *     timer    |    |    |    |                   |    |        every PERIOD
 *                             |<---- pause ---->|               as seen: up to PERIOD shorter than it was
 *     frames                  |<--------- disturbed --------->| until the forwarder has caught up
 *
 *     shared:  entry 0: | until 64 | drain 64 |      entry 1 + CPU: | last 64 | paused so far 64 |      in ns
 *
 * A pause of one CPU delays the frames that were made meanwhile, and those that were made while the
 * forwarder works off the others: `drain` / 256 of the pause.
 */
import { cpus } from 'node:os';
import { Assembler, Call, type Register } from '../../device/bpf/assembler.js';
import { loadTracepoint } from '../../sys/bpf.js';
import { attachTracepoint } from '../../sys/bpf-link.js';
import { close } from '../../sys/libc.js';
import { interruptEvery } from '../../sys/perf-event.js';
import { BpfCounters } from './bpf-counters.js';
import { bucket, increment } from './bpf-histogram.js';
import { FLOOD_CPU } from './cpu-placement.js';
import { BUCKETS, delayOf } from './delays.js';

/** In ns. */
const PERIOD = 250_000;
/** An interrupt that comes later than this was paused, ns. */
const LATE = 100_000;
const DRAIN_SHIFT = 8;
const [UNTIL, DRAIN] = [0, 8];
const [LAST, PAUSED] = [0, 8];

/** Pauses of the forwarder's CPUs in a run. */
export interface PauseRun {
  readonly count: number;
  /** All together, and the longest, ms. */
  readonly ms: number;
  readonly longest: number;
  /**
   * The delay in µs that one frame in a thousand has at least, where each frame is forwarded at
   * once or when the pause ends: what a forwarder without any delay of its own would have.
   */
  readonly p999: number;
}

export class Pauses {
  private readonly state = new BpfCounters(1 + cpus().length, 2);
  private readonly lengths = new BpfCounters(BUCKETS);
  private readonly fds: number[] = [];

  /** Begins. Throws a SystemError. */
  constructor() {
    const program = loadTracepoint(assembled(this.state.fd, this.lengths.fd));
    this.fds.push(program, attachTracepoint(program, 'hrtimer_expire_entry'));
    for (const cpu of cpus().keys()) this.fds.push(interruptEvery(PERIOD, cpu));
  }

  /** The map that `jumpIfDisturbed` and `loadPaused` read. */
  get fd(): number {
    return this.state.fd;
  }

  /** The forwarder is busy for this part of the time, below 1. */
  set load(part: number) {
    this.state.values[DRAIN >> 3] = BigInt(Math.round((part / (1 - part)) * 2 ** DRAIN_SHIFT));
  }

  /** How many pauses of the forwarder's CPUs were in each bucket (delays.ts) so far. */
  get counts(): Float64Array {
    return Float64Array.from(this.lengths.values, Number);
  }

  close(): void {
    for (const fd of this.fds.splice(0).reverse()) close(fd);
    this.state.close();
    this.lengths.close();
  }
}

/** `counts`: pauses of all `forwarders`, CPUs, in each bucket, in a run of `ms`. */
export function pauseRun(counts: Float64Array, ms: number, forwarders = Math.max(1, cpus().length - 1)): PauseRun {
  const all = [...counts].flatMap((count, i) => (count > 0 ? [{ count, ms: delayOf(i) / 1e6 }] : []));
  const sum = (of: (pause: { count: number; ms: number }) => number) => all.reduce((total, one) => total + of(one), 0);
  /** The part of the frames that wait longer than `than`, ms. */
  const longer = (than: number) => sum(({ count, ms: each }) => count * Math.max(0, each - than)) / (ms * forwarders);
  const longest = Math.max(0, ...all.map((one) => one.ms));
  const p999 = 1000 * waitOf(0.001, longest, longer);
  return { count: sum(({ count }) => count), ms: sum((one) => one.count * one.ms), longest, p999 };
}

/**
 * The time in ms that this part of the frames waits at least. `longer`: the part of them that waits
 * longer than a time; `longest`: how long one waits at most.
 */
export function waitOf(part: number, longest: number, longer: (than: number) => number): number {
  let [low, high] = [0, longer(0) < part ? 0 : longest];
  while (high - low > 0.001) {
    const middle = (low + high) / 2;
    if (longer(middle) > part) low = middle;
    else high = middle;
  }
  return high;
}

/** Goes to `label` where a frame that was made at the time in `made` was delayed by a pause. */
export function jumpIfDisturbed(asm: Assembler, stateFd: number, made: Register, label: string): void {
  asm.mov('r2', 0);
  entry(asm, stateFd, label);
  asm.load(64, 'r1', 'r0', UNTIL).jumpIf(made, '<', 'r1', label);
}

/** r1 = how long a CPU has paused so far, in ns. Goes to `label` where it is not known. */
export function loadPaused(asm: Assembler, stateFd: number, cpu: number, label: string): void {
  asm.mov('r2', 1 + cpu);
  entry(asm, stateFd, label);
  asm.load(64, 'r1', 'r0', PAUSED);
}

/** r0 = entry r2 of the shared state. */
function entry(asm: Assembler, stateFd: number, without: string): void {
  asm.store(32, 'r10', -4, 'r2').mov('r2', 'r10').add('r2', -4).map('r1', stateFd).call(Call.mapLookup);
  asm.jumpIf('r0', '==', 0, without);
}

/** r6: the time; r7: the length of the pause; r8: the CPU. */
function assembled(stateFd: number, lengthsFd: number): Uint8Array {
  const asm = new Assembler()
    .call(Call.ktime)
    .mov('r6', 'r0')
    .call(Call.cpu)
    .mov('r8', 'r0')
    .mov('r2', 'r0')
    .add('r2', 1);
  entry(asm, stateFd, 'end');
  asm.mov('r7', 'r6').load(64, 'r1', 'r0', LAST).store(64, 'r0', LAST, 'r6').jumpIf('r1', '==', 0, 'end');
  asm
    .sub('r7', 'r1')
    .jumpIf('r7', '<', PERIOD + LATE, 'end')
    .sub('r7', PERIOD)
    .load(64, 'r1', 'r0', PAUSED)
    .add('r1', 'r7')
    .store(64, 'r0', PAUSED, 'r1')
    .mov('r2', 0);
  entry(asm, stateFd, 'end');
  asm.load(64, 'r1', 'r0', DRAIN).mul('r1', 'r7').rsh('r1', DRAIN_SHIFT).add('r1', 'r6');
  asm.load(64, 'r2', 'r0', UNTIL).jumpIf('r1', '<', 'r2', 'known').store(64, 'r0', UNTIL, 'r1').label('known');
  if (cpus().length > 1) asm.jumpIf('r8', '==', FLOOD_CPU, 'end');
  asm.mov('r2', 'r7').lsh('r2', 32).rsh('r2', 32);
  bucket(asm);
  increment(asm, lengthsFd, 'end');
  return asm.label('end').mov('r0', 0).exit().assemble();
}
