import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdminRequest } from '../../../src/control/api/api.js';
import { SocketClient } from '../../../src/control/api/client.js';
import { type ControlSocket, type Handler, serve } from '../../../src/control/api/socket.js';
import { noCounters } from '../../../src/control/rules/counters.js';
import { Rules } from '../../../src/control/rules/rules.js';
import { dryClient } from '../../../src/control/server/dry-client.js';
import { Random } from '../../support/seed.js';

let folder: string;
let path: string;
const open: ControlSocket[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), `ulvs-socket-${process.pid}-`));
  path = join(folder, 'run', 'ulvs.sock');
});
afterEach(async () => {
  for (const socket of open.splice(0)) await socket.close();
  rmSync(folder, { recursive: true, force: true });
});

async function listen(handler: Handler = () => ({ ok: true })): Promise<ControlSocket> {
  const socket = await serve(path, handler);
  open.push(socket);
  return socket;
}

/** Sends bytes, ends its side and gives back all that comes. */
function raw(bytes: string | Uint8Array): Promise<string> {
  const socket = createConnection({ path, allowHalfOpen: true });
  socket.on('error', () => socket.destroy());
  socket.end(bytes);
  return text(socket).catch(() => '');
}

describe('a control socket', () => {
  it('leaves its name to a successor, whose file may get the same inode', async () => {
    const before = await listen();
    const client = new SocketClient(path);
    expect(await client.hello()).toBe(process.pid);
    await before.withdraw();
    expect(existsSync(path)).toBe(false);
    expect(await client.hello()).toBe(process.pid);
    await listen();
    client.close();
    await before.close();
    expect(existsSync(path)).toBe(true);
  });
});

describe('a session', () => {
  it('carries requests and replies, many at once, in order', async () => {
    const seen: AdminRequest[] = [];
    await listen((request) => {
      seen.push(request);
      return { ok: true, timeouts: { tcp: seen.length, tcpfin: 2, udp: 3 } };
    });
    const client = new SocketClient(path);
    const replies = await Promise.all([1, 2, 3].map(() => client.request({ op: 'getTimeouts' })));
    client.close();
    expect(replies.map((reply) => reply.ok && reply.timeouts?.tcp)).toEqual([1, 2, 3]);
    expect(seen).toEqual(new Array(3).fill({ op: 'getTimeouts' }));
  });

  it('carries a reply of many megabytes', async () => {
    const pid = 'x'.repeat(1000);
    const row = { protocol: 6, family: 4, caddr: pid, cport: 1, vaddr: '', vport: 1, daddr: '', dport: 1 } as const;
    const connections = new Array(30_000).fill({ ...row, state: 'NONE', expires: 1, peName: '', peData: '' });
    await listen(() => ({ ok: true, connections }));
    const client = new SocketClient(path);
    const reply = await client.request({ op: 'connections' });
    client.close();
    expect(reply.ok && reply.connections?.length).toBe(30_000);
  });

  it('makes addresses canonical, so that one service has one key', async () => {
    const rules = new Rules({ schedulers: ['rr'], engines: [], counters: noCounters });
    const { request } = dryClient(rules);
    await listen(request);
    const service = { scheduler: 'rr', flags: 0, timeout: 0, netmask: 128, pe: '' };
    const add = (address: string): string =>
      JSON.stringify({
        v: 1,
        id: 1,
        request: { op: 'addService', service: { ...service, key: { protocol: 6, address, port: 80 } } },
      });
    const answers = (await raw(`${add('2001:db8::1')}\n${add('2001:0DB8:0::1')}\n`)).trimEnd().split('\n');
    expect(answers).toEqual(['{"id":1,"reply":{"ok":true}}', '{"id":1,"reply":{"ok":false,"errno":"EEXIST"}}']);
  });
});

describe('what is malformed', () => {
  it.each([
    ['hello', 'not a line of JSON'],
    ['[]', 'request: Invalid input: expected object, received array'],
    ['{"v":2,"id":1,"request":{"op":"list"}}', 'v: this director speaks version 1 of the protocol, not 2'],
    ['{"v":1,"id":1,"request":{"op":"explode"}}', 'request.op: '],
    ['{"v":1,"id":1,"request":{"op":"list","x":1}}', 'request: Unrecognized key'],
    [
      '{"v":1,"id":1,"request":{"op":"deleteDestination","key":{"fwmark":1,"family":4},"address":"10.0.0","port":1}}',
      'not an IPv4',
    ],
    ['{"v":1,"id":1,"request":{"op":"zero","key":{"protocol":6,"address":"1.2.3.4","port":65536}}}', 'request.key'],
  ])('%s is answered with an error', async (line, words) => {
    await listen(() => {
      throw new Error('must not be reached');
    });
    const { id, error } = JSON.parse(await raw(`${line}\n`)) as { id: number | null; error: string };
    expect(id).toBeNull();
    expect(error).toContain(words);
    expect(error).not.toContain('\n');
  });

  it('ends a session whose line has no end', async () => {
    await listen();
    expect(await raw('x'.repeat(3 << 20))).toMatch(
      /^(\{"id":null,"error":"a line is longer than 1048576 characters"\}\n)?$/,
    );
    expect(await raw('{"v":1,"id":5}\n')).toMatch(`{"id":5,"pid":${process.pid},"protocol":1,"version":"`);
  });

  it('survives random bytes, and a handler that throws', async () => {
    await listen(() => {
      throw new Error('out of luck');
    });
    const random = new Random();
    for (let i = 0; i < 50; i++) await raw(random.bytes(300));
    const client = new SocketClient(path);
    await expect(client.request({ op: 'list' })).rejects.toThrow(
      'refused the request: the director failed: out of luck',
    );
    client.close();
  });
});

describe('its place', () => {
  it('is a socket of mode 0600 in a folder that is made, and gone after close', async () => {
    const socket = await listen();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await socket.close();
    expect(existsSync(path)).toBe(false);
  });

  it('is refused to a second director, which is told the first one’s pid', async () => {
    await listen();
    await expect(serve(path, () => ({ ok: true }))).rejects.toThrow(
      `another director (pid ${process.pid}) listens on ${path}: stop it first, or name another socket with --socket`,
    );
    expect(await raw('{"v":1,"id":5}\n')).toContain('"pid"');
  });

  it('goes to exactly one of several that start at once', async () => {
    const starts = await Promise.allSettled([1, 2, 3, 4].map(() => serve(path, () => ({ ok: true }))));
    const won = starts.filter((start) => start.status === 'fulfilled');
    expect(won.length).toBe(1);
    open.push(won[0]!.value);
    expect(await raw('{"v":1,"id":5}\n')).toContain('"pid"');
  });

  it('is taken over from a director that died', async () => {
    const other = join(folder, 'dead.sock');
    path = other;
    const dead = createServer();
    await new Promise<void>((resolve) => void dead.listen(other, resolve));
    const { renameSync } = await import('node:fs');
    renameSync(other, `${other}.kept`);
    await new Promise<void>((resolve) => void dead.close(() => resolve()));
    renameSync(`${other}.kept`, other);
    await listen();
    expect(await raw('{"v":1,"id":5}\n')).toContain('"pid"');
  });

  it('is never a file that is something else, nor too long a path', async () => {
    path = join(folder, 'precious');
    writeFileSync(path, 'data');
    await expect(serve(path, () => ({ ok: true }))).rejects.toThrow('is not a socket');
    expect(statSync(path).size).toBe(4);
    await expect(serve(join(folder, 'x'.repeat(99), 'y'), () => ({ ok: true }))).rejects.toThrow(
      'too long for a socket',
    );
  });

  it('where nobody listens, says how to start a director', async () => {
    const client = new SocketClient(path);
    await expect(client.request({ op: 'list' })).rejects.toThrow(
      `no director is listening on ${path} (start one with \`ulvs run -c director.yaml\`, or name its socket with --socket)`,
    );
  });

  it('where something listens that does not answer, gives up', async () => {
    path = join(folder, 'mute.sock');
    const mute = createServer();
    await new Promise<void>((resolve) => void mute.listen(path, resolve));
    const client = new SocketClient(path, 50);
    await expect(client.request({ op: 'list' })).rejects.toThrow(`the director on ${path} does not answer`);
    client.close();
    mute.close();
  });
});
