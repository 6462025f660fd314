/** The client's HTTP jobs: requests, simultaneous clients, a download. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import type { Answer, Result, Target, WorkOf } from './job.js';
import { endpointOf, printLine, runAll } from './run-all.js';

const PATIENCE_MS = 8000;
const CONNECT_PATIENCE_MS = 15_000;

/** A new connection from a given local port, or an existing one. */
type From = { localPort: number } | { createConnection: () => net.Socket };

interface Got {
  localPort: number;
  name: string;
}

/** Sends a GET request; `onData` gets the chunks of the body. */
function get(target: Target, path: string, from: From, onData: (chunk: Buffer) => void): Promise<Got> {
  return new Promise((resolve, reject) => {
    // With any agent, even with none (false), Node.js ignores createConnection and makes a second
    // connection.
    const own = 'localPort' in from ? { ...from, agent: false as const } : from;
    const options = { host: target.address, port: target.port, path, timeout: PATIENCE_MS, ...own };
    const request = http.get({ ...options, headers: { connection: 'close' } }, (response) => {
      const got = { localPort: response.socket.localPort ?? 0, name: String(response.headers['x-realserver']) };
      const refused = response.statusCode === 200 ? undefined : new Error(`HTTP ${response.statusCode}`);
      response.on('data', onData).on('error', reject);
      response.on('end', () => (refused ? reject(refused) : resolve(got)));
    });
    request.on('timeout', () => request.destroy(new Error(`no data for ${PATIENCE_MS / 1000} s`)));
    request.on('error', reject);
  });
}

/**
 * Requests / and parses the answer, `rs1 answers 10.0.0.1:40000 at 192.168.1.11:8080`: the
 * realserver, the client that it saw, and its own address.
 */
async function ask(target: Target, from: From): Promise<Answer> {
  let body = '';
  const { localPort } = await get(target, '/', from, (chunk) => {
    body += chunk;
  });
  const [name = '', , seen = '', , at = ''] = body.trim().split(' ');
  return { name, localPort, target: endpointOf(target), seen, at };
}

export function requests({ targets, count, concurrency, firstPort }: WorkOf<'requests'>): Promise<Result> {
  return runAll(count, concurrency, async (i) => [
    await ask(targets[i % targets.length]!, { localPort: firstPort + i }),
  ]);
}

function connect({ address: host, port }: Target, localPort: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, localPort }, () => resolve(socket));
    const timer = setTimeout(
      () => socket.destroy(new Error(`not connected after ${CONNECT_PATIENCE_MS / 1000} s`)),
      CONNECT_PATIENCE_MS,
    );
    socket.on('connect', () => clearTimeout(timer));
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** Connects all clients; the first request is sent once the last one is connected or has failed. */
export async function simultaneous({ targets, count, firstPort }: WorkOf<'simultaneous'>): Promise<Result> {
  const sockets = Array.from({ length: count }, (_, i) => connect(targets[i % targets.length]!, firstPort + i));
  await Promise.allSettled(sockets);
  return runAll(count, count, async (i) => {
    const socket = await sockets[i]!;
    return [await ask(targets[i % targets.length]!, { createConnection: () => socket })];
  });
}

export async function download({ target, bytes, firstPort }: WorkOf<'download'>): Promise<Result> {
  const hash = createHash('sha256');
  let got = 0;
  let shown = 0;
  const result = await runAll(1, 1, async () => {
    const answer = await get(target, `/big?bytes=${bytes}`, { localPort: firstPort }, (chunk) => {
      hash.update(chunk);
      got += chunk.length;
      if (got - shown <= bytes / 20) return;
      printLine({ progress: [got, bytes] });
      shown = got;
    });
    return [{ ...answer, target: endpointOf(target), seen: '', at: '' }];
  });
  return { ...result, bytes: got, sha256: hash.digest('hex') };
}
