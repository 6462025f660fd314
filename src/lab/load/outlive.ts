/**
 * The client's job for a failover: downloads at a steady rate, and idle connections, all opened
 * before and used afterwards.
 *
 *     idle connections: one request each ─► downloads ─ (a director fails meanwhile) ─► end ─► one more request on each
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import type { Answer, Result, Target, WorkOf } from './job.js';
import { endpointOf, printLine, runAll } from './run-all.js';

/** Longer than a failover and the retransmission after it. */
const PATIENCE_MS = 30_000;
const CONCURRENCY = 50;

export async function outlive(job: WorkOf<'outlive'>): Promise<Result> {
  const began = performance.now();
  const idle: IdleConnection[] = [];
  const first = await runAll(job.count, CONCURRENCY, async (i) => {
    idle[i] = new IdleConnection(job.targets[i % job.targets.length]!, job.firstPort + i);
    return [await idle[i].ask()];
  });
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

/** A connection that is kept open between two requests. It is never opened again. */
class IdleConnection {
  private readonly socket: net.Socket;
  private text = '';
  private error = '';
  private wake = () => {};

  constructor(
    private readonly target: Target,
    private readonly localPort: number,
  ) {
    this.socket = net.connect({ host: target.address, port: target.port, localPort });
    this.socket.on('data', (chunk) => this.note(() => (this.text += chunk)));
    this.socket.on('error', ({ message }) => this.note(() => (this.error = message)));
    this.socket.on('close', () => this.note(() => (this.error ||= 'closed by the other side')));
  }

  private note(change: () => void): void {
    change();
    this.wake();
  }

  /** Sends a request and resolves with its answer. */
  async ask(): Promise<Answer> {
    const { address, port } = this.target;
    this.text = '';
    if (this.error === '') this.socket.write(`GET / HTTP/1.1\r\nHost: ${address}:${port}\r\n\r\n`);
    await this.answered();
    if (this.error !== '') throw new Error(`port ${this.localPort}: ${this.error}`);
    const [name = '', , seen = '', , at = ''] = this.text.split('\r\n\r\n')[1]!.trim().split(' ');
    return { name, localPort: this.localPort, target: endpointOf(this.target), seen, at };
  }

  private async answered(): Promise<void> {
    const late = setTimeout(() => this.note(() => (this.error = `no answer for ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    while (this.error === '' && !/\r\n\r\n.*\n/s.test(this.text))
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    clearTimeout(late);
  }

  close(): void {
    this.socket.destroy();
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
