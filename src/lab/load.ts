/** The program on the client: `node load.js JOB`, JOB as JSON (job.ts). Prints lines of JSON: progress, then the result. */
import { createHash } from 'node:crypto';
import dgram from 'node:dgram';
import http from 'node:http';
import net from 'node:net';
import type { Answer, Job, Line, Result, Target } from './job.js';

const PATIENCE_MS = 8000;
const CONNECT_PATIENCE_MS = 15_000;

function say(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function textOf({ address, port }: Target): string {
  return `${address}:${port}`;
}

/** `rs1 answers 10.0.0.1:40000 at 192.168.1.11:8080` -> who, and whom it saw. */
function answerOf(body: string, localPort: number, target: Target): Answer {
  const [name = '', , seen = ''] = body.trim().split(' ');
  return { name, localPort, target: textOf(target), seen };
}

/** GET over a connection of its own, or over `socket`. `onData` takes the body as it comes. */
function get(target: Target, path: string, onData: (chunk: Buffer) => void, socket?: net.Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: target.address, port: target.port, path, agent: false, timeout: PATIENCE_MS } as const;
    const own = socket ? { createConnection: () => socket } : {};
    let localPort = 0;
    const request = http.get({ ...options, ...own, headers: { connection: 'close' } }, (response) => {
      localPort = response.socket.localPort ?? 0;
      response.on('data', onData).on('error', reject);
      response.on('end', () =>
        response.statusCode === 200 ? resolve(localPort) : reject(new Error(`HTTP ${response.statusCode}`)),
      );
    });
    request.on('timeout', () => request.destroy(new Error(`silent for ${PATIENCE_MS / 1000} s`)));
    request.on('error', reject);
  });
}

async function ask(target: Target, socket?: net.Socket): Promise<Answer> {
  let body = '';
  const localPort = await get(target, '/', (chunk) => (body += chunk), socket);
  return answerOf(body, localPort, target);
}

/** Runs `one` for 0..count-1, at most `concurrency` at a time; failures become errors of the result. */
async function each(count: number, concurrency: number, one: (i: number) => Promise<Answer[]>): Promise<Result> {
  const result: Result = { answers: [], errors: [], ms: 0 };
  const began = performance.now();
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < count) {
      const i = next++;
      await one(i).then(
        (answers) => result.answers.push(...answers),
        (error: Error) => result.errors.push(`#${i}: ${error.message}`),
      );
      if (++done % 10 === 0) say({ progress: [done, count] });
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker));
  result.ms = performance.now() - began;
  return result;
}

function connect(target: Target): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(target.port, target.address, () => {
      clearTimeout(timer);
      resolve(socket);
    });
    const timer = setTimeout(() => socket.destroy(new Error('not connected')), CONNECT_PATIENCE_MS);
    socket.on('error', reject);
  });
}

/** The first request goes out only when the last client is connected (or has failed). */
async function together({ targets, count }: Extract<Job, { kind: 'together' }>): Promise<Result> {
  const sockets = Array.from({ length: count }, (_, i) => connect(targets[i % targets.length]!));
  await Promise.allSettled(sockets);
  return each(count, count, async (i) => [await ask(targets[i % targets.length]!, await sockets[i]!)]);
}

async function download({ target, bytes }: Extract<Job, { kind: 'download' }>): Promise<Result> {
  const hash = createHash('sha256');
  let got = 0;
  let shown = 0;
  const result = await each(1, 1, async () => {
    await get(target, `/big?bytes=${bytes}`, (chunk) => {
      hash.update(chunk);
      got += chunk.length;
      if (got - shown <= bytes / 20) return;
      say({ progress: [got, bytes] });
      shown = got;
    });
    return [];
  });
  return { ...result, bytes: got, sha256: hash.digest('hex') };
}

async function echo({ targets, count, each: datagrams }: Extract<Job, { kind: 'echo' }>): Promise<Result> {
  return each(count, 10, async (i) => {
    const target = targets[i % targets.length]!;
    const socket = dgram.createSocket('udp4');
    await new Promise<void>((resolve, reject) =>
      socket.once('error', reject).connect(target.port, target.address, () => resolve()),
    );
    try {
      const answers: Answer[] = [];
      for (let n = 0; n < datagrams; n++) answers.push(await echoOne(socket, target, `datagram ${i}.${n}`));
      return answers;
    } finally {
      socket.close();
    }
  });
}

function echoOne(socket: dgram.Socket, target: Target, text: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no echo from ${textOf(target)}`)), PATIENCE_MS);
    socket.once('message', (message) => {
      clearTimeout(timer);
      const [name = '', ...rest] = String(message).split(' ');
      if (rest.join(' ') !== text) reject(new Error(`echo of "${text}" came back as "${message}"`));
      else resolve({ name, localPort: socket.address().port, target: textOf(target), seen: '' });
    });
    socket.send(text);
  });
}

async function run(job: Job): Promise<Result> {
  if (job.kind === 'download') return download(job);
  if (job.kind === 'echo') return echo(job);
  if (job.kind === 'together') return together(job);
  return each(job.count, job.concurrency, async (i) => [await ask(job.targets[i % job.targets.length]!)]);
}

run(JSON.parse(process.argv[2] ?? '') as Job).then(
  (result) => say({ result }),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
