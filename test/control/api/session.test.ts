/** What a client of the control socket may hold, and who may do what. */
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AdminReply, AdminRequest } from '../../../src/control/api/api.js';
import { LIMITS, type Limits } from '../../../src/control/api/limits.js';
import { Sessions } from '../../../src/control/api/session.js';
import { type ControlSocket, type ServeOptions, serve } from '../../../src/control/api/socket.js';
import type { Peer } from '../../../src/sys/peer.js';

let folder: string;
let file: string;
let open: ControlSocket[];
let clients: Socket[];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ulvs-session-'));
  chmodSync(folder, 0o755);
  file = path.join(folder, 'ulvs.sock');
  open = [];
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  for (const socket of open) await socket.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A socket whose handler notes what it is asked. */
async function listen(limits: Partial<Limits> = {}, options: ServeOptions = {}, reply: AdminReply = { ok: true }) {
  const asked: { request: AdminRequest; peer: Peer }[] = [];
  const handler = (request: AdminRequest, peer: Peer) => {
    asked.push({ request, peer });
    return reply;
  };
  open.push(await serve(file, new Sessions(handler, { ...LIMITS, ...limits }), options));
  return asked;
}

async function client(): Promise<Socket> {
  const socket = createConnection({ path: file, allowHalfOpen: true });
  socket.on('error', () => {});
  clients.push(socket);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

const LIST = '{"v":1,"id":1,"request":{"op":"list"}}\n';

it('is told who asks', async () => {
  const asked = await listen();
  (await client()).end(LIST);
  await text(clients[0]!);
  expect(asked[0]!.peer).toEqual({ pid: process.pid, uid: process.getuid!(), gid: process.getgid!() });
});

it('has mode 0600, and 0660 with a group', async () => {
  await listen();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await open.pop()!.close();
  const group = process.getgid!();
  await listen({}, { group });
  expect(statSync(file)).toMatchObject({ gid: group });
  expect(statSync(file).mode & 0o777).toBe(0o660);
});

it('for questions only answers questions and refuses the rest', async () => {
  const asked = await listen({}, { readOnly: true });
  (await client()).end(`${LIST}{"v":1,"id":2,"request":{"op":"flush"}}\n`);
  const [first, second] = (await text(clients[0]!)).split('\n');
  expect(first).toBe('{"id":1,"reply":{"ok":true}}');
  expect(second).toBe(
    '{"id":2,"reply":{"ok":false,"errno":"EPERM","text":"flush: this socket is for questions only"}}',
  );
  expect(asked).toHaveLength(1);
});

it('ends the session that was idle longest when there are too many', async () => {
  await listen({ sessions: 3 });
  const [first, second] = [await client(), await client(), await client()];
  first!.write(LIST);
  await new Promise((resolve) => first!.once('data', resolve));
  await client();
  expect(await text(second!)).toMatch(/too many sessions, and this one was idle/);
  first!.end(LIST);
  expect(await text(first!)).toContain('"ok":true');
});

it('ends a session whose request is not complete in time', async () => {
  await listen({ completeMs: 50 });
  const slow = await client();
  slow.write('{"v":1,');
  expect(await text(slow)).toMatch(/not complete in time/);
  const idle = await client();
  await sleep(100);
  idle.end(LIST);
  expect(await text(idle)).toContain('"ok":true');
});

it('bounds the incomplete requests of all sessions', async () => {
  await listen({ incomplete: 3000 });
  const half = 'x'.repeat(1000);
  const many = [await client(), await client(), await client(), await client()];
  for (const one of many) one.write(half);
  const ended = await Promise.race(many.map((one) => text(one)));
  expect(ended).toMatch(/the incomplete requests of all sessions are too long/);
});

it('does not work off the requests of a client that has left', async () => {
  const asked = await listen();
  const gone = await client();
  gone.write(LIST.repeat(500), () => gone.destroy());
  await sleep(200);
  expect(asked.length).toBeLessThan(500);
  (await client()).end(LIST);
  expect(await text(clients.at(-1)!)).toContain('"ok":true');
});

it('makes no answers for readers that stand still beyond the limit, and ends them', async () => {
  const big: AdminReply = { ok: false, errno: 'EINVAL', text: 'x'.repeat(1 << 20) };
  const asked = await listen({ unsent: 3 << 20, takeMs: 300 }, {}, big);
  const still = await Promise.all(Array.from({ length: 12 }, client));
  for (const one of still) one.pause().write(LIST.repeat(5));
  await sleep(100);
  // Each holds one answer at most, all together the limit and the one that went beyond it.
  expect(asked.length).toBeLessThanOrEqual(6);
  const good = await client();
  good.end(LIST);
  expect((await text(good)).length).toBeGreaterThan(1 << 20);
});
