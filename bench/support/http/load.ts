/** The load from the client: wrk for requests, iperf3 for bulk data. */

import { LabError } from '../../../src/lab/error.js';
import { namespaceOf } from '../../../src/lab/names.js';
import { inNamespace } from '../../../src/sys/command.js';
import { pinned } from './placement.js';
import type { Scene } from './scene.js';
import { VIP } from './site.js';

export const WEB_PORT = 80;
export const BULK_PORT = 5201;
const CONNECTIONS = 64;
const PATIENCE_S = 10;
/** Share of requests that may fail. */
const TOLERATED = 0.01;

/** A script for wrk that prints the figures as JSON. Latencies are in µs. */
export const WRK_SCRIPT = `
done = function(summary, latency)
  local e = summary.errors
  print(string.format('{"requests":%d,"us":%d,"failed":%d,"p50":%d,"p99":%d}', summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
`;

export interface Served {
  readonly requests: number;
  readonly us: number;
  readonly failed: number;
  /** Latencies in µs. */
  readonly p50: number;
  readonly p99: number;
}

/**
 * Runs wrk with 64 connections that are always busy. `close`: a new connection for each request.
 * Throws a LabError when no request is answered or more than 1 % fail.
 */
export async function requests(
  { site, place, directory }: Scene,
  { path, close, seconds }: { path: string; close: boolean; seconds: number },
): Promise<Served> {
  const words = [
    'wrk',
    '-t1',
    `-c${CONNECTIONS}`,
    `-d${seconds}s`,
    '--timeout',
    `${PATIENCE_S}s`,
    '-s',
    `${directory}/wrk.lua`,
  ];
  const header = close ? ['-H', 'Connection: close'] : [];
  const url = `http://${VIP}:${WEB_PORT}${path}`;
  const line = [...bounded(seconds), ...pinned(place, 'other'), ...words, ...header, url];
  const { stdout } = await inNamespace(namespaceOf(site.id, 'client'), ...line);
  const found = /^\{.*\}$/m.exec(stdout);
  if (!found) throw new LabError(`wrk printed no figures: ${stdout.trim()}`);
  const served = JSON.parse(found[0]) as Served;
  if (served.requests === 0) throw new LabError('wrk: no request was answered');
  if (served.failed > served.requests * TOLERATED)
    throw new LabError(`wrk: ${served.requests} requests were answered, ${served.failed} failed`);
  return served;
}

/** Sends two streams to realserver 1 through `address`. Returns the Gbit/s that it received. */
export async function bulk({ site, place }: Scene, address: string, seconds: number): Promise<number> {
  const words = ['iperf3', '-c', address, '-p', String(BULK_PORT), '-P', '2', '-t', String(seconds), '-J'];
  const line = [...bounded(seconds), ...pinned(place, 'other'), ...words];
  const { stdout } = await inNamespace(namespaceOf(site.id, 'client'), ...line);
  const { end } = JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second / 1e9;
}

function bounded(seconds: number): string[] {
  return ['timeout', String(seconds + PATIENCE_S)];
}
