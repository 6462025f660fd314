/**
 * What a realserver serves and counts: HTTP (`/`, `/big?bytes=N`, with `&rate=R` at R bytes a
 * second, `/count`) and a UDP echo that adds its name.
 */
import dgram from 'node:dgram';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { endpoint } from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import { byteStream, pacedStream } from '../load/bytes.js';

/** The counters of a service; `flows` are distinct UDP client addresses and ports. */
export interface Count {
  name: string;
  connections: number;
  requests: number;
  datagrams: number;
  flows: number;
}

/** Time for which an idle connection is kept, in ms: longer than any check waits. */
const KEPT_MS = 120_000;

export class RealService {
  private readonly flows = new Set<string>();
  private readonly count: Count;

  constructor(readonly name: string) {
    this.count = { name, connections: 0, requests: 0, datagrams: 0, flows: 0 };
  }

  get counted(): Count {
    return { ...this.count, flows: this.flows.size };
  }

  /** An HTTP server that does not listen yet. `counting` is false for the lab's own requests. */
  httpServer(counting = true): http.Server {
    const server = http.createServer((request, response) => this.answer(request, response, counting));
    server.keepAliveTimeout = KEPT_MS;
    if (counting) server.on('connection', () => this.count.connections++);
    return server;
  }

  /**
   * Binds a UDP socket and echoes datagrams. Each address has its own socket, so that the source
   * address of an echo is the one that was asked.
   */
  async echo(address: string, port: number): Promise<dgram.Socket> {
    const socket = dgram.createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.on('message', (message, from) => {
      this.count.datagrams++;
      this.flows.add(`${from.address}:${from.port}>${address}`);
      socket.send(`${this.name} ${message}`, from.port, from.address);
    });
    await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(port, address, resolve));
    return socket;
  }

  private answer(request: http.IncomingMessage, response: http.ServerResponse, counting: boolean): void {
    const url = new URL(request.url ?? '/', 'http://realserver');
    response.setHeader('x-realserver', this.name);
    if (counting && url.pathname !== '/count') this.count.requests++;
    if (url.pathname === '/count') response.end(`${JSON.stringify(this.counted)}\n`);
    else if (url.pathname === '/big') this.big(url, response);
    else if (url.pathname === '/') response.end(`${this.name} answers ${seen(request.socket)}\n`);
    else response.writeHead(404).end('no such path; try /, /big?bytes=N or /count\n');
  }

  private big(url: URL, response: http.ServerResponse): void {
    const bytes = Number(url.searchParams.get('bytes') ?? Number.NaN);
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      response.writeHead(400).end('bytes must be a whole number: /big?bytes=1000\n');
      return;
    }
    response.setHeader('content-length', bytes);
    const rate = Number(url.searchParams.get('rate') ?? 0);
    const body = rate > 0 ? pacedStream(bytes, rate) : byteStream(bytes);
    response.on('close', () => body.destroy());
    body.pipe(response);
  }
}

/** Client and local address of a connection: `10.0.0.1:40000 at 192.168.1.11:8080`. */
function seen(socket: Socket): string {
  const here = socket.address() as AddressInfo;
  return `${endpoint(socket.remoteAddress!, socket.remotePort!)} at ${endpoint(here.address, here.port)}`;
}
