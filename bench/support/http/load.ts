/** What the client does: wrk for requests, iperf3 for bytes. */

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

/** wrk prints figures for people; this prints them for us. Latencies in µs. */
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

/** 64 connections that are always busy. `close`: a new one for each request. */
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
  if (!found) throw new LabError(`wrk said nothing of use: ${stdout.trim()}`);
  const served = JSON.parse(found[0]) as Served;
  if (served.requests === 0) throw new LabError('wrk: no request was answered');
  if (served.failed > served.requests * TOLERATED)
    throw new LabError(`wrk: ${served.requests} requests were answered, ${served.failed} failed`);
  return served;
}

/** Two streams to realserver 1 by way of `address`; Gbit/s that it received. */
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
