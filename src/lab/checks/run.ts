/** A test run on one lab: what the checks share. */

import type { Lab } from '../build/lab.js';
import { load, type Progress } from '../load/client.js';
import { type Answer, portsOf, type Result, type Target, type Work } from '../load/job.js';
import type { Topology } from '../topology.js';
import { type ConnectionRow, readConnections, ulvsadm } from '../watch/listing.js';

/** One line of a report. */
export interface Outcome {
  readonly name: string;
  readonly ok: boolean;
  /** The measured value: `300 of 300`, `100/100/100`. */
  readonly figure: string;
}

/** The traffic of a run: HTTP requests, bytes of the download, simultaneous clients, UDP flows. */
export interface Sizes {
  readonly requests: number;
  readonly bytes: number;
  readonly clients: number;
  readonly flows: number;
}

/**
 * How often the connection table is read. The director keeps a connection that was reset for 10 s.
 */
const LOOK_MS = 4000;

export class Run {
  /** All answers so far, by protocol. The director's table is compared with them. */
  readonly tcp: Answer[] = [];
  readonly udp: Answer[] = [];
  /**
   * Every connection seen in the table during or after a load. On a slow machine reset connections
   * expire before the load ends.
   */
  readonly connections = new Map<string, ConnectionRow>();
  /** Below the kernel's ephemeral ports (32768 and up). No port is used twice. */
  private nextPort = 10_000;

  constructor(
    readonly lab: Lab,
    readonly sizes: Sizes,
    private readonly progress: Progress,
    private readonly signal?: AbortSignal,
  ) {}

  /** Runs a load on the client, and records its answers and the director's connections. */
  async load(work: Work): Promise<Result> {
    const looking = setInterval(() => this.look().catch(() => {}), LOOK_MS);
    const result = await this.loadFrom('client', work).finally(() => clearInterval(looking));
    (work.kind === 'echo' ? this.udp : this.tcp).push(...result.answers);
    await this.look();
    return result;
  }

  private async look(): Promise<void> {
    for (const row of readConnections(await ulvsadm(this.lab.id, '-Lnc')))
      this.connections.set(`${row.protocol} ${row.source} ${row.virtual}`, row);
  }

  /**
   * Runs a load on another host than the client. These answers are not compared with the director's
   * table. `follow` gets the progress.
   */
  loadFrom(host: string, work: Work, follow: Progress = this.progress): Promise<Result> {
    const firstPort = this.takePorts(portsOf(work));
    return load(this.lab.id, host, { ...work, firstPort }, follow, this.signal);
  }

  /** Reserves local ports of the client; returns the first one. */
  takePorts(count: number): number {
    const first = this.nextPort;
    this.nextPort += count;
    return first;
  }
}

/** A check may yield several outcomes. Checks run in order; that of the table comes last. */
export type Check = (run: Run) => Promise<Outcome[]>;

export function httpTargets({ vips, httpPort }: Topology): Target[] {
  return vips.map((address) => ({ address, port: httpPort }));
}

export function echoTargets({ vips, echoPort }: Topology): Target[] {
  return vips.map((address) => ({ address, port: echoPort }));
}

/** Whether all were answered, and the figure: `3 of 4 in 0.12 s` and the first error. */
export function answered(result: Result, wanted: number): { ok: boolean; figure: string } {
  const complaint = result.errors.length > 0 ? `, ${result.errors.length} failed: ${result.errors[0]}` : '';
  const ok = result.answers.length === wanted && result.errors.length === 0;
  return { ok, figure: `${result.answers.length} of ${wanted} in ${(result.ms / 1000).toFixed(2)} s${complaint}` };
}
