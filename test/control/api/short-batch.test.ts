/** The short form of batches: it stands for the same requests, and only directors that know it get it. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { AdminRequest, ChangeRequest } from '../../../src/control/api/api.js';
import { SocketClient } from '../../../src/control/api/client.js';
import { Lines } from '../../../src/control/api/lines.js';
import { readEnvelope } from '../../../src/control/api/schema.js';
import { lengthened, shortened } from '../../../src/control/api/short-batch.js';
import { isSoundBatch } from '../../../src/control/api/sound-batch.js';
import { DESTINATION_DEFAULTS, type DestinationConfig } from '../../../src/service/config.js';
import { Random } from '../../support/seed.js';

const keys = ['10.0.0.1', '10.0.0.2', '2001:db8::1'].map((address) => ({ protocol: 6, address, port: 80 }));
const added = (key: (typeof keys)[number], more: Partial<DestinationConfig>): ChangeRequest => ({
  op: 'addDestination',
  key,
  destination: { address: '10.1.0.1', port: 8080, ...DESTINATION_DEFAULTS, ...more },
});

function randomBatch(random: Random, count: number): Extract<AdminRequest, { op: 'batch' }> {
  const requests = Array.from({ length: count }, (_, i): ChangeRequest => {
    const key = keys[random.below(8) % keys.length]!;
    const address = `10.1.0.${i % 256}`;
    if (random.below(10) === 0) return { op: 'deleteService', key };
    if (random.below(10) === 0) return added(key, { address, upperThreshold: 5 });
    if (random.below(10) === 0) return added(key, { address, tunnel: { type: 'gue', port: 6080, checksum: '' } });
    return added(key, { address, method: random.below(9) === 0 ? 'ipip' : 'masq', weight: random.below(2) });
  });
  return { op: 'batch', requests };
}

const read = (request: unknown) => readEnvelope(JSON.stringify({ v: 1, id: 1, request }));

it('stands for the same requests', () => {
  const random = new Random(2);
  for (let i = 0; i < 300; i++) {
    const batch = randomBatch(random, 1 + random.below(40));
    expect(lengthened(shortened(batch).requests)).toEqual(batch.requests);
    expect(read(shortened(batch))).toEqual({ id: 1, request: batch });
  }
});

const together = { op: 'addDestinations', key: keys[0], method: 'masq', weight: 1, at: ['10.1.0.1', 80] };
const batchOf = (...requests: unknown[]) => ({ op: 'batch', requests });

it.each([
  ['an address without a port', { ...together, at: ['10.1.0.1'] }],
  ['a port in place of an address', { ...together, at: [80, '10.1.0.1'] }],
  ['no address', { ...together, at: ['web', 80] }],
  ['another field', { ...together, more: 1 }],
  ['a method that nobody knows', { ...together, method: 'nat' }],
  [
    'more than a batch may have',
    { ...together, at: Array.from({ length: 2002 }, (_, i) => (i % 2 ? 80 : '10.1.0.1')) },
  ],
])('is refused with %s', (_, change) => {
  expect(isSoundBatch(batchOf(change), 1000)).toBe(false);
  expect(read(batchOf(change))).toHaveProperty('problem');
  expect(read({ ...change, op: 'addDestinations' })).toHaveProperty('problem');
});

it('counts each destination', () => {
  const half = { ...together, at: Array.from({ length: 1002 }, (_, i) => (i % 2 ? 80 : '10.1.0.1')) };
  expect(isSoundBatch(batchOf(half, half), 1000)).toBe(false);
  expect(read(batchOf(half, half))).toHaveProperty('problem');
  expect(read(batchOf(half))).toMatchObject({ request: { requests: { length: 501 } } });
});

it('gets addresses into canonical form', () => {
  const { request } = read(batchOf({ ...together, at: ['2001:DB8::1', 80] })) as { request: AdminRequest };
  expect(request).toMatchObject({ requests: [{ op: 'addDestination', destination: { address: '2001:db8::1' } }] });
});

/** A director that answers lines as `answer` says. */
async function listening(answer: (line: { id: number; request?: unknown }) => object) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ulvs-short-'));
  const file = path.join(folder, 'ulvs.sock');
  const seen: { id: number; request?: { op: string; requests: unknown[] } }[] = [];
  const server = createServer((socket) => {
    const lines = new Lines(2 ** 20);
    socket.on('data', (chunk) => {
      for (const line of lines.push(chunk) ?? []) {
        seen.push(JSON.parse(line));
        socket.write(`${JSON.stringify(answer(seen.at(-1)!))}\n`);
      }
    });
  });
  await once(server.listen(file), 'listening');
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { client: new SocketClient(file), seen };
}

it.each([true, undefined])('is sent to directors that take it, all requests in order (short: %s)', async (short) => {
  const { client, seen } = await listening(({ id, request }) =>
    request === undefined ? { id, pid: 1, short } : { id, reply: { ok: true } },
  );
  const batch = batchOf(...Array.from({ length: 20 }, (_, i) => added(keys[0]!, { port: i + 1 }))) as AdminRequest;
  await Promise.all([client.request(batch), client.request({ op: 'flush' }), client.request(batch)]);
  await client.request({ ...batch, requests: [added(keys[0]!, {})] } as AdminRequest);
  client.close();
  const sizes = seen.map(({ request }) => request?.requests?.length ?? request?.op);
  expect(sizes).toEqual([undefined, short ? 1 : 20, 'flush', short ? 1 : 20, 1]);
});
