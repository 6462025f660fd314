/**
 * Each type of check against a real server: good, wrong answer, closed port, a server that hangs, one that drips bytes.
 */
import { execFile } from 'node:child_process';
import dgram from 'node:dgram';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { CHECKERS } from '../../src/health/checkers/index.js';
import { runCheck } from '../../src/health/run.js';
import { CHECK_TYPES, type Check, type Outcome } from '../../src/health/spec.js';
import { EXPIRED, GOOD, KEY } from './certificates.js';
import { CHECK } from './check.js';

const servers: { close(): unknown; closeAllConnections?(): void }[] = [];
const sockets = new Set<net.Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections?.();
    server.close();
  }
});

/** Listens on a port of its own. */
async function listen(server: net.Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

/** Runs a check against a port of this machine. */
function run(type: Check['type'], port: number, more: Partial<Check> = {}): Promise<Outcome> {
  const check = { ...CHECK, type, id: type, timeout: 400, connectTimeout: 300, ...more };
  return runCheck(
    { slot: 1, name: `127.0.0.1:${port}`, address: '127.0.0.1', pinged: '127.0.0.1', port, checks: [check] },
    check,
    undefined,
  );
}

const says = (text: string | Uint8Array) => listen(net.createServer((socket) => socket.write(text)));
const silent = () => listen(net.createServer(() => {}));
/** Sends a byte each 50 ms, without end. */
function drips(text: string) {
  return listen(
    net.createServer((socket) => {
      let i = 0;
      const timer = setInterval(() => socket.write(text[i++ % text.length]!), 50);
      socket.on('close', () => clearInterval(timer));
    }),
  );
}
async function closedPort(): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  await new Promise((done) => server.close(done));
  servers.pop();
  return port;
}

/** A port that is closed, one that hangs and one that drips are bad for every type that connects. */
const connecting = CHECK_TYPES.filter((type) => !['dns', 'udp', 'icmp', 'script', 'sctp', 'passive'].includes(type));

const HURRY = { timeout: 150, connectTimeout: 100 };

describe.each(connecting)('%s', (type) => {
  it('fails at a closed port at once', async () => {
    expect(await run(type, await closedPort())).toEqual({ ok: false, text: 'connection refused' });
  });
});

// For tcp a connection is enough.
describe.each(connecting.filter((type) => type !== 'tcp'))('%s', (type) => {
  it('fails at a server that accepts and says nothing', async () => {
    const began = performance.now();
    expect((await run(type, await silent(), HURRY)).ok).toBe(false);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('fails at a server that drips bytes, within its deadline', async () => {
    const began = performance.now();
    expect((await run(type, await drips('2'), HURRY)).ok).toBe(false);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('tcp', () => {
  it('is good at a connection, and with a text at that text', async () => {
    expect(await run('tcp', await silent())).toEqual({ ok: true, text: 'connected' });
    const echo = await listen(net.createServer((socket) => socket.pipe(socket)));
    expect((await run('tcp', echo, { send: 'hex:68656c6c6f', expect: 'hello' })).ok).toBe(true);
    expect((await run('tcp', echo, { send: 'other', expect: 'hello' })).ok).toBe(false);
  });

  it('takes another port than that of the destination', async () => {
    expect((await run('tcp', await closedPort(), { port: await silent() })).ok).toBe(true);
  });
});

describe('http', () => {
  const web = (answer: http.RequestListener) => listen(http.createServer(answer));

  it('judges status, body and keyword, and sends host and path', async () => {
    const port = await web((request, response) => {
      response.statusCode = request.url === '/gone' ? 503 : 200;
      response.end(`${request.headers.host} is fine`);
    });
    expect(await run('http', port)).toEqual({ ok: true, text: 'status 200' });
    expect(await run('http', port, { path: '/gone' })).toEqual({ ok: false, text: 'status 503' });
    expect((await run('http', port, { path: '/gone', status: [[503, 503]] })).ok).toBe(true);
    expect((await run('http', port, { host: 'www.example.org', body: '^www.example.org is f.ne$' })).ok).toBe(true);
    expect((await run('http', port, { expect: 'fine' })).ok).toBe(true);
    expect(await run('http', port, { expect: 'bad' })).toEqual({ ok: false, text: 'the body does not contain "bad"' });
    expect((await run('http', port, { body: 'bad$' })).text).toBe('the body does not match bad$');
  });

  it('fails when the body drips, and when it is cut short', async () => {
    const drip = await web((_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      const timer = setInterval(() => response.write('x'), 50);
      response.on('close', () => clearInterval(timer));
    });
    expect(await run('http', drip)).toEqual({ ok: false, text: 'no good answer within 0.4 s' });
    const cut = await web((_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('x');
      setTimeout(() => response.destroy(), 20);
    });
    expect((await run('http', cut)).ok).toBe(false);
  });

  it('reads no endless body', async () => {
    const port = await web((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
    });
    expect((await run('http', port, { timeout: 5000 })).text).toMatch(/longer than 1 MiB|no good answer/);
  });
});

describe('https', () => {
  const secure = (cert: string) => listen(https.createServer({ key: KEY, cert }, (_, response) => response.end('ok')));

  it('accepts a certificate that is valid, and refuses one that has expired', async () => {
    expect((await run('https', await secure(GOOD))).text).toBe('status 200');
    const expired = await secure(EXPIRED);
    expect((await run('https', expired)).text).toMatch(/^the certificate has expired on Jan/);
    expect((await run('https', expired, { certificateDays: -1 })).ok).toBe(true);
  });

  it('counts the days that are left', async () => {
    const port = await secure(GOOD);
    expect((await run('https', port, { certificateDays: 3650 })).ok).toBe(true);
    expect((await run('https', port, { certificateDays: 100_000 })).text).toMatch(/^the certificate ends in \d+ days/);
  });

  it('trusts no unknown authority with verify', async () => {
    expect(await run('https', await secure(GOOD), { verify: true, sni: 'www.example.org' })).toEqual({
      ok: false,
      text: 'the certificate is self-signed',
    });
  });

  it('sends the server name', async () => {
    let seen = '';
    const server = https.createServer({ key: KEY, cert: GOOD }, (_, response) => response.end('ok'));
    server.on('secureConnection', (socket) => (seen = String(socket.servername)));
    expect((await run('https', await listen(server), { sni: 'www.example.org' })).ok).toBe(true);
    expect(seen).toBe('www.example.org');
  });
});

describe('http2 and grpc', () => {
  it('http2 judges as http, with and without TLS', async () => {
    const answer = (_: unknown, response: http2.Http2ServerResponse) => void response.end('fine');
    const plain = await listen(http2.createServer(answer) as unknown as net.Server);
    const secure = await listen(http2.createSecureServer({ key: KEY, cert: GOOD }, answer) as unknown as net.Server);
    expect(await run('http2', plain, { expect: 'fine' })).toEqual({ ok: true, text: 'status 200' });
    expect((await run('http2', plain, { expect: 'bad' })).ok).toBe(false);
    expect((await run('http2', secure, { tls: true })).ok).toBe(true);
    expect((await run('http2', secure, { tls: true, verify: true })).ok).toBe(false);
  });

  /** A health service that knows web (serving) and db (not serving). */
  async function health(): Promise<number> {
    const server = http2.createServer();
    server.on('stream', (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const service = Buffer.concat(chunks).subarray(7).toString();
        const known = ({ '': 1, web: 1, db: 2 } as Record<string, number>)[service];
        const isHealth = headers[':path'] === '/grpc.health.v1.Health/Check';
        if (!isHealth || known === undefined) {
          stream.respond(
            { ':status': 200, 'grpc-status': isHealth ? 5 : 12, 'grpc-message': 'unknown' },
            { endStream: true },
          );
          return;
        }
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.of(0, 0, 0, 0, 2, 0x08, known));
      });
    });
    return listen(server as unknown as net.Server);
  }

  it('grpc asks the health service', async () => {
    const port = await health();
    expect(await run('grpc', port)).toEqual({ ok: true, text: 'serving' });
    expect((await run('grpc', port, { name: 'web' })).ok).toBe(true);
    expect(await run('grpc', port, { name: 'db' })).toEqual({ ok: false, text: 'not serving' });
    expect((await run('grpc', port, { name: 'other' })).text).toBe('grpc status 5: unknown');
  });
});

describe('greetings', () => {
  it('smtp', async () => {
    expect((await run('smtp', await says('220-first\r\n220 mail ready\r\n'))).ok).toBe(true);
    expect((await run('smtp', await says('554 no\r\n'))).text).toBe('answered "554 no"');
  });

  it('redis', async () => {
    const answering = (text: string) =>
      listen(net.createServer((socket) => socket.on('data', (bytes) => bytes.includes('PING') && socket.write(text))));
    expect((await run('redis', await answering('+PONG\r\n'))).ok).toBe(true);
    expect((await run('redis', await answering('-NOAUTH Authentication required.\r\n'))).ok).toBe(true);
    expect((await run('redis', await answering('-LOADING data\r\n'))).text).toBe('answered "-LOADING data"');
  });

  it('mysql', async () => {
    const packet = (bytes: Buffer) => says(Buffer.concat([Buffer.of(bytes.length, 0, 0, 0), bytes]));
    expect((await run('mysql', await packet(Buffer.from('\x0a8.0.33\0rest')))).ok).toBe(true);
    const error = Buffer.concat([Buffer.of(0xff, 0x10, 0x04), Buffer.from('Too many connections')]);
    expect((await run('mysql', await packet(error))).text).toBe('refused: Too many connections');
  });

  it('postgres', async () => {
    const request = Buffer.of(0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f);
    const answering = (text: string) =>
      listen(net.createServer((socket) => socket.on('data', (bytes) => bytes.equals(request) && socket.write(text))));
    expect((await run('postgres', await answering('N'))).ok).toBe(true);
    expect((await run('postgres', await answering('S'))).ok).toBe(true);
    expect((await run('postgres', await answering('HTTP/1.1 400'))).ok).toBe(false);
  });
});

describe('udp and dns', () => {
  async function answers(answer: (bytes: Buffer) => Uint8Array | undefined): Promise<number> {
    const socket = dgram.createSocket('udp4');
    servers.push(socket);
    socket.on('message', (bytes, { port, address }) => {
      const reply = answer(bytes);
      if (reply !== undefined) socket.send(reply, port, address);
    });
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
    return socket.address().port;
  }

  it('udp judges the answer', async () => {
    const echo = await answers((bytes) => bytes);
    expect((await run('udp', echo, { send: 'hex:6f6b' })).ok).toBe(true);
    expect((await run('udp', echo, { send: 'ok', expect: 'ok' })).ok).toBe(true);
    expect((await run('udp', echo, { send: 'ok', expect: 'no' })).ok).toBe(false);
    const mute = await answers(() => undefined);
    expect((await run('udp', mute, { send: 'ok' })).text).toBe('no good answer within 0.4 s');
    expect((await run('udp', mute, { send: 'ok', reply: false })).ok).toBe(true);
    expect(await run('udp', await closedPort(), { send: 'ok', reply: false })).toEqual({
      ok: false,
      text: 'connection refused',
    });
  });

  it('dns judges the answer', async () => {
    // The question with one A record, 192.0.2.1, appended.
    const record = Buffer.of(0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1);
    const port = await answers((query) => {
      const question = query.subarray(12, query.indexOf(0, 12) + 5);
      const nothing = query.includes('nowhere');
      const head = Buffer.of(query[0]!, query[1]!, 0x81, nothing ? 0x83 : 0x80, 0, 1, 0, nothing ? 0 : 1, 0, 0, 0, 0);
      return Buffer.concat([head, question, ...(nothing ? [] : [record])]);
    });
    expect(await run('dns', port, { name: 'www.example.org' })).toEqual({ ok: true, text: '["192.0.2.1"]' });
    expect((await run('dns', port, { name: 'www.example.org', expect: '192.0.2.9' })).ok).toBe(false);
    expect((await run('dns', port, { name: 'nowhere.example.org' })).text).toMatch(/ENOTFOUND/);
    expect((await run('dns', await answers(() => undefined), { name: 'www.example.org' })).ok).toBe(false);
  });
});

describe('script and icmp', () => {
  const script = (text: string, more = {}) => run('script', 1, { command: ['/bin/sh', '-c', text], ...more });

  it("a script's exit codes are those of MISC_CHECK", async () => {
    expect(await script('exit 0')).toEqual({ ok: true, text: 'exit code 0' });
    expect(await script('echo disk full; exit 1')).toEqual({ ok: false, text: 'disk full' });
    expect(await script('exit 52')).toEqual({ ok: true, text: 'exit code 52', weight: 50 });
    expect((await script('echo $ULVS_DESTINATION $ULVS_PORT')).text).toBe('127.0.0.1:1 1');
    expect((await run('script', 1, { command: ['/no/such/program'] })).text).toMatch(/ENOENT/);
  });

  it('a script that hangs is killed with its children', async () => {
    const tag = `${process.pid}${Date.now()}`.slice(-9);
    expect((await script(`sleep ${tag} & sleep ${tag}`)).text).toBe('no good answer within 0.4 s');
    const find = async () => (await promisify(execFile)('ps', ['ax', '-o', 'args'])).stdout.includes(`sleep ${tag}`);
    for (let i = 0; i < 100 && (await find()); i++) await new Promise((done) => setTimeout(done, 20));
    expect(await find()).toBe(false);
  });

  it('a script that leaves a daemon behind is judged by its exit code', async () => {
    const began = performance.now();
    expect(await script('setsid sleep 2 & echo fine')).toEqual({ ok: true, text: 'fine' });
    expect(performance.now() - began).toBeLessThan(390);
  });

  it('icmp pings', async () => {
    expect(await run('icmp', 0, { timeout: 3000 })).toEqual({ ok: true, text: 'answered' });
  });
});

describe('sctp', () => {
  it('says so where the kernel has no SCTP', async () => {
    const { ok, text } = await run('sctp', await closedPort());
    expect(ok).toBe(false);
    expect(['the kernel of the director has no SCTP', 'connection refused']).toContain(text);
  });
});

it('every type has words and options for the documents', () => {
  for (const { good } of Object.values(CHECKERS)) expect(good).toMatch(/^[a-z].{8,}/);
});
