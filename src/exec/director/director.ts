/**
 * The director as a client that waits: when it goes away, requests wait for it to come back.
 *
 *              request                                   hang-up, no answer
 *   ┌─────────┐ ─────► line ─► reply      ┌─────────┐ ◄───────────────────── connected
 *   │connected│                           │  away   │ ── a request waits AWAY_MS at most ──► ended
 *   └─────────┘ ◄── the same table ────── └─────────┘ ── back with another table ──────────► ended
 *
 * A change whose answer was lost is sent again. When the director had done it before it went away,
 * the second time is refused as "exists" or "does not exist", which counts as done.
 */
import type { AdminClient, AdminReply, AdminRequest, Errno } from '../../control/api/api.js';
import { Refusal } from '../refusal.js';
import { Connection, ConnectionLost, wait } from './connection.js';

/** How long, in ms, a request waits for a director that is away. */
export const AWAY_MS = 10_000;
const RETRY_MS = 50;

/** What a repeated change is refused with when the first one was done. */
const DONE: Readonly<Partial<Record<AdminRequest['op'], Errno>>> = {
  addService: 'EEXIST',
  addDestination: 'EEXIST',
  deleteService: 'ESRCH',
  deleteDestination: 'ENOENT',
};

/** Programs take EEXIST and ENOENT for done; this is what a kernel without IPVS says. */
const NO_DIRECTOR = 'ENOPROTOOPT';

export class Director implements AdminClient {
  private connection: Connection | undefined;
  private over = false;
  private nextId = 1;

  /**
   * `table`: the name of the table that the command fills. `end` is called once, with one line,
   * when the command must not go on.
   */
  constructor(
    private readonly path: string,
    private readonly table: string,
    private readonly wake: number,
    private readonly end: (reason: string) => void,
  ) {}

  /** For poll: it has input when the director hangs up; −1: there is no connection. */
  get fd(): number {
    return this.connection?.fd ?? -1;
  }

  /** The command still has its table. */
  get isUsable(): boolean {
    return !this.over;
  }

  /** Rejects with a Refusal when the director is away for too long, or has another table. */
  async request(request: AdminRequest): Promise<AdminReply> {
    const until = performance.now() + AWAY_MS;
    for (let lost = false; ; ) {
      const connection = this.reconnect(until);
      try {
        const reply = this.ask(connection, request);
        return lost ? settled(request, reply) : reply;
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        this.drop();
        lost ||= error.sent;
      }
    }
  }

  /** The director hung up. What it left behind is compared as soon as it is back. */
  drop(): void {
    this.connection?.close();
    this.connection = undefined;
  }

  /** Connects if the director is there. Throws a Refusal when it has another table. */
  tryConnect(): boolean {
    try {
      this.connection ??= this.connect();
      return true;
    } catch (error) {
      if (error instanceof ConnectionLost) return false;
      throw error;
    }
  }

  private reconnect(until: number): Connection {
    if (this.over) throw new Refusal(NO_DIRECTOR);
    while (!this.tryConnect()) {
      if (performance.now() > until) this.giveUp(`no director has listened on ${this.path} for ${AWAY_MS / 1000} s`);
      wait(-1, 0, this.wake, RETRY_MS);
    }
    return this.connection!;
  }

  private connect(): Connection {
    const connection = Connection.open(this.path, this.wake);
    try {
      this.compare(this.ask(connection, { op: 'status' }));
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  private compare(reply: AdminReply): void {
    const table = reply.ok ? reply.status?.tableId : undefined;
    if (table !== this.table)
      this.giveUp(`the director on ${this.path} has started anew, without the services of this command`);
  }

  private giveUp(reason: string): never {
    this.over = true;
    this.end(reason);
    throw new Refusal(NO_DIRECTOR);
  }

  private ask(connection: Connection, request: AdminRequest): AdminReply {
    const answer: unknown = JSON.parse(connection.exchange(JSON.stringify({ v: 1, id: this.nextId++, request })));
    const { reply, error } = answer as { reply?: AdminReply; error?: string };
    if (reply !== undefined) return reply;
    return { ok: false, errno: 'EINVAL', text: error ?? 'the director sent no reply' };
  }
}

/** The reply to a change that was sent for the second time. */
function settled({ op }: AdminRequest, reply: AdminReply): AdminReply {
  return !reply.ok && reply.errno === DONE[op] ? { ok: true } : reply;
}
