/** Client of the control socket (protocol: socket.ts). */
import { createConnection, type Socket } from 'node:net';
import type { AdminClient, AdminReply, AdminRequest } from './api.js';
import { Lines } from './lines.js';
import { isLongBatch, shortened } from './short-batch.js';
import { defaultSocket, otherSockets } from './socket-path.js';

/** Time, in ms, without data after which a request fails. */
const DEADLINE_MS = 10_000;
/** Other sockets that an error names. */
const MOST_NAMED = 4;
const HELLO_MS = 1000;
/** Characters of a line: a listing of a million connections is one line. */
const LINE_LIMIT = 2 ** 29;

interface Answer {
  id: number | null;
  reply?: AdminReply;
  pid?: number;
  short?: boolean;
  error?: string;
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
  /** Restarts with all data received. */
  readonly timer: NodeJS.Timeout;
}

/** Sends requests to a director. Rejects with an Error of one line for the user. */
export class SocketClient implements AdminClient {
  private readonly waiting = new Map<number, Waiting>();
  private readonly lines = new Lines(LINE_LIMIT);
  private socket: Socket | undefined;
  private nextId = 1;
  /** Whether the director takes the short form of batches; undefined: it was not asked yet. */
  private short: boolean | undefined;
  private greeting: Promise<void> | undefined;

  constructor(
    readonly path: string,
    private readonly deadlineMs = DEADLINE_MS,
  ) {}

  async request(request: AdminRequest): Promise<AdminReply> {
    if (isLongBatch(request) && this.short === undefined) this.greeting ??= this.greet();
    // Requests are sent in the order in which they were made.
    if (this.greeting !== undefined) await this.greeting;
    const { reply, error } = await this.ask(request);
    if (reply) return reply;
    throw new Error(`the director on ${this.path} refused the request: ${error ?? 'no reply in its answer'}`);
  }

  /** The process id of the director. */
  async hello(): Promise<number | undefined> {
    return (await this.ask(undefined)).pid;
  }

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
  }

  private async ask(request: AdminRequest | undefined): Promise<Answer> {
    const socket = this.socket ?? this.connect();
    const id = this.nextId++;
    const answer = this.expect(id);
    const sent = this.short === true && isLongBatch(request) ? shortened(request) : request;
    socket.write(`${JSON.stringify({ v: 1, id, request: sent })}\n`);
    return answer;
  }

  private async greet(): Promise<void> {
    this.short = (await this.ask(undefined)).short === true;
    this.greeting = undefined;
  }

  private async expect(id: number): Promise<Answer> {
    const silent = new Error(`the director on ${this.path} does not answer`);
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.waiting.set(id, { resolve, reject, timer: setTimeout(reject, this.deadlineMs, silent) });
      });
    } finally {
      clearTimeout(this.waiting.get(id)?.timer);
      this.waiting.delete(id);
    }
  }

  private connect(): Socket {
    const socket = createConnection(this.path);
    socket.on('data', (chunk) => this.receive(chunk));
    socket.on('error', async (error) => this.fail(new Error(await this.explain(error))));
    socket.on('close', (hadError) => {
      if (!hadError) this.fail(new Error(`the director on ${this.path} closed the connection`));
    });
    this.socket = socket;
    return socket;
  }

  private receive(chunk: Buffer): void {
    for (const { timer } of this.waiting.values()) timer.refresh();
    const complete = this.lines.push(chunk);
    if (!complete) return this.fail(new Error(`the director on ${this.path} sent a line that is too long`));
    for (const line of complete) this.deliver(line);
  }

  private deliver(line: string): void {
    const answer = parseAnswer(line);
    if (!answer) return this.fail(new Error(`what listens on ${this.path} is not a director`));
    if (answer.id !== null) this.waiting.get(answer.id)?.resolve(answer);
    else for (const waiting of this.waiting.values()) waiting.resolve(answer);
  }

  private fail(error: Error): void {
    this.close();
    for (const waiting of this.waiting.values()) waiting.reject(error);
  }

  private async explain({ code, message }: NodeJS.ErrnoException): Promise<string> {
    if (isGone(code)) {
      const others =
        this.path === defaultSocket() ? (await listening(otherSockets(this.path))).slice(0, MOST_NAMED) : [];
      const verb = others.length === 1 ? 'is' : 'are';
      const hint = others.length === 0 ? '' : `; there ${verb} ${others.join(', ')}`;
      return `no director is listening on ${this.path} (start one with \`ulvs run -c director.yaml\`, or name its socket with --socket${hint})`;
    }
    if (code === 'EACCES' || code === 'EPERM')
      return `${this.path}: permission denied; run as root or as the user of the director`;
    return `${this.path}: ${message}`;
  }
}

function parseAnswer(line: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'id' in value ? (value as Answer) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The process that listens on a socket; undefined: none. `pid` is known when a director answers
 * within a second.
 */
export async function whoListens(path: string): Promise<{ pid: number | undefined; foreign?: true } | undefined> {
  const failure = await tryConnect(path);
  if (isGone(failure)) return undefined;
  if (failure === 'EACCES') return { pid: undefined, foreign: true };
  const client = new SocketClient(path, HELLO_MS);
  const pid = await client.hello().catch(() => undefined);
  client.close();
  return { pid };
}

/** Those sockets on which a process listens. A director that was killed leaves its socket. */
async function listening(paths: readonly string[]): Promise<string[]> {
  const failures = await Promise.all(paths.map(tryConnect));
  return paths.filter((_, index) => !isGone(failures[index]));
}

/** The code of the error with which connect(2) fails; undefined: it succeeds. */
function tryConnect(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}

/**
 * The error means that no process listens. A full backlog (EAGAIN) or a foreign owner (EACCES) does
 * not.
 */
function isGone(code: string | undefined): boolean {
  return code === 'ECONNREFUSED' || code === 'ENOENT';
}
