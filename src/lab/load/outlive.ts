/**
 * The client's job for a failover: downloads at a steady rate, and idle connections, all opened
 * before and used afterwards.
 *
 *     idle connections: one request each ─► downloads ─ (a director fails meanwhile) ─► end ─► one more request on each
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import type { Answer, Result, Target, WorkOf } from './job.js';
import { endpointOf, printLine, runAll } from './run-all.js';

/** Longer than a failover and the retransmission after it. */
const PATIENCE_MS = 30_000;
const CONCURRENCY = 50;

export async function outlive(job: WorkOf<'outlive'>): Promise<Result> {
  const began = performance.now();
  const idle = Array.from(
    { length: job.count },
    (_, i) => new IdleConnection(job.targets[i % job.targets.length]!, job.firstPort + i),
  );
  const first = await runAll(job.count, CONCURRENCY, async (i) => [await idle[i]!.ask()]);
  const downloads = await Promise.all(
    job.targets.map((target, i) => download(job, target, job.firstPort + job.count + i, i)),
  );
  const second = await runAll(job.count, CONCURRENCY, async (i) => [await idle[i]!.ask()]);
  for (const one of idle) one.close();
  return {
    answers: second.answers,
    errors: [...first.errors, ...downloads.flatMap(({ error }) => (error === '' ? [] : [error])), ...second.errors],
    ms: Math.round(performance.now() - began),
    downloads: downloads.map(({ sha256, gap }) => ({ sha256, gap })),
  };
}

/** A connection that is kept open between two requests. */
class IdleConnection {
  private readonly agent: http.Agent;

  constructor(
    private readonly target: Target,
    private readonly localPort: number,
  ) {
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  }

  ask(): Promise<Answer> {
    const { address: host, port } = this.target;
    const { agent, localPort } = this;
    return new Promise((resolve, reject) => {
      const options = { host, port, path: '/', agent, localPort, timeout: PATIENCE_MS };
      const request = http.get(options, (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('error', reject);
        response.on('end', () => resolve(this.answer(body)));
      });
      request.on('timeout', () =>
        request.destroy(new Error(`port ${localPort}: no answer for ${PATIENCE_MS / 1000} s`)),
      );
      request.on('error', reject);
    });
  }

  private answer(body: string): Answer {
    const [name = '', , seen = '', , at = ''] = body.trim().split(' ');
    return { name, localPort: this.localPort, target: endpointOf(this.target), seen, at };
  }

  close(): void {
    this.agent.destroy();
  }
}

interface Downloaded {
  readonly sha256: string;
  /** Longest time without data, in ms. */
  readonly gap: number;
  readonly error: string;
}

function download(job: WorkOf<'outlive'>, target: Target, localPort: number, number: number): Promise<Downloaded> {
  const { bytes, rate } = job;
  const hash = createHash('sha256');
  let got = 0;
  let gap = 0;
  let last = performance.now();
  return new Promise((resolve) => {
    const end = (error: string) =>
      resolve({ sha256: error === '' ? hash.digest('hex') : '', gap: Math.round(gap), error });
    const path = `/big?bytes=${bytes}&rate=${rate}`;
    const options = {
      host: target.address,
      port: target.port,
      path,
      localPort,
      agent: false as const,
      timeout: PATIENCE_MS,
    };
    const request = http.get(options, (response) => {
      response.on('data', (chunk: Buffer) => {
        const now = performance.now();
        gap = Math.max(gap, now - last);
        last = now;
        hash.update(chunk);
        got += chunk.length;
        if (number === 0) printLine({ progress: [got, bytes] });
      });
      response.on('end', () => end('')).on('error', (error) => end(`download: ${error.message}`));
    });
    request.on('timeout', () => request.destroy(new Error(`no data for ${PATIENCE_MS / 1000} s`)));
    request.on('error', (error) => end(`download: ${error.message}`));
  });
}
