/**
 * A flood through a forwarder, counted at both ends. Every run ends by itself, or at once when it
 * is aborted.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../error.js';
import { program } from '../names.js';
import { FLOOD_CPU, floodPrefix } from './cpu-placement.js';
import { BUCKETS, type Histogram, histogramOf, type Percentiles, percentiles } from './delays.js';
import type { Endpoints, NetDevice } from './endpoints.js';
import type { Kind } from './frame.js';
import type { Done, Task } from './generator.js';
import { type PauseRun, Pauses, pauseRun } from './pauses.js';
import { cpuUsage, idleShare } from './processor.js';
import { Sink } from './sink.js';

export interface FloodOptions {
  readonly kind: Kind;
  readonly clients: number;
  readonly ports: number;
  /** The process whose CPU time is reported; 0: none. */
  readonly pid: number;
  /** The sinks count by XDP, so that no skb is made for a frame that was redirected. */
  readonly xdpSink?: boolean;
  /** Pauses of the machine are measured, too. */
  readonly pauses?: boolean;
}

/** The result of one run. Counts are frames, shares are parts of 1, delays are µs. */
export interface FloodRun {
  /** The requested rate in frames a second; 0: as fast as possible. */
  readonly rate: number;
  readonly ms: number;
  readonly sent: number;
  readonly arrived: number;
  /** The idle share of the CPUs other than the generator's. */
  readonly idle: number;
  /** CPU seconds per second of the forwarding process; NaN if there is none. */
  readonly cpu: number;
  /**
   * CPU time of the machine, in ms: generator, forwarder, sink and interrupts, without processes of
   * positive niceness.
   */
  readonly busy: number;
  readonly delays: Percentiles;
  /** Frames by delay: the middle of the bucket in ns (delays.ts), and how many; no empty bucket. */
  readonly histogram: Histogram;
  /** With FloodOptions.pauses: those, and the delays of frames that none of them has delayed. */
  readonly pauses?: PauseRun;
  readonly undisturbed?: Undisturbed;
}

/**
 * The delays of frames that no pause of the machine has delayed. `part`: of all frames that have a
 * time stamp.
 */
export interface Undisturbed extends Percentiles {
  readonly part: number;
}

export const inRate = ({ sent, ms }: FloodRun) => (sent * 1000) / ms;
export const outRate = ({ arrived, ms }: FloodRun) => (arrived * 1000) / ms;
/** CPU time of the machine for each frame that arrived, in ns. */
export const cpuPerFrame = ({ busy, arrived }: FloodRun) => (busy * 1e6) / Math.max(1, arrived);
export const loss = ({ sent, arrived }: FloodRun) => (sent === 0 ? 0 : 1 - arrived / sent);

const QUIET_MS = 60;
const SETTLE_MS = 3000;
const OPEN_RATE = 60_000;
const OPEN_TRIES = 3;
/** The share of flows that must have been opened. */
const OPENED = 0.9;

export class Flood {
  private readonly sinks: Sink[] = [];
  private readonly pauses: Pauses | undefined;
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly lines: AsyncIterator<string>;
  private stderr = '';

  private constructor(
    { client, target, sinks }: Endpoints,
    private readonly options: FloodOptions,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.pauses = options.pauses ? new Pauses() : undefined;
    for (const place of sinks) this.sinks.push(this.sinkAt(place));
    const { kind, clients, ports } = options;
    const source = JSON.stringify({ device: client.device, kind, target, clients, ports });
    const words = [
      'ip',
      'netns',
      'exec',
      client.namespace,
      process.execPath,
      program('lab/flood/generator.js'),
      source,
    ];
    const [file, ...rest] = [...floodPrefix(), ...words] as [string, ...string[]];
    this.child = spawn(file, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.on('error', (error) => (this.stderr = error.message)).stdin.on('error', () => {});
    this.child.stderr.on('data', (chunk) => (this.stderr += chunk));
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    signal?.addEventListener('abort', this.kill);
  }

  /**
   * Starts the generator and the counters. Throws a LabError, also if a realserver's device already
   * has an XDP program.
   */
  static async start(site: Endpoints, options: FloodOptions, signal?: AbortSignal): Promise<Flood> {
    const flood = new Flood(site, options, signal);
    try {
      await flood.answer();
      return flood;
    } catch (error) {
      await flood.stop();
      throw error;
    }
  }

  private sinkAt({ namespace, device }: NetDevice): Sink {
    try {
      return new Sink(namespace, device, this.options.xdpSink, this.pauses);
    } catch (error) {
      for (const sink of this.sinks) sink.close();
      throw new LabError(`the flood cannot be counted on ${device} in ${namespace}: ${(error as Error).message}`);
    }
  }

  private readonly kill = () => void this.child.kill('SIGKILL');

  private async answer(): Promise<string> {
    const { value, done } = await this.lines.next();
    this.signal?.throwIfAborted();
    if (!done) return value as string;
    throw new LabError(`the flood's generator ended: ${this.stderr.trim().split('\n')[0] || 'no message'}`);
  }

  private async ask(task: Task): Promise<Done> {
    this.child.stdin.write(`${JSON.stringify(task)}\n`);
    return JSON.parse(await this.answer()) as Done;
  }

  /**
   * Opens every flow, so that a later flood belongs to known connections. Repeats at a lower rate
   * while some are lost. Throws a LabError if most are lost.
   */
  async open(): Promise<void> {
    let [sent, arrived] = [0, 0];
    for (let tries = 0; tries < OPEN_TRIES && (tries === 0 || arrived < sent); tries++) {
      const before = this.frames;
      ({ sent } = await this.ask({ open: true, rate: OPEN_RATE / 2 ** tries, ms: 0 }));
      await this.settled();
      arrived = this.frames - before;
    }
    if (arrived < OPENED * sent)
      throw new LabError(
        `only ${arrived} of ${sent} first packets reached a realserver: check the service and the route to it`,
      );
  }

  /**
   * Sends `rate` frames a second (0: as fast as possible) for `ms` and counts them. `load`: the
   * part of the forwarder's highest rate that this is (Pauses.load).
   */
  async run(rate: number, ms: number, load = 0.5): Promise<FloodRun> {
    const { pid } = this.options;
    if (this.pauses !== undefined) this.pauses.load = load;
    const [frames, delays, used, begun] = [this.frames, this.delays, cpuUsage(pid), performance.now()];
    const { pauses } = this;
    const before = pauses && { lengths: pauses.counts, undisturbed: this.undisturbed };
    const done = await this.ask({ rate, ms });
    const after = cpuUsage(pid);
    const took = performance.now() - begun;
    const paused = pauses && pauseRun(since(pauses.counts, before!.lengths), took);
    await this.settled();
    const counts = since(this.delays, delays);
    return {
      rate,
      ...done,
      arrived: this.frames - frames,
      idle: idleShare(used, after, FLOOD_CPU + 1),
      cpu: (after.process - used.process) / took,
      busy: after.work - used.work,
      delays: percentiles(counts),
      histogram: histogramOf(counts),
      ...(paused && {
        pauses: paused,
        undisturbed: undisturbedOf(since(this.undisturbed, before!.undisturbed), counts),
      }),
    };
  }

  get frames(): number {
    return this.sinks.reduce((sum, { frames }) => sum + frames, 0);
  }

  private get delays(): Float64Array {
    const counts = new Float64Array(BUCKETS);
    for (const sink of this.sinks) sink.addDelays(counts);
    return counts;
  }

  private get undisturbed(): Float64Array {
    const counts = new Float64Array(BUCKETS);
    for (const sink of this.sinks) sink.addUndisturbed(counts);
    return counts;
  }

  /** Resolves when no more frames arrive. */
  private async settled(): Promise<void> {
    const end = performance.now() + SETTLE_MS;
    for (let seen = -1; seen !== this.frames && performance.now() < end; ) {
      seen = this.frames;
      await sleep(QUIET_MS);
    }
  }

  async stop(): Promise<void> {
    this.signal?.removeEventListener('abort', this.kill);
    const gone = this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined;
    const ended = gone || new Promise((resolve) => this.child.once('exit', resolve));
    this.kill();
    await ended;
    for (const sink of this.sinks.splice(0)) sink.close();
    this.pauses?.close();
  }
}

function since(counts: Float64Array, before: Float64Array): Float64Array {
  return counts.map((count, i) => count - before[i]!);
}

function undisturbedOf(counts: Float64Array, all: Float64Array): Undisturbed {
  return { ...percentiles(counts), part: sum(counts) / Math.max(1, sum(all)) };
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
