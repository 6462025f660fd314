/** Measures one balancer: starts it, runs all jobs against it, stops it. */

import { isRunning, logTail, type Running, stop } from '../../../src/lab/build/process.js';
import { LabError } from '../../../src/lab/error.js';
import { CommandError } from '../../../src/sys/command.js';
import { orQuick } from '../options.js';
import type { Balancer } from './balancer.js';
import { family, kernelThread, processorSeconds } from './cost.js';
import type { Findings } from './findings.js';
import { bulk, requests } from './load.js';
import { receivers } from './placement.js';
import type { Scene } from './scene.js';

/** One kind of load. Without `path` it is bulk data. */
export interface Job {
  readonly name: string;
  readonly path?: string;
  readonly close?: boolean;
}

export interface Part {
  readonly name: string;
  readonly place: Scene['place'];
  readonly offloads: boolean;
  readonly jobs: readonly Job[];
}

export const PER_CPU_SECOND = 'requests/CPU-s';
export const UNITS = [PER_CPU_SECOND, 'requests/s', 'p50 us', 'p99 us', 'Gbit/s'];

/** Duration of each job. */
const SECONDS = orQuick(2, 1);
/** Time to resolve neighbours, to open TCP windows and to compile what every job needs. */
const WARM_UP_SECONDS = 1;
/**
 * The same for one job, where processor time is measured. Each job needs code of its own, and V8
 * compiles in threads whose time counts: 1.2 s in the first 5 s of a director.
 */
const JOB_WARM_UP_SECONDS = 3;

/** Runs the jobs of a part and adds the figures to `findings`. */
export class Trial {
  /** The last failure of each job, by `part, job: balancer`. */
  readonly failures = new Map<string, string>();

  constructor(
    private readonly scene: Scene,
    private readonly part: Part,
    readonly findings: Findings,
    readonly signal: AbortSignal,
  ) {}

  /** Measures `balancer` once. Throws a LabError when it does not serve or ends early. */
  async attempt(balancer: Balancer): Promise<void> {
    let running: Running | undefined;
    try {
      running = await balancer.begin(this.scene);
      await this.load(balancer, running);
    } finally {
      if (running) await stop([running]);
      await balancer.end(this.scene);
    }
  }

  private async load(balancer: Balancer, running: Running | undefined): Promise<void> {
    const { scene, part, signal } = this;
    const payers = part.place === 'apart' ? await this.payers(running) : undefined;
    await requests(scene, { path: '/short', close: false, seconds: WARM_UP_SECONDS });
    for (const job of part.jobs) {
      signal.throwIfAborted();
      await this.twice(job, balancer, payers);
      if (running && !isRunning(running)) throw new LabError(`${balancer.name} ended: ${logTail(running.log)}`);
    }
  }

  /**
   * The pids whose processor time counts for the balancer: its processes, the NAPI threads of its
   * devices, and ksoftirqd of its processor.
   */
  private async payers(running: Running | undefined): Promise<number[]> {
    const own = running ? family(running.pid) : [];
    return [...own, ...(await receivers(this.scene.site)), kernelThread('ksoftirqd/1')];
  }

  /**
   * A measurement may fail because the machine is busy, so it is tried twice. After a second
   * failure the job has no figure in this round.
   */
  private async twice(job: Job, balancer: Balancer, payers: readonly number[] | undefined): Promise<void> {
    for (const next of ['trying once more', 'no figure in this round'])
      try {
        return await this.measure(job, balancer, payers);
      } catch (error) {
        if (!(error instanceof CommandError) || this.signal.aborted) throw error;
        const what = `${this.part.name}, ${job.name}`;
        this.failures.set(`${what}: ${balancer.name}`, error.message);
        process.stderr.write(`${what}, ${balancer.name}: ${error.message}; ${next}\n`);
      }
  }

  private async measure(job: Job, balancer: Balancer, payers: readonly number[] | undefined): Promise<void> {
    const found = (unit: string, value: number) =>
      this.findings.add({ what: `${this.part.name}, ${job.name}`, unit }, balancer.name, value);
    const { path, close = false } = job;
    if (path === undefined) return found('Gbit/s', await bulk(this.scene, balancer.bulkAddress, SECONDS));
    if (payers) await requests(this.scene, { path, close, seconds: JOB_WARM_UP_SECONDS });
    const before = processorSeconds(payers ?? []);
    const served = await requests(this.scene, { path, close, seconds: SECONDS });
    if (payers) return found(PER_CPU_SECOND, served.requests / (processorSeconds(payers) - before));
    found('requests/s', (served.requests * 1e6) / served.us);
    found('p50 us', served.p50);
    found('p99 us', served.p99);
  }
}
