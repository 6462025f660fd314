/**
 * The server of the console: HTTP or HTTPS on a Unix socket or a loopback address.
 *
 *     request ─► own Host? ─► own Origin? ─┬─► files of the page, login
 *                                          └─► logged in? ─► may act? ─► api.ts ─► the director
 */
import { lstatSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { RefusedError } from '../api/ask.js';
import type { Listen } from '../config/metrics-schema.js';
import { Access, isOwnHost, isOwnOrigin, type User } from './access.js';
import { type ClientFor, ConsoleApi, ConsoleError, mayAct } from './api.js';
import type { ConsoleExtras } from './extras.js';
import { loginPage, type PageFile, pageFiles } from './files.js';

export interface ConsoleOptions {
  readonly listen: Listen;
  readonly tls?: ConsoleTls | undefined;
  /** Who logs in by which token. */
  readonly tokens: ConstructorParameters<typeof Access>[0];
  /** Where the token is, for the login form. */
  readonly tokenFile: string;
  readonly clientFor: ClientFor;
  readonly extras?: ConsoleExtras;
}

/** PEM texts are read from these files. With `ca` a client needs a certificate. */
export interface ConsoleTls {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | undefined;
  /** Names and fingerprints of certificates whose users only look. */
  readonly readers?: readonly string[] | undefined;
}

export interface ConsoleServer {
  /** `http://127.0.0.1:9732/`, or the path of the socket. */
  readonly address: string;
  close(): Promise<void>;
}

/** Bytes of a request's body. */
const BODY = 256 * 1024;

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Starts the server. Rejects with an Error of one line. */
export async function serveConsole(options: ConsoleOptions): Promise<ConsoleServer> {
  const pages = new ConsoleRequests(options, pageFiles());
  const handler = (request: IncomingMessage, response: ServerResponse) => void pages.answer(request, response);
  const server = options.tls === undefined ? createServer(handler) : createTlsServer(tlsOf(options.tls), handler);
  await listening(server, options.listen);
  return {
    address: addressOf(server, options),
    close: () => {
      pages.close();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function tlsOf({ cert, key, ca }: ConsoleTls) {
  const files = { cert: read(cert), key: read(key), minVersion: 'TLSv1.2' } as const;
  return ca === undefined ? files : { ...files, ca: read(ca), requestCert: true, rejectUnauthorized: true };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`console: ${(error as Error).message}`);
  }
}

async function listening(server: Server, listen: Listen): Promise<void> {
  if ('path' in listen) removeSocket(listen.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`console: ${error.message}`)));
    // A socket is for its owner. Node binds it within this call.
    const mask = process.umask(0o177);
    server.listen(listen, resolve);
    process.umask(mask);
  });
}

/** Removes the socket of a console before; never another file. */
function removeSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false)
    throw new Error(`console: ${path} is not a socket: name another path`);
  rmSync(path, { force: true });
}

function addressOf(server: Server, { tls, listen }: ConsoleOptions): string {
  if ('path' in listen) return listen.path;
  const bound = server.address();
  const port = typeof bound === 'object' ? bound?.port : listen.port;
  return `${tls === undefined ? 'http' : 'https'}://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}/`;
}

/** Answers the requests of one console. */
class ConsoleRequests {
  private readonly access: Access;
  private readonly api: ConsoleApi;

  constructor(
    private readonly options: ConsoleOptions,
    private readonly files: ReadonlyMap<string, PageFile>,
  ) {
    this.access = new Access(options.tokens, options.tls?.readers);
    this.api = new ConsoleApi(options.clientFor, options.extras ?? {});
  }

  close(): void {
    this.api.close();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    try {
      if (!isOwnHost(request.headers.host)) throw new ConsoleError('this host name is not of the console', 421);
      if (!isOwnOrigin(request)) throw new ConsoleError('the request comes from another page', 403);
      await this.route(request, response, new URL(request.url ?? '/', 'http://localhost'));
    } catch (error) {
      fail(response, error);
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse, { pathname, searchParams }: URL) {
    const isPost = request.method === 'POST';
    if (!isPost && request.method !== 'GET') throw new ConsoleError('GET and POST only', 405);
    if (isPost && pathname === '/login') return this.login(request, response);
    const user = this.access.userOf(request);
    const file = isPost ? undefined : this.files.get(pathname);
    if (file !== undefined && (user !== undefined || pathname !== '/'))
      return send(response, 200, file.type, file.bytes);
    if (pathname === '/') return this.form(response, 200, '');
    if (user === undefined) throw new ConsoleError('log in first', 401);
    if (isPost) return this.act(request, response, pathname, user);
    if (pathname === '/api/live') return this.watch(response);
    const ask = Object.hasOwn(this.api.asks, pathname) ? this.api.asks[pathname] : undefined;
    if (ask === undefined) throw new ConsoleError('there is no such page', 404);
    json(response, await ask(user, searchParams));
  }

  private async act(request: IncomingMessage, response: ServerResponse, path: string, user: User): Promise<void> {
    if (path === '/logout') {
      response.setHeader('set-cookie', this.access.logout(request));
      return redirect(response);
    }
    const act = Object.hasOwn(this.api.acts, path) ? this.api.acts[path] : undefined;
    if (act === undefined) throw new ConsoleError('there is no such action', 404);
    if (!mayAct(user)) throw new ConsoleError('you may look, but not change anything', 403);
    if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
      throw new ConsoleError('the body must be JSON', 415);
    json(response, await act(user, parsed(await bodyOf(request))));
  }

  private async login(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = new URLSearchParams(await bodyOf(request)).get('token') ?? '';
    const cookie = this.access.login(token.trim(), request);
    if (cookie === undefined) return this.form(response, 401, 'This token is wrong, or too many were wrong before.');
    response.setHeader('set-cookie', cookie);
    redirect(response);
  }

  private form(response: ServerResponse, status: number, complaint: string): void {
    send(response, status, 'text/html; charset=utf-8', loginPage(this.options.tokenFile, complaint));
  }

  private watch(response: ServerResponse): void {
    if (!this.api.live.add(response)) throw new ConsoleError('too many pages are open', 503);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > BODY) throw new ConsoleError('the body is too long', 413);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConsoleError('the body is not JSON');
  }
}

function redirect(response: ServerResponse): void {
  response.writeHead(303, { location: '/' });
  response.end();
}

function json(response: ServerResponse, value: unknown): void {
  send(response, 200, 'application/json', JSON.stringify(value));
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { 'content-type': type });
  response.end(body);
}

/** An error as JSON; one that nobody expects has the status 500. */
function fail(response: ServerResponse, error: unknown): void {
  const status = error instanceof ConsoleError ? error.status : error instanceof RefusedError ? 409 : 500;
  if (response.headersSent) return void response.destroy();
  if (status === 413) response.setHeader('connection', 'close');
  send(response, status, 'application/json', JSON.stringify({ error: (error as Error).message }));
}
