/**
 * Several directors in one thread, which are the workers of one director. Tests compare them with a
 * single director.
 */
import { expect } from 'vitest';
import type { ConnectionTable } from '../../../src/conntrack/table.js';
import { parseConfig } from '../../../src/control/config/config.js';
import { SteeringKey } from '../../../src/control/engine/steering-key.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import type { Director } from '../../../src/dataplane/director.js';
import { Housekeeping } from '../../../src/dataplane/housekeeping.js';
import { processBatch } from '../../../src/dataplane/ingress.js';
import { WorkerDispatch } from '../../../src/dataplane/workers/dispatch.js';
import { HandoffRing } from '../../../src/dataplane/workers/handoff.js';
import type { Steering } from '../../../src/dataplane/workers/steering.js';
import { Batch } from '../../../src/device/batch.js';
import { Bell } from '../../../src/device/poll.js';
import { Umem } from '../../../src/device/umem.js';
import type { ServiceConfig } from '../../../src/service/config.js';
import { loadRules } from '../../../src/ulvsadm/rules.js';

export const DEVICES = ['02:00:00:00:0d:00', '02:00:00:00:0d:01'] as const;

/** Keys the steering. */
export const POOL_SECRET = [1, 2, 3];

const bells: Bell[] = [];
/** Closes the bells of the workers. Call it after each test. */
export function silence(): void {
  for (const bell of bells.splice(0)) bell.close();
}

/** One director, alone or as one of several workers. */
class Worker {
  readonly batch = new Batch();
  readonly housekeeping: Housekeeping;

  constructor(
    readonly inner: InProcessDirector,
    readonly dispatch?: WorkerDispatch,
  ) {
    this.housekeeping = new Housekeeping(inner.director);
    if (dispatch !== undefined) learnAll(dispatch.steering, inner.director);
  }

  get director() {
    return this.inner.director;
  }

  give(device: number, bytes: Uint8Array): void {
    this.batch.push(this.director.umem.put(bytes), bytes.length);
    this.dispatch?.sort(device, this.batch);
    processBatch(this.director, device, this.batch);
  }

  /** Number of frames that other workers handed off to this one. */
  receive(): number {
    return this.dispatch?.receive(this.batch, (device, batch) => processBatch(this.director, device, batch)) ?? 0;
  }

  sent(): string[] {
    const { links, umem } = this.director;
    return links.flatMap(({ index, output }) => {
      const frames = Array.from({ length: output.n }, (_, i) => {
        const at = output.offsets[i]!;
        umem.free(at);
        // Packets that a director makes itself and tunnel packets have their own identifications.
        if (umem.u8[at + 23] === 1 || umem.u8[at + 23] === 4)
          for (const byte of [18, 19, 24, 25]) umem.u8[at + byte] = 0;
        return `${index} ${Buffer.from(umem.u8.slice(at, at + output.lengths[i]!)).toString('hex')}`;
      });
      output.n = 0;
      return frames;
    });
  }
}

async function director(text: string, table?: ConnectionTable): Promise<InProcessDirector> {
  const inner = new InProcessDirector(parseConfig(text, 'test.yaml'), () => {}, 0, new Umem(1024), table);
  await loadRules(inner.config, inner);
  return inner;
}

/** Replaces the SteeringKey of the control thread: the stages, by the rules. */
export function configs(inner: InProcessDirector): ServiceConfig[] {
  return inner.director.services.all().map((service) => ({
    key:
      service.fwmark !== 0
        ? { fwmark: service.fwmark, family: service.family as 4 | 6 }
        : { protocol: service.protocol, address: service.family === 6 ? '::' : '10.0.0.100', port: service.port },
    scheduler: service.scheduler,
    flags: service.flags,
    timeout: service.timeout,
    netmask: service.netmask,
    pe: '',
  }));
}

export class WorkerPool {
  readonly workers: Worker[] = [];
  readonly steeringKey = new SteeringKey();

  /** `tables`: memory of the connection tables, where it is not made here. */
  static async of(count: number, text: string, tables: readonly ConnectionTable[] = []): Promise<WorkerPool> {
    const pool = new WorkerPool();
    const rings = Array.from({ length: count * count }, () => HandoffRing.memory(2048));
    const asleep = new SharedArrayBuffer(4 * count);
    for (let i = 0; i < count; i++) bells.push(new Bell());
    const bellFds = bells.slice(-count).map(({ fd }) => fd);
    for (let index = 0; index < count; index++) {
      const inner = await director(text, tables[index]);
      const setup = {
        index,
        count,
        secret: POOL_SECRET,
        rings,
        asleep,
        quiet: new SharedArrayBuffer(asleep.byteLength),
        bellFds,
      };
      pool.workers.push(new Worker(inner, new WorkerDispatch(inner.director, setup)));
    }
    pool.settle();
    return pool;
  }

  /** Learns the stages again, as the daemon does when rules change. */
  settle(): void {
    const live = this.workers.some(({ director: d }) => d.connections.table.live > 0);
    const stages = this.steeringKey.update(configs(this.workers[0]!.inner), [21], live);
    for (const { dispatch, director } of this.workers) {
      learnAll(dispatch!.steering, director);
      if (stages !== undefined) dispatch!.steering.stages = stages;
    }
  }

  async change(rules: readonly string[]): Promise<void> {
    const ruleLines = rules.map((text) => ({ file: 'test', line: 1, text }));
    for (const { inner } of this.workers) await loadRules({ ...inner.config, ruleLines }, inner);
    this.settle();
  }

  give(at: number, device: number, bytes: Uint8Array): string[] {
    this.workers[at]!.give(device, bytes);
    for (let more = 1, turns = 0; more > 0; turns++) {
      expect(turns, 'frames go round').toBeLessThan(10);
      more = this.workers.reduce((sum, worker) => sum + worker.receive(), 0);
    }
    return this.workers.flatMap((worker) => worker.sent());
  }

  sum(of: (worker: Worker) => number): number {
    return this.workers.reduce((sum, worker) => sum + of(worker), 0);
  }
}

/** Tells the steering of all services and destinations of a director. */
export function learnAll(steering: Steering, d: Director): void {
  for (const service of d.services.all()) {
    steering.learnService(service);
    for (const dest of service.destinations) steering.learnDestination(dest);
  }
}
