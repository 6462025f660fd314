import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AdminReply, AdminRequest, ChangeRequest } from '../../../src/control/api/api.js';
import { parseConfig } from '../../../src/control/config/config.js';
import type { Message } from '../../../src/control/engine/messages.js';
import { Requests } from '../../../src/control/server/requests.js';
import { SyncDaemons } from '../../../src/control/sync/daemons.js';
import { SyncFrames } from '../../../src/control/sync/frames.js';
import { defaultSysctls } from '../../../src/service/sysctl.js';
import { Counters } from '../../../src/stats/counters.js';
import { Drop } from '../../../src/stats/drops.js';

const key = { protocol: 6, address: '10.0.0.100', port: 80 };
const service = { key, scheduler: 'rr', flags: 0, timeout: 0, netmask: 0xffffffff, pe: '' };
const destination = (address: string) =>
  ({
    address,
    port: 80,
    method: 'masq',
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
    tunnel: { type: 'ipip', port: 0, checksum: '' },
  }) as const;

/** A forwarding side that only records its calls. `intercept` fails while `refusing`. */
function desk(table: Int32Array = new Int32Array(64)) {
  const messages: Message[] = [];
  const intercepted: string[][] = [];
  const counters = new Counters();
  const config = parseConfig('devices: [{ name: eth0 }]\nsysctl: { sync_threshold: 3 }', 'director.yaml');
  const state = { refusing: false, now: 0, sums: 0 };
  const requests = new Requests(config, counters, {
    intercept: (changes: readonly ChangeRequest[]) => {
      if (state.refusing) throw new Error('nft: not permitted');
      intercepted.push(changes.map(({ op }) => op));
    },
    send: (order) => messages.push(order),
    devices: () => [],
    now: () => state.now,
    tables: [table],
    tick: () => 0,
    gather: () => void state.sums++,
    processed: () => 9,
    sync: new SyncDaemons({
      net: new SyncFrames([], () => {}),
      send: () => {},
      now: () => 0,
      sysctl: defaultSysctls,
      workers: 1,
    }),
  });
  const ask = (request: AdminRequest): Promise<AdminReply> => requests.request(request);
  return { requests, ask, messages, intercepted, counters, state };
}

it('sums the counters of the workers once for a request, whatever it changes', async () => {
  const { ask, requests, state } = desk();
  await ask({
    op: 'batch',
    requests: [
      { op: 'addService', service },
      { op: 'addDestination', key, destination: destination('10.0.0.1') },
    ],
  });
  expect(state.sums).toBe(1);
  requests.change([{ op: 'flush' }]);
  expect(state.sums).toBe(2);
});

it('a worker that is started anew gets what health and draining make of the rules', async () => {
  const { ask, requests } = desk();
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'];
  await ask({ op: 'addService', service });
  for (const address of addresses)
    await ask({ op: 'addDestination', key, destination: { ...destination(address), weight: 8 } });
  const [away, half, drained] = [0, 1, 2];
  requests.applyHealth([
    { slot: away, health: { share: 0, weight: -1, absent: true } },
    { slot: half, health: { share: 0.5, weight: -1, absent: false } },
  ]);
  await ask({ op: 'drain', key, address: addresses[drained]!, port: 80, share: 0.25 });
  const actions = requests.replay().flatMap((message) => (message.kind === 'actions' ? message.actions : []));
  const weights = new Map<number, number>();
  for (const action of actions)
    if (action.kind === 'addDestination' || action.kind === 'editDestination')
      weights.set(action.slot, action.destination.weight);
    else if (action.kind === 'removeDestination') weights.delete(action.slot);
  expect([...weights]).toEqual([
    [half, 4],
    [drained, 2],
    [3, 8],
  ]);
  expect(actions.filter(({ kind }) => kind === 'drainDestination')).toEqual([
    { kind: 'drainDestination', slot: drained, on: true, share: 0.25 },
  ]);
});

describe('a batch', () => {
  it('is answered one by one, and told the host and the dataplane once', async () => {
    const { ask, messages, intercepted } = desk();
    const reply = await ask({
      op: 'batch',
      requests: [
        { op: 'addService', service },
        { op: 'addService', service },
        { op: 'addDestination', key, destination: destination('10.1.0.1') },
        { op: 'addDestination', key, destination: destination('10.1.0.2') },
        { op: 'deleteDestination', key, address: '10.1.0.9', port: 80 },
      ],
    });
    const [yes, no] = [{ ok: true }, { ok: false, errno: 'EEXIST' }];
    expect(reply).toEqual({ ok: true, replies: [yes, no, yes, yes, { ok: false, errno: 'ENOENT' }] });
    expect(intercepted.length).toBe(1);
    expect(messages.map(({ kind }) => kind)).toEqual(['actions']);
  });

  it('that only asks, or is refused, tells nobody', async () => {
    const { ask, messages, intercepted } = desk();
    await ask({ op: 'batch', requests: [{ op: 'deleteService', key }] });
    await ask({ op: 'list' });
    expect([messages, intercepted]).toEqual([[], []]);
  });
});

it('where the host cannot be kept away the director forwards all the same, and says so', async () => {
  const { ask, messages, state } = desk();
  state.refusing = true;
  await expect(ask({ op: 'addService', service })).rejects.toThrow('nft: not permitted');
  expect(messages.map(({ kind }) => kind)).toEqual(['actions']);
  expect(await ask({ op: 'addService', service })).toEqual({ ok: false, errno: 'EEXIST' });
});

it('a director without announced VIPs cannot be drained', async () => {
  const { ask } = desk();
  expect(await ask({ op: 'withdraw', withdrawn: true })).toEqual({
    ok: false,
    errno: 'EPERM',
    text: 'this director announces no VIPs: director.yaml has no announce',
  });
});

describe('sysctls', () => {
  it('are set one at a time, with the timeouts that were set meanwhile', async () => {
    const { ask, messages } = desk();
    await ask({ op: 'setTimeouts', timeouts: { tcp: 5, tcpfin: 0, udp: 0 } });
    const reply = await ask({ op: 'setSysctl', name: 'sloppy_tcp', value: 1 });
    expect(reply.ok && reply.sysctls).toMatchObject({ sloppy_tcp: 1, conn_reuse_mode: 1 });
    expect(messages.at(-1)).toMatchObject({
      kind: 'settings',
      sysctl: { sloppy_tcp: 1 },
      timeouts: { tcp: 5, udp: 300 },
    });
    expect(await ask({ op: 'getSysctls' })).toEqual(reply);
  });

  it.each([
    ['sloppy_tcp', 2, 'EINVAL', 'sloppy_tcp: 2 is not a whole number from 0 to 1'],
    ['sync_ports', 3, 'EINVAL', 'sync_ports: 3 is not a power of two'],
    ['sync_threshold', 50, 'EINVAL', 'sync_threshold: 50: threshold 50 is not below period 50'],
    ['constructor', 1, 'ENOENT', 'constructor: there is no such sysctl'],
  ])('%s = %d is refused', async (name, value, errno, text) => {
    const { ask, messages } = desk();
    expect(await ask({ op: 'setSysctl', name, value })).toEqual({ ok: false, errno, text });
    expect(messages).toEqual([]);
  });

  it('run_estimation 0 stops the rates', async () => {
    const { ask, requests, counters, state } = desk();
    await ask({ op: 'setSysctl', name: 'run_estimation', value: 0 });
    counters.values[counters.totalRow + 1] = 1000;
    state.now = 2000;
    requests.tick();
    expect(requests.rules.total().inpps).toBe(0);
    await ask({ op: 'setSysctl', name: 'run_estimation', value: 1 });
    requests.tick();
    expect(requests.rules.total().inpps).toBe(125);
  });
});

it('status counts what there is, and names the reasons of drops', async () => {
  const { ask, counters } = desk(Int32Array.of(9, 7));
  await ask({ op: 'addService', service });
  await ask({ op: 'addDestination', key, destination: destination('10.1.0.1') });
  counters.drop(Drop.noRoute, 60);
  counters.drop(Drop.noRoute, 40);
  const reply = await ask({ op: 'status' });
  expect(reply.ok && reply.status).toMatchObject({
    pid: process.pid,
    config: path.resolve('director.yaml'),
    services: 1,
    destinations: 1,
    table: { used: 7, max: 1048576 },
    workers: [{ used: 7, frames: 9 }],
    frames: { dropped: 2, forwarded: 0 },
    drops: [{ name: 'noRoute', packets: 2, bytes: 100, text: 'no route to the next hop (ICMP host unreachable sent)' }],
  });
});

describe('the connection table in pages', () => {
  const LINES = 40_000;
  const HASHED_EVERY = 3;

  /** Lines 1 … LINES, of which every third is a connection (flags, expiry and client port are what is read here). */
  async function filled(): Promise<Int32Array> {
    const { CONN_HASHED, ENTRY_SHIFT, EXPIRES, FLAGS, PORTS } = await import('../../../src/conntrack/entry.js');
    const words = new Int32Array((LINES + 1) << ENTRY_SHIFT);
    words[0] = LINES;
    for (let line = HASHED_EVERY; line <= LINES; line += HASHED_EVERY) {
      const at = line << ENTRY_SHIFT;
      words[at + FLAGS] = CONN_HASHED;
      words[at + EXPIRES] = 1000;
      words[at + PORTS] = (line & 0xffff) << 16;
    }
    return words;
  }

  it('they have every connection once', async () => {
    const { ask } = desk(await filled());
    const ports: number[] = [];
    let pages = 0;
    for (let from: number | undefined = 0; from !== undefined; pages++) {
      const page: AdminReply = await ask({ op: 'connections', from });
      if (!page.ok) throw new Error(page.errno);
      for (const { cport } of page.connections ?? []) ports.push(cport);
      from = page.next;
    }
    expect(pages).toBe(3);
    expect(ports).toEqual(Array.from({ length: Math.floor(LINES / HASHED_EVERY) }, (_, i) => (i + 1) * HASHED_EVERY));
    const first = await ask({ op: 'connections', from: 0 });
    expect(await ask({ op: 'connections' })).toEqual(first);
    expect(first).toMatchObject({ next: expect.any(Number) });
  });

  it('an empty table has one, and one behind the end is empty', async () => {
    expect(await desk().ask({ op: 'connections', from: 0 })).toEqual({ ok: true, connections: [] });
    expect(await desk().ask({ op: 'connections', from: 99 })).toEqual({ ok: true, connections: [] });
  });
});
