/**
 * Warms up the packet path in a worker that stands by: V8 compiles what has run for a while, and
 * code that is not compiled forwards a tenth of the packets. It is the director itself that runs,
 * with packets of its own, because the code is compiled for its arrays (ADR 0004). The other
 * process still forwards meanwhile, so that nothing of it may change:
 *
 *     connection table, counters, first frames   files of both processes: memory of zeros until the end
 *     services, routes, neighbours               added for the packets, removed at the end
 *     devices                                    none: what leaves is freed
 */
import { CONN_HASHED, ENTRY_SHIFT, FLAGS } from '../../../conntrack/entry.js';
import type { Director } from '../../../dataplane/director.js';
import { processBatch } from '../../../dataplane/ingress.js';
import { type CompiledRoutes, compileRoutes } from '../../../dataplane/table/compiled-routes.js';
import { Batch } from '../../../device/batch.js';
import { MAX_DESTINATIONS, MAX_SERVICES } from '../../../stats/counters.js';
import { type FilePages, onScratch } from '../../../sys/memory.js';
import { parse4 } from '../../../wire/address.js';
import { TCP, UDP } from '../../../wire/ipv4.js';
import { apply } from '../apply.js';
import { nextHops, WARM_NETWORK, WARM_SERVICES, WARM_SOURCE, warmFrames } from './warm-up-frames.js';
import { warmUpRebuild } from './warm-up-rebuild.js';

/** Longest time, ms. */
const MOST_MS = 600;
/** As often all packets pass; within MOST_MS. */
const ROUNDS = 24;
/** Frames that it uses, the first ones of the Umem. */
const FRAMES = 128;
const BATCH = 64;
const MAIN_TABLE = 254;
/** No connection has more ancestors. */
const DEEPEST = 2;
const SOME_MAC = [0x0200, 2] as const;

/** Bytes of the Umem that `warmUpPath` writes. */
export function warmBytes(frameSize: number): number {
  return FRAMES * frameSize;
}

/**
 * Passes packets through `d`. `pages`: the files of table, counters and frames; `routes`: those in
 * force. `umem.restock` must follow before a frame is used. Throws a SystemError.
 */
export function warmUpPath(d: Director, pages: readonly FilePages[], routes: CompiledRoutes | undefined): void {
  if (!mayWarmUp(d)) return;
  const [services, destinations, neighbours] = [d.services.bySlot.length, d.dests.length, d.neighbours.all.length];
  d.router.replace(warmRoutes());
  onScratch(pages, () => {
    d.umem.useFirst(FRAMES);
    addServices(d);
    addNeighbours(d);
    const own = d.dests.slice(destinations).filter((dest) => dest !== undefined);
    warmUpRebuild(d, own, () => endAll(d));
    const frames = warmFrames(d.links[0]!.mac);
    const end = performance.now() + MOST_MS;
    for (let round = 0; round < ROUNDS && performance.now() < end; round++) passAll(d, frames);
    removeServices(d, services, destinations);
    d.connections.table.forgetIndex(0);
  });
  d.neighbours.forgetAfter(neighbours);
  d.router.replace(routes ?? compileRoutes({ tables: [], rules: [] }));
}

/** There is room, and nobody has one of the addresses. */
function mayWarmUp(d: Director): boolean {
  const { services, dests, links, umem } = d;
  const hasRoom =
    services.bySlot.length + 2 * WARM_SERVICES.length <= MAX_SERVICES &&
    dests.length + 2 * WARM_SERVICES.length <= MAX_DESTINATIONS &&
    umem.frameCount >= FRAMES;
  return hasRoom && links.length > 0 && WARM_SERVICES.every(({ vip }) => !d.isLocal4(parse4(vip)!));
}

function warmRoutes(): CompiledRoutes {
  const route = { family: 4, to: WARM_NETWORK, device: 0, src: WARM_SOURCE, type: 'unicast', metric: 0 } as const;
  const rules = [{ family: 4, priority: 0, table: MAIN_TABLE }] as const;
  return compileRoutes({ tables: [{ id: MAIN_TABLE, routes: [route] }], rules });
}

function addServices(d: Director): void {
  const scheduler = d.services.all().find((one) => one.scheduler !== 'none')?.scheduler ?? 'wlc';
  for (const { method, vip, realserver } of WARM_SERVICES)
    for (const protocol of [TCP, UDP] as const) {
      const serviceSlot = d.services.bySlot.length;
      const key = { protocol, address: vip, port: 80 };
      const service = { key, scheduler, flags: 0, timeout: 0, netmask: -1, pe: '' };
      const limits = { weight: 1, upperThreshold: 0, lowerThreshold: 0 };
      const tunnel = { type: 'ipip', port: 0, checksum: '' } as const;
      const destination = { address: realserver, port: 80, method, ...limits, tunnel };
      apply(d, [
        { kind: 'addService', slot: serviceSlot, service },
        { kind: 'addDestination', slot: d.dests.length, serviceSlot, destination, revived: false },
      ]);
    }
}

function addNeighbours(d: Director): void {
  for (const address of nextHops()) {
    const id = d.neighbours.idOf(0, 4, 0, 0, 0, address);
    d.neighbours.resolve(d.neighbours.all[id]!, SOME_MAC[0], SOME_MAC[1], d.now, true);
  }
}

/** The connections of a round end with it, so that the next one opens them anew. */
function passAll(d: Director, frames: readonly Uint8Array[]): void {
  const batch = new Batch(BATCH);
  for (const bytes of frames) {
    batch.push(d.umem.put(bytes), bytes.length);
    if (batch.n === BATCH) pass(d, batch);
  }
  pass(d, batch);
  endAll(d);
}

function pass(d: Director, batch: Batch): void {
  processBatch(d, 0, batch);
  for (const { output } of d.links) {
    for (let i = 0; i < output.n; i++) d.umem.free(output.offsets[i]!);
    output.n = 0;
  }
}

/** A mark may have given packets to a persistent service: templates end after their children. */
function endAll({ connections }: Director): void {
  const { table, words } = connections;
  for (let depth = 0; depth <= DEEPEST; depth++)
    for (let entry = 1; entry <= table.highWater; entry++)
      if ((words[(entry << ENTRY_SHIFT) + FLAGS]! & CONN_HASHED) !== 0) connections.expireNow(entry);
  if (table.live !== 0) throw new Error(`the warm-up has left ${table.live} connections`);
}

function removeServices(d: Director, services: number, destinations: number): void {
  for (const dest of d.dests.slice(destinations)) if (dest !== undefined) d.unindex(dest);
  for (const service of d.services.bySlot.slice(services)) if (service !== undefined) d.services.delete(service);
  d.services.bySlot.length = services;
  d.dests.length = destinations;
}
