/**
 * Sessions of the control socket. Requests of one session are answered in turn, and not read faster
 * than the client reads the answers. Those of a client that has left are not worked off.
 *
 *     bytes ─► lines ─► is the client there? ─► room for one more answer? ─► handler ─► answer ─► does it take it?
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasHungUp, type Peer } from '../../sys/peer.js';
import type { AdminReply, AdminRequest } from './api.js';
import type { Limits } from './limits.js';
import { Lines } from './lines.js';
import { READING } from './reading.js';
import { PROTOCOL, readEnvelope } from './schema.js';
import { version } from './version.js';

/** Who asks: a process, or in its name a user of the console. */
export interface Asker extends Peer {
  readonly user?: string;
}

/** Answers a request. */
export type Handler = (request: AdminRequest, asker: Asker) => Promise<AdminReply> | AdminReply;

/** Pause, in ms, before it is looked again whether there is room for an answer. */
const ROOM_CHECK_MS = 20;

/** All sessions of a director, whatever socket they came by. */
export class Sessions {
  private readonly all = new Set<Session>();

  constructor(
    private readonly handler: Handler,
    private readonly limits: Limits,
  ) {}

  /** Takes over a connected client. `readOnly`: it may only ask. */
  add(socket: Socket, fd: number, peer: Peer, readOnly: boolean): void {
    if (this.all.size >= this.limits.sessions) this.idlest()?.end('there are too many sessions, and this one was idle');
    const session = new Session(socket, fd, peer, readOnly, this.handler, this, this.limits);
    if (this.all.size >= this.limits.sessions) return session.end('there are too many sessions: try again');
    this.all.add(session);
    socket.once('close', () => this.all.delete(session));
    void session.run().catch(() => socket.destroy());
  }

  /** Resolves when the answers that wait for readers leave room for one more. */
  async room(): Promise<void> {
    while (this.sum(({ unsent }) => unsent) > this.limits.unsent) await sleep(ROOM_CHECK_MS);
  }

  /** The incomplete requests of all sessions are within their limit. */
  get fits(): boolean {
    return this.sum(({ incomplete }) => incomplete) <= this.limits.incomplete;
  }

  private idlest(): Session | undefined {
    const idle = [...this.all].filter(({ isIdle }) => isIdle);
    return idle.sort((a, b) => a.lastUse - b.lastUse)[0];
  }

  private sum(of: (session: Session) => number): number {
    let sum = 0;
    for (const session of this.all) sum += of(session);
    return sum;
  }
}

/** One client. */
class Session {
  lastUse = performance.now();
  private readonly lines: Lines;
  private working = false;
  private deadline: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly fd: number,
    private readonly peer: Peer,
    private readonly readOnly: boolean,
    private readonly handler: Handler,
    private readonly sessions: Sessions,
    private readonly limits: Limits,
  ) {
    this.lines = new Lines(limits.line);
  }

  /** Characters of the incomplete request. */
  get incomplete(): number {
    return this.lines.pending;
  }
  /** Bytes of answers that the client has not taken. */
  get unsent(): number {
    return this.socket.writableLength;
  }
  get isIdle(): boolean {
    return !this.working && this.incomplete === 0 && this.unsent === 0;
  }

  /** Ends the session with an error, one line. */
  end(error: string): void {
    clearTimeout(this.deadline);
    this.socket.end(`${JSON.stringify({ id: null, error })}\n`);
    this.socket.destroySoon();
  }

  /** Answers until the client ends its side. */
  async run(): Promise<void> {
    this.socket.once('close', () => clearTimeout(this.deadline));
    for await (const chunk of this.socket) {
      const complete = this.lines.push(chunk as Buffer);
      if (!complete) return this.end(`a line is longer than ${this.limits.line} characters`);
      if (!this.sessions.fits) return this.end('the incomplete requests of all sessions are too long: try again');
      this.watchIncomplete(complete.length > 0);
      for (const line of complete) if (!(await this.serve(line))) return;
    }
    this.socket.end();
  }

  private watchIncomplete(isNew: boolean): void {
    if (isNew) clearTimeout(this.deadline);
    if (this.incomplete === 0) return;
    if (isNew || this.deadline === undefined)
      this.deadline = setTimeout(() => this.end('the request was not complete in time'), this.limits.completeMs);
  }

  /** Returns false when the client has left. */
  private async serve(line: string): Promise<boolean> {
    this.working = true;
    await this.sessions.room();
    if (this.socket.destroyed || hasHungUp(this.fd)) {
      this.socket.destroy();
      return false;
    }
    await this.send(await this.answer(line));
    this.working = false;
    this.lastUse = performance.now();
    return !this.socket.destroyed;
  }

  /** The answer to a line, without its newline. */
  private async answer(line: string): Promise<string> {
    const envelope = readEnvelope(line);
    if ('problem' in envelope) return JSON.stringify({ id: null, error: envelope.problem, protocol: PROTOCOL });
    const { id, request } = envelope;
    if (!request) return JSON.stringify({ id, pid: process.pid, protocol: PROTOCOL, version: version(), short: true });
    if (this.readOnly && !READING.has(request.op))
      return JSON.stringify({
        id,
        reply: { ok: false, errno: 'EPERM', text: `${request.op}: this socket is for questions only` },
      });
    try {
      return JSON.stringify({ id, reply: await this.handler(request, this.peer) });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return JSON.stringify({ id, error: `the director failed: ${why}` });
    }
  }

  private async send(line: string): Promise<void> {
    if (this.socket.destroyed || this.socket.write(`${line}\n`)) return;
    await new Promise<void>((resolve) => {
      // A client that reads nothing holds an answer for this long.
      const timer = setTimeout(() => this.socket.destroy(), this.limits.takeMs);
      const done = (): void => {
        clearTimeout(timer);
        this.socket.off('drain', done).off('close', done);
        resolve();
      };
      this.socket.on('drain', done).on('close', done);
    });
  }
}
