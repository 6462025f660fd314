/** The console's server over real HTTP: who may do what, changes and undo, snapshots and slow browsers. */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isOwnHost, tokenOf } from '../../../src/control/console/access.js';
import type { ConsoleExtras } from '../../../src/control/console/extras.js';
import type { Snapshot } from '../../../src/control/console/live.js';
import { type ConsoleOptions, type ConsoleServer, serveConsole } from '../../../src/control/console/server.js';
import { makeCertificates } from '../../support/certificates.js';
import { ConsoleDirector } from '../../support/console-director.js';
import { until } from '../../support/until.js';

const OPERATOR = 'operator-token-for-tests';
const READER = 'reader-token-for-tests-1';

let director: ConsoleDirector;
let server: ConsoleServer;
let base: string;

async function open(more: Partial<ConsoleOptions> & { extras?: ConsoleExtras } = {}): Promise<void> {
  const tokens = { operator: OPERATOR, reader: READER };
  const { clientFor } = director;
  server = await serveConsole({
    listen: { host: '127.0.0.1', port: 0 },
    tokens,
    tokenFile: '/<t>',
    clientFor,
    ...more,
  });
  base = server.address.slice(0, -1);
}

beforeEach(async () => {
  director = await ConsoleDirector.start();
  await open();
});
const folders: string[] = [];
afterEach(async () => {
  await server.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'ulvs-console-'));
  folders.push(folder);
  return folder;
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

interface Asking {
  method?: string;
  body?: string;
  headers?: Record<string, string>;
}

function ask(where: string, { method = 'GET', body, headers = {} }: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(`${base}${where}`, { method, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const post = (where: string, body: unknown, headers: Record<string, string> = {}) =>
  ask(where, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { ...bearer(OPERATOR), 'content-type': 'application/json', ...headers },
  });
const key = { protocol: 6, address: '10.0.0.100', port: 80 };
const weights = async () => {
  const reply = await director.director.request({ op: 'list', key });
  return reply.ok ? reply.services?.[0]?.destinations.map(({ weight }) => weight) : undefined;
};

describe('the door', () => {
  it('refuses foreign host names, whatever token they bring', async () => {
    for (const host of ['evil.example', 'evil.example:9732', '127.0.0.1.evil.example', 'localhost.evil.example']) {
      const { status } = await ask('/api/about', { headers: { ...bearer(OPERATOR), host } });
      expect([host, status]).toEqual([host, 421]);
    }
    for (const host of ['localhost:8080', '127.0.0.1', '127.9.9.9:1', '[::1]:9']) expect(isOwnHost(host)).toBe(true);
  });

  it('refuses requests of other pages, of this machine too', async () => {
    for (const origin of ['https://evil.example', 'http://127.0.0.1:1', 'null', base.replace('http', 'https')])
      expect((await post('/api/undo', {}, { origin })).status).toBe(403);
    expect((await ask('/login', { method: 'POST', body: `token=${OPERATOR}` })).status).toBe(403);
    expect((await ask('/api/about', { headers: { ...bearer(READER), 'sec-fetch-site': 'cross-site' } })).status).toBe(
      403,
    );
    expect((await post('/api/follow/stop', {}, { origin: base })).status).toBe(200);
  });

  it('shows nothing without a token, and no token belongs into the address', async () => {
    for (const where of ['/api/about', '/api/live', `/api/about?token=${OPERATOR}`, '/api/connections', '/nothing'])
      expect((await ask(where)).status).toBe(401);
    expect((await ask('/api/about', { headers: bearer('wrong-token-of-someone') })).status).toBe(401);
    const form = await ask('/');
    expect(form.text).toContain('action="/login"');
    expect(form.text).toContain('/&#60;t&#62;');
  });

  it('lets in by a form, with a cookie that scripts and other pages do not get', async () => {
    const headers = { origin: base, 'content-type': 'application/x-www-form-urlencoded' };
    const wrong = await ask('/login', { method: 'POST', body: 'token=%3Cscript%3E', headers });
    expect(wrong.status).toBe(401);
    expect(wrong.text).not.toContain('<script>');
    const { status, headers: answer } = await ask('/login', { method: 'POST', body: `token=${OPERATOR}`, headers });
    const cookie = answer['set-cookie']?.[0] ?? '';
    expect(status).toBe(303);
    expect(cookie).toMatch(/^ulvs_console=[\w-]{32}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    const session = { cookie: cookie.split(';')[0]! };
    expect(JSON.parse((await ask('/api/about', { headers: session })).text)).toMatchObject({ role: 'operator' });
    expect((await ask('/', { headers: session })).text).toContain('console.js');
    await ask('/logout', { method: 'POST', headers: { ...session, origin: base } });
    expect((await ask('/api/about', { headers: session })).status).toBe(401);
  });

  it('stays shut for a while after many wrong tokens; sessions go on', async () => {
    const headers = { origin: base };
    const { headers: answer } = await ask('/login', { method: 'POST', body: `token=${READER}`, headers });
    for (let n = 0; n < 20; n++) await ask('/login', { method: 'POST', body: `token=${n}`, headers });
    expect((await ask('/login', { method: 'POST', body: `token=${OPERATOR}`, headers })).status).toBe(401);
    expect((await ask('/api/about', { headers: { cookie: answer['set-cookie']![0]! } })).status).toBe(200);
  });

  it('sends a policy that allows no script but its own, and no frame', async () => {
    for (const where of ['/', '/api/about', '/console.js']) {
      const { headers } = await ask(where);
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'; script-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it('lets readers look and change nothing', async () => {
    const headers = { ...bearer(READER), 'content-type': 'application/json' };
    expect(JSON.parse((await ask('/api/about', { headers })).text)).toMatchObject({ role: 'reader' });
    expect((await ask('/api/connections?q=tcp', { headers })).status).toBe(200);
    const body = JSON.stringify({ changes: [{ op: 'deleteService', key }] });
    for (const where of ['/api/change', '/api/preview', '/api/undo', '/api/follow', '/api/lab/break'])
      expect((await ask(where, { method: 'POST', body, headers })).status).toBe(403);
    expect(director.asked.some(({ op }) => op === 'deleteService')).toBe(false);
  });

  it('refuses bodies that are too long, no JSON, or no change of the console', async () => {
    expect((await post('/api/change', 'x'.repeat(300_000))).status).toBe(413);
    expect((await post('/api/change', {}, { 'content-type': 'text/plain' })).status).toBe(415);
    for (const changes of [
      [{ op: 'flush' }],
      [{ op: 'takeover', step: 'go', pid: 1 }],
      [],
      [{ op: 'deleteService' }],
      7,
    ])
      expect((await post('/api/change', { changes })).status).toBe(400);
    expect((await post('/api/constructor', {})).status).toBe(404);
    expect((await ask('/api/about', { method: 'DELETE', headers: bearer(OPERATOR) })).status).toBe(405);
  });
});

describe('tokens', () => {
  it('are made once, for their owner only', () => {
    const file = path.join(newFolder(), 'below/console.token');
    const token = tokenOf(file);
    expect(token).toMatch(/^[\w-]{32}$/);
    expect(tokenOf(file)).toBe(token);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, 'short\n');
    expect(() => tokenOf(file)).toThrow(`${file}: the token is shorter`);
  });
});

describe('changes', () => {
  const edit = (weight: number) => {
    const place = { address: '192.168.1.11', port: 8080, method: 'masq', upperThreshold: 0, lowerThreshold: 0 };
    const tunnel = { type: 'ipip', port: 0, checksum: '' };
    return { op: 'editDestination', key, destination: { ...place, weight, tunnel } };
  };

  it('are told in words, made in the name of the user, and taken back', async () => {
    const before = await weights();
    const preview = await post('/api/preview', { changes: [edit(7)] });
    expect(JSON.parse(preview.text)).toEqual({ words: [expect.stringMatching(/192\.168\.1\.11:8080.*weight 1 -> 7/)] });
    expect(await weights()).toEqual(before);
    expect((await post('/api/change', { changes: [edit(7)] })).status).toBe(200);
    expect(await weights()).toContain(7);
    expect(director.asked.find(({ op }) => op === 'editDestination')?.user).toBe('operator by token');
    expect((await post('/api/undo', {})).status).toBe(200);
    expect(await weights()).toEqual(before);
    expect((await post('/api/undo', {})).status).toBe(500);
  });

  it('give back a removed service with its real servers in their order', async () => {
    const before = await director.director.request({ op: 'list' });
    await post('/api/change', { changes: [{ op: 'deleteService', key }] });
    expect(await weights()).toBeUndefined();
    await post('/api/undo', {});
    const after = await director.director.request({ op: 'list', key });
    const old = before.ok ? before.services?.find((one) => 'port' in one.key && one.key.port === 80) : undefined;
    const names = (one: typeof old) =>
      one?.destinations.map(({ address, weight, method }) => [address, weight, method]);
    expect(names(after.ok ? after.services?.[0] : undefined)).toEqual(names(old));
  });

  it('drain and undrain, and say which connections a removal ends', async () => {
    director.connect(4000);
    const place = { key, address: '192.168.1.12', port: 8080 };
    const { text } = await post('/api/preview', { changes: [{ op: 'deleteDestination', ...place }] });
    expect(text).toMatch(/192\.168\.1\.12:8080 of -t 10\.0\.0\.100:80 deleted/);
    const drains = async () => {
      const reply = await director.director.request({ op: 'list', key });
      const dest = reply.ok
        ? reply.services?.[0]?.destinations.find(({ address }) => address === place.address)
        : undefined;
      return dest?.present?.draining ?? false;
    };
    await post('/api/change', { changes: [{ op: 'drain', ...place, share: 0 }] });
    expect(await drains()).toBe(true);
    await post('/api/undo', {});
    expect(await drains()).toBe(false);
  });

  it('that the director refuses leave a reason of one line', async () => {
    const { status, text } = await post('/api/change', { changes: [{ op: 'addService', service: serviceAgain() }] });
    expect(status).toBe(409);
    expect(JSON.parse(text).error).toContain('EEXIST');
  });

  const serviceAgain = () => ({ key, scheduler: 'rr', flags: 0, timeout: 0, netmask: 0xffffffff, pe: '' });
});

describe('what is live', () => {
  /** Reads snapshots; `pause` stops reading. */
  const watch = (onSnapshot: (one: Snapshot) => void) =>
    new Promise<http.IncomingMessage>((resolve) => {
      http.get(`${base}/api/live`, { headers: bearer(READER), agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk;
          for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
            onSnapshot(JSON.parse(text.slice(6, end)) as Snapshot);
            text = text.slice(end + 2);
          }
        });
        resolve(response);
      });
    });

  it('comes at once and after each change; many pages cost one question', async () => {
    const seen: Snapshot[][] = [[], [], []];
    const pages = await Promise.all(seen.map((list) => watch((one) => list.push(one))));
    await until(() => seen.every((list) => list.length > 0));
    const asked = director.asked.filter(({ op }) => op === 'status').length;
    expect(asked).toBeLessThanOrEqual(Math.max(...seen.map((list) => list.length)) + 1);
    await post('/api/change', { changes: [{ op: 'drain', key, address: '192.168.1.11', port: 8080, share: 0 }] });
    const drains = ({ services }: Snapshot) => services.some((s) => s.destinations.some((d) => d.present?.draining));
    await until(() => seen.every((list) => drains(list.at(-1)!)));
    for (const page of pages) page.destroy();
  });

  it('skips a browser that does not read, and queues nothing for it', async () => {
    const big = { name: 'x', text: 'y'.repeat(1_000_000), packets: 1, bytes: 1 };
    director.disguise = (reply) =>
      reply.ok && reply.status ? { ...reply, status: { ...reply.status, drops: [big] } } : reply;
    const seen: Snapshot[] = [];
    const slow = await watch(() => {});
    slow.pause();
    const fast = await watch((one) => seen.push(one));
    const before = process.memoryUsage().arrayBuffers;
    await until(() => seen.length >= 1);
    for (let n = 0; n < 3; n++) {
      const had = seen.length;
      await post('/api/follow/stop', {});
      await until(() => seen.length > had);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
    slow.destroy();
    fast.destroy();
  });

  it('follows packets with steps, candidates and changed fields; a wrong filter is named', async () => {
    expect((await post('/api/follow', { filter: 'tcp prt 80', dropsOnly: false, count: 9 })).text).toContain('prt');
    expect((await post('/api/follow', { filter: 'tcp port 80', dropsOnly: false, count: 9 })).status).toBe(200);
    director.connect(4001);
    const packets = async () => JSON.parse((await ask('/api/packets', { headers: bearer(READER) })).text).packets;
    await until(async () => (await packets()).length === 2);
    const [first, second] = await packets();
    expect(first).toMatchObject({ number: 1, verdict: 'forwarded', service: 'TCP 10.0.0.100:80', side: 'client' });
    expect(first.steps.find(({ kind }: { kind: string }) => kind === 'chosen').candidates).toHaveLength(2);
    expect(first.out[0].changes.join()).toMatch(/IP destination: 10\.0\.0\.100 -> 192\.168\.1\.1[12]/);
    expect(second.steps[0].kind).toBe('connection');
  });

  it('finds connections and one of them again', async () => {
    for (let port = 5000; port < 5300; port++) director.connect(port);
    const page = JSON.parse((await ask('/api/connections?q=client:5007', { headers: bearer(READER) })).text);
    expect(page).toMatchObject({ total: 1, connections: [{ cport: 5007, protocol: 6 }] });
    const one = await ask(`/api/connection?at=${page.connections[0].at}`, { headers: bearer(READER) });
    expect(JSON.parse(one.text).connection.cport).toBe(5007);
    expect(
      JSON.parse((await ask('/api/connections?offset=200', { headers: bearer(READER) })).text).connections,
    ).toHaveLength(100);
    expect((await ask('/api/connections?offset=-1', { headers: bearer(READER) })).status).toBe(400);
  });
});

describe('other doors', () => {
  it('a Unix socket for its owner, which ssh -L leads to', async () => {
    await server.close();
    const file = path.join(newFolder(), 'c.sock');
    await open({ listen: { path: file } });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = await new Promise<string>((resolve) => {
      const headers = { host: 'localhost:8080', ...bearer(READER) };
      http.get({ socketPath: file, path: '/api/about', headers }, (response) => {
        response.on('data', (chunk: Buffer) => resolve(String(chunk)));
      });
    });
    expect(JSON.parse(text)).toMatchObject({ role: 'reader' });
  });

  it('TLS: a certificate of the authority is the user; without one nothing is answered', async () => {
    await server.close();
    const folder = newFolder();
    makeCertificates(folder);
    const file = (name: string) => path.join(folder, name);
    const pem = (name: string) => readFileSync(file(name));
    const tls = { cert: file('server.pem'), key: file('server.key'), ca: file('ca.pem') };
    await open({ tls });
    const get = (more: https.RequestOptions) =>
      new Promise<string>((resolve, reject) => {
        https
          .get(`${base}/api/about`, { ca: pem('ca.pem'), agent: false, ...more }, (response) => {
            response.on('data', (chunk: Buffer) => resolve(String(chunk)));
          })
          .on('error', reject);
      });
    const about = JSON.parse(await get({ cert: pem('client.pem'), key: pem('client.key') }));
    expect(about).toMatchObject({ user: 'certificate client', role: 'operator' });
    await expect(get({})).rejects.toThrow(/certificate required|ECONNRESET|alert/);
    const { fingerprint256 } = new X509Certificate(pem('client.pem'));
    const digits = fingerprint256.replaceAll(':', '').toLowerCase();
    const cases = [['client'], ['127.0.0.1'], [fingerprint256], [digits], ['clien', `${digits}0`, 'CN', '']];
    const roles: string[] = [];
    for (const readers of cases) {
      await server.close();
      await open({ tls: { ...tls, readers } });
      roles.push(JSON.parse(await get({ cert: pem('client.pem'), key: pem('client.key') })).role);
    }
    expect(roles).toEqual(['reader', 'reader', 'reader', 'reader', 'operator']);
  });
});
