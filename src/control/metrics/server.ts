/**
 * Serves /metrics by HTTP, on a Unix socket or a loopback address. Everything is read from the
 * control thread's own state and from shared memory: a scrape does not touch the dataplane.
 */
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AdminClient } from '../api/api.js';
import { ask } from '../api/ask.js';
import type { Listen } from '../config/metrics-schema.js';
import type { MetricsDetail } from './text.js';

export interface MetricsServer {
  close(): Promise<void>;
}

/** Content type of the text format. */
const TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Starts the server. Rejects with an Error of one line. */
export async function serveMetrics(listen: Listen, detail: MetricsDetail, client: AdminClient): Promise<MetricsServer> {
  const server = createServer((request, response) => void answer(request, response, () => read(client, detail)));
  if ('path' in listen) rmSync(listen.path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`metrics: ${error.message}`)));
    server.listen(listen, resolve);
  });
  return { close: () => close(server) };
}

async function read(client: AdminClient, detail: MetricsDetail): Promise<string> {
  const { status } = await ask(client, { op: 'status' });
  const { services = [] } = await ask(client, { op: 'list' });
  const { health = [] } = await ask(client, { op: 'health' });
  if (status === undefined) throw new Error('no status');
  // Loaded when somebody asks: a director without metrics starts without it.
  const { metricsText } = await import('./text.js');
  return metricsText({ status, services, health }, detail);
}

async function answer(
  { method = '', url = '' }: IncomingMessage,
  response: ServerResponse,
  text: () => Promise<string>,
): Promise<void> {
  if (url.split('?')[0] !== '/metrics') return end(response, 404, 'text/plain', 'the metrics are at /metrics\n');
  if (method !== 'GET' && method !== 'HEAD') return end(response, 405, 'text/plain', 'GET only\n');
  try {
    end(response, 200, TYPE, await text());
  } catch (error) {
    end(response, 500, 'text/plain', `${(error as Error).message}\n`);
  }
}

function end(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type });
  response.end(text);
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
