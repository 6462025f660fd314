/** A warm-up of the packet path leaves the files of the running director and the director itself as they were. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Rebuild } from '../../../../src/conntrack/rebuild/rebuild.js';
import { ConnectionTable } from '../../../../src/conntrack/table.js';
import { parseConfig } from '../../../../src/control/config/config.js';
import { apply } from '../../../../src/control/engine/apply.js';
import { warmBytes, warmUpPath } from '../../../../src/control/engine/standby/warm-up-path.js';
import { addLinks, addNeighbours, staticRoutes } from '../../../../src/control/engine/static-network.js';
import { bootId } from '../../../../src/control/state/header.js';
import { layoutHash, VERSION } from '../../../../src/control/state/layout.js';
import { createWorkerFile, mapWorkerFile, type WorkerFile } from '../../../../src/control/state/worker-file.js';
import { Director } from '../../../../src/dataplane/director.js';
import { processBatch } from '../../../../src/dataplane/ingress.js';
import { compileRoutes } from '../../../../src/dataplane/table/compiled-routes.js';
import { Batch } from '../../../../src/device/batch.js';
import { makeUmem, removeUmem, type UmemMemory, umemIn } from '../../../../src/device/umem-memory.js';
import { Counters, FrameStat } from '../../../../src/stats/counters.js';
import { addressAt } from '../../../../src/sys/memory.js';
import { parse4 } from '../../../../src/wire/address.js';
import { packet } from '../../../support/packet.js';

const LINES = 4096;
const CLIENT = '02:00:00:00:c0:01';
const MAC = '02:00:00:00:0d:00';
const config = parseConfig(
  `
devices: [ { name: eth0, mac: ${MAC}, addresses: [10.0.0.254/24] } ]
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: ${CLIENT} }
  - { ip: 10.0.0.11, dev: eth0, mac: 02:00:00:00:a0:11 }
`,
  'warm.yaml',
);
const routes = compileRoutes(staticRoutes(config));
const folder = mkdtempSync(path.join(tmpdir(), 'ulvs-warm-'));
const file = path.join(folder, 'worker-0');
const open: (() => void)[] = [];
let umem: UmemMemory;

beforeAll(() => {
  const shape = { worker: 0, workers: 1, lines: LINES, secret: [1, 2, 3] };
  createWorkerFile(file, { version: VERSION, layout: layoutHash(), boot: bootId(), state: 'x', ...shape });
  umem = makeUmem(512, 2048);
});
afterAll(() => {
  for (const close of open) close();
  removeUmem(umem);
  rmSync(folder, { recursive: true });
});

function mapped(): WorkerFile {
  const worker = mapWorkerFile(file, {
    version: VERSION,
    layout: '',
    boot: '',
    state: 'x',
    worker: 0,
    workers: 1,
    lines: LINES,
    secret: [1, 2, 3],
  });
  open.push(worker.unmap);
  return worker;
}

function directorOn({ table, counters }: WorkerFile): Director {
  const d = new Director(
    umemIn(umem),
    new Counters(counters),
    new ConnectionTable(LINES, table, Int32Array.of(1, 2, 3)),
    1000,
  );
  const mac = config.devices.map((device) => ({
    ...device,
    mac: MAC,
    shared: false,
    exclusive: false,
    resolves: true,
  }));
  addLinks(d, mac);
  addNeighbours(d, config);
  d.router.replace(routes);
  const key = { protocol: 6, address: '10.0.0.100', port: 80 };
  const limits = { weight: 1, upperThreshold: 0, lowerThreshold: 0 };
  const tunnel = { type: 'ipip', port: 0, checksum: '' } as const;
  const destination = { address: '10.0.0.11', port: 80, method: 'masq', ...limits, tunnel } as const;
  apply(d, [
    { kind: 'addService', slot: 0, service: { key, scheduler: 'rr', flags: 0, timeout: 0, netmask: -1, pe: '' } },
    { kind: 'addDestination', slot: 0, serviceSlot: 0, destination, revived: false },
  ]);
  // Takes the packets of the warm-up, too: persistent, so that their connections have templates.
  const marked = {
    key: { fwmark: 7, family: 4 },
    scheduler: 'rr',
    flags: 1,
    timeout: 300,
    netmask: -1,
    pe: '',
  } as const;
  apply(d, [
    { kind: 'addService', slot: 1, service: marked },
    { kind: 'addDestination', slot: 1, serviceSlot: 1, destination: { ...destination, port: 0 }, revived: false },
  ]);
  d.marks = { match: (p) => (p.dst === parse4('192.0.0.1') ? 7 : 0), isIntercepted: () => false };
  return d;
}

/** The bytes of the connection table in the file, as another process has them. */
function tableFile({ backed }: WorkerFile): Buffer {
  const fd = openSync(file, 'r');
  const read = ({ at, bytes }: { at: number; bytes: number }) => {
    const buffer = Buffer.alloc(bytes);
    readSync(fd, buffer, 0, bytes, at);
    return buffer;
  };
  const all = Buffer.concat(backed.parts.slice(0, 3).map(read));
  closeSync(fd);
  return all;
}

/** Passes one packet of a client. Returns how many frames left. */
function pass(d: Director, flags: string): number {
  const eth = packet().eth(CLIENT, MAC).ipv4({ src: '10.0.0.1', dst: '10.0.0.100' });
  const bytes = eth.tcp({ sport: 999, dport: 80, flags, seq: 1, ack: 1 }).bytes();
  const batch = new Batch();
  batch.push(d.umem.put(bytes), bytes.length);
  processBatch(d, 0, batch);
  const { output } = d.links[0]!;
  const left = output.n;
  for (let i = 0; i < left; i++) d.umem.free(output.offsets[i]!);
  output.n = 0;
  return left;
}

it('warms up with the running director beside it, and leaves nothing', () => {
  const running = directorOn(mapped());
  expect(pass(running, 'S')).toBe(1);
  const worker = mapped();
  const successor = directorOn(worker);
  const before = tableFile(worker);
  const counted = running.counters.values[FrameStat.in]!;
  const frames = Buffer.from(successor.umem.u8.slice(0, warmBytes(umem.frameSize)));
  const fd = openSync(file, 'r+');
  const parts = worker.backed.parts.map(({ buffer, offset, at, bytes }) => ({
    address: addressAt(buffer) + offset,
    bytes,
    fd,
    at,
  }));
  const seen: number[] = [];
  const useFirst = successor.umem.useFirst.bind(successor.umem);
  successor.umem.useFirst = (n) => {
    seen.push(successor.connections.table.highWater);
    useFirst(n);
  };
  const first = { address: umem.address, bytes: warmBytes(umem.frameSize), fd: umem.fd, at: 0 };
  const free = successor.umem.freeFrames;
  warmUpPath(successor, [...parts, first], routes);
  closeSync(fd);
  expect(seen, 'worked on memory of zeros').toEqual([0]);
  expect(tableFile(worker).equals(before), 'the file of the running director').toBe(true);
  expect(running.counters.values[FrameStat.in], 'its counters').toBe(counted);
  expect(Buffer.from(successor.umem.u8.slice(0, frames.length)).equals(frames), 'its frames').toBe(true);
  expect(successor.fastPath, 'the code has run').toBeDefined();
  expect(successor.services.all()).toHaveLength(2);
  expect(successor.dests).toHaveLength(2);
  expect(successor.neighbours.all).toHaveLength(running.neighbours.all.length);
  expect(successor.isLocal4(0xc0000001 | 0), 'its VIPs are gone').toBe(false);
  // The running director stops; the successor goes on with the connection.
  expect(pass(running, 'A')).toBe(1);
  successor.umem.restock();
  expect(successor.umem.freeFrames).toBe(free);
  const rebuild = new Rebuild(successor.connections);
  while (!rebuild.step(LINES));
  expect([rebuild.kept, rebuild.lost]).toEqual([1, 0]);
  expect(successor.connections.table.live).toBe(1);
  const packets = successor.counters.values[FrameStat.forwarded]!;
  expect(pass(successor, 'A')).toBe(1);
  expect(successor.counters.values[FrameStat.forwarded]).toBe(packets + 1);
});
