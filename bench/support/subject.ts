/**
 * The director under test. It is complete, as in `ulvs run`: Loop, Housekeeping, all services in
 * one table. Its devices have no wire: they take received frames from the director's own Umem and
 * free sent frames.
 *
 *     Source.rx ─► Loop.turn ─► Source.tx ─► Umem.free
 */

import { ConnectionTable } from '../../src/conntrack/table.js';
import { parseConfig } from '../../src/control/config/config.js';
import { collectAlone, inlineWalks } from '../../src/control/engine/v8-flags.js';
import { InProcessDirector } from '../../src/control/inprocess.js';
import { parseFilter } from '../../src/control/server/trace-filter.js';
import { openWorkerFile } from '../../src/control/state/worker-file.js';
import type { Director } from '../../src/dataplane/director.js';
import { Housekeeping } from '../../src/dataplane/housekeeping.js';
import { Loop } from '../../src/dataplane/loop.js';
import { Trace } from '../../src/dataplane/trace/trace.js';
import { WorkerDispatch, type WorkersSetup } from '../../src/dataplane/workers/dispatch.js';
import type { Batch } from '../../src/device/batch.js';
import { type Device, newDeviceStats } from '../../src/device/device.js';
import { useLargePages } from '../../src/device/large-pages.js';
import type { Umem } from '../../src/device/umem.js';
import { mappedUmem } from '../../src/device/umem-memory.js';
import { FrameStat } from '../../src/stats/counters.js';
import { loadRules } from '../../src/ulvsadm/rules.js';
import type { Template } from './traffic.js';

export type Path = 'natin' | 'natout' | 'dr' | 'tun';

/**
 * The table of a subject: with ULVS_STATE=DIRECTORY in a file there, as with the key `state`.
 */
function tableFor(lines: number): ConnectionTable {
  const directory = process.env.ULVS_STATE;
  if (directory === undefined) return new ConnectionTable(lines);
  const header = { version: 0, layout: '', boot: '', state: 'bench', worker: 0, workers: 1, lines, secret: [1, 2, 3] };
  const { table } = openWorkerFile(`${directory}/bench-${process.pid}-${files++}`, header, () => {});
  return new ConnectionTable(lines, table);
}
let files = 0;

/** Frames that are made at once, outside the measured time. */
export const FRAMES = 960;

/** The VIP of each path. Both directions of NAT belong to one service. */
export const VIPS: Record<Path, readonly [v4: string, v6: string]> = {
  natin: ['10.0.0.100', '2001:db8::100'],
  natout: ['10.0.0.100', '2001:db8::100'],
  dr: ['10.0.0.101', '2001:db8::101'],
  tun: ['10.0.0.102', '2001:db8::102'],
};

/** director.yaml for at most `most` connections, with the additional rules `more`. */
export const configFor = (most: number, more: readonly string[] = []) => `
connections: { max: ${most} }
devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24, "2001:db8::fe/64"] }
  - { name: eth1, mac: 02:00:00:00:0d:01, addresses: [192.168.1.254/24, "2001:db8:1::fe/64"] }
routes:
  - { to: 0.0.0.0/0, via: 10.0.0.1, dev: eth0 }
  - { to: "::/0", via: "2001:db8::1", dev: eth0 }
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:c0:01 }
  - { ip: "2001:db8::1", dev: eth0, mac: 02:00:00:00:c0:01 }
  - { ip: 192.168.1.11, dev: eth1, mac: 02:00:00:00:a0:11 }
  - { ip: 192.168.1.12, dev: eth1, mac: 02:00:00:00:a0:12 }
  - { ip: "2001:db8:1::11", dev: eth1, mac: 02:00:00:00:a0:11 }
  - { ip: "2001:db8:1::12", dev: eth1, mac: 02:00:00:00:a0:12 }
rules: |
${Object.entries({ natin: '-m', dr: '-g', tun: '-i' })
  .flatMap(([path, method]) => VIPS[path as Path].map((vip, i) => rules(vip, i, method)))
  .concat(more.map((line) => `  ${line}`))
  .join('\n')}
`;

/** Round robin begins with the newest destination: flow 0 goes to .11, flow 1 to .12. */
function rules(vip: string, v6: number, method: string): string {
  const service = v6 === 1 ? `[${vip}]:80` : `${vip}:80`;
  const port = method === '-m' ? 8080 : 80;
  const dest = (n: number) => (v6 === 1 ? `[2001:db8:1::${n}]:${port}` : `192.168.1.${n}:${port}`);
  return [`-A -t ${service} -s rr`, ...[12, 11].map((n) => `-a -t ${service} -r ${dest(n)} ${method}`)]
    .map((line) => `  ${line}`)
    .join('\n');
}

/** A device whose wire is the Umem itself. */
class Source implements Device {
  readonly kind = 'memory';
  readonly fd = -1;
  readonly stats = newDeviceStats();
  private readonly offsets = new Int32Array(FRAMES);
  private length = 0;
  private head = FRAMES;

  constructor(
    readonly name: string,
    private readonly umem: Umem,
  ) {}

  /** Makes FRAMES frames that wait to be received. `flow` gives the flow of each. */
  fill(template: Pick<Template, 'length' | 'put'>, flow: () => number): void {
    const { u8, view } = this.umem;
    this.length = template.length;
    for (let i = 0; i < FRAMES; i++) {
      const at = this.umem.alloc();
      if (at < 0) throw new Error(`the director did not free ${FRAMES - i} frames`);
      this.offsets[i] = at;
      template.put(u8, view, at, flow());
    }
    this.head = 0;
  }

  rx(batch: Batch): number {
    const n = Math.min(batch.capacity - batch.n, FRAMES - this.head);
    for (let i = 0; i < n; i++) batch.push(this.offsets[this.head + i]!, this.length);
    this.head += n;
    return n;
  }

  tx(batch: Batch): number {
    const { n } = batch;
    for (let i = 0; i < n; i++) this.umem.free(batch.offsets[i]!);
    batch.n = 0;
    return n;
  }

  close(): void {}
}

export class Subject {
  readonly director: Director;
  readonly sources: readonly [Source, Source];
  private loop: Loop;
  private now = 0;

  private constructor(inner: InProcessDirector) {
    this.director = inner.director;
    this.sources = [new Source('eth0', this.director.umem), new Source('eth1', this.director.umem)];
    this.loop = new Loop(this.director, this.sources, new Housekeeping(this.director));
  }

  /**
   * `most`: capacity of the connection table. `text`: another director.yaml, with devices of the
   * same names.
   */
  static async create(most: number, text = configFor(most)): Promise<Subject> {
    collectAlone();
    inlineWalks();
    const config = parseConfig(text, 'bench');
    // The Umem begins at a page boundary, as in `ulvs run`.
    const inner = new InProcessDirector(config, () => {}, 0, mappedUmem(1024).umem, tableFor(config.connections.max));
    const { table, words } = inner.director.connections;
    useLargePages(words.buffer, table.buckets.buffer);
    await loadRules(config, inner);
    return new Subject(inner);
  }

  /** Makes the director one of several workers. */
  join(setup: WorkersSetup): WorkerDispatch {
    const dispatch = new WorkerDispatch(this.director, setup);
    for (const service of this.director.services.all()) {
      dispatch.steering.learnService(service);
      for (const dest of service.destinations) dispatch.steering.learnDestination(dest);
    }
    this.loop = new Loop(this.director, this.sources, new Housekeeping(this.director), this.sources.length, dispatch);
    return dispatch;
  }

  /** Starts a trace with this filter, whose records are thrown away; undefined ends it. */
  trace(filter: string | undefined): void {
    const spec = { filter: parseFilter(filter ?? ''), dropsOnly: false, count: Number.MAX_SAFE_INTEGER };
    this.director.trace = filter === undefined ? undefined : new Trace(this.director, spec, () => {});
  }

  /**
   * Processes all waiting frames; the clock moves `step` ms each turn. Returns the processor time
   * in ms.
   */
  run(step = 0): number {
    const before = process.cpuUsage();
    this.turn(step);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  }

  /** As `run`, without a measurement. */
  turn(step: number): void {
    do this.now += step;
    while (this.loop.turn(this.now) > 0);
  }

  /** Runs one turn of the loop. Returns the number of received frames. */
  once(): number {
    return this.loop.turn(this.now);
  }

  /** Lets all connections expire. */
  clear(): void {
    const { connections } = this.director;
    for (this.now += 1_000_000; ; this.now += 10) {
      this.loop.turn(this.now);
      if (connections.table.live === 0) return;
    }
  }

  /**
   * Throws unless every received frame was forwarded: dropped frames would make a wrong benchmark.
   */
  check(): void {
    const { values } = this.director.counters;
    if (values[FrameStat.in] !== values[FrameStat.forwarded])
      throw new Error(`only ${values[FrameStat.forwarded]} of ${values[FrameStat.in]} frames were forwarded`);
  }
}
