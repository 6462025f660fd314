/**
 * The requests of the page. GET asks. POST acts: it has a body of JSON that a schema checks, and
 * needs the role operator.
 */
import { z } from 'zod';
import type { AdminClient, AdminRequest } from '../api/api.js';
import { ask } from '../api/ask.js';
import { RULE_CHANGES } from '../api/changes.js';
import { request } from '../api/schema.js';
import type { User } from './access.js';
import { Changes, type ConsoleChange } from './changes.js';
import type { ConsoleExtras } from './extras.js';
import { Follow } from './follow.js';
import { Live } from './live.js';

/** A director for a user: the log names him for each change. */
export type ClientFor = (user: User) => AdminClient;

/** A mistake of the page or its user; the message is one line. */
export class ConsoleError extends Error {
  override readonly name = 'ConsoleError';
  constructor(
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

type Answer = (user: User, query: URLSearchParams) => unknown;
type Action = (user: User, body: unknown) => unknown;

const ALLOWED: ReadonlySet<AdminRequest['op']> = new Set([...RULE_CHANGES, 'drain']);

const changesBody = z.strictObject({
  changes: z
    .array(request.refine(({ op }) => ALLOWED.has(op), 'not a change that the console makes'))
    .min(1)
    .max(100),
});
const followBody = z.strictObject({
  filter: z.string().max(1000),
  dropsOnly: z.boolean(),
  count: z.number().int().min(1).max(10_000),
});
const faultBody = z.strictObject({ fault: z.string().max(64) });

/** Rows of a page of connections. */
const ROWS = 200;

export class ConsoleApi {
  readonly live: Live;
  private readonly follow = new Follow(() => this.live.soon());
  private readonly changes = new Changes();

  constructor(
    private readonly clientFor: ClientFor,
    private readonly extras: ConsoleExtras,
  ) {
    this.live = new Live(clientFor({ name: 'console', role: 'reader' }), () => this.follow.state);
  }

  /** Answers by path. */
  readonly asks: Readonly<Record<string, Answer>> = {
    '/api/about': (user) => ({
      user: user.name,
      role: user.role,
      lab: this.extras.lab?.drawing,
      doctor: this.extras.examine !== undefined,
      undo: this.changes.last,
    }),
    '/api/connections': (user, query) => this.connections(user, query),
    '/api/connection': (user, query) => this.connection(user, query),
    '/api/packets': (_, query) => ({ ...this.follow.state, packets: this.follow.after(whole(query, 'after', 1e9)) }),
    '/api/doctor': async () => {
      if (this.extras.examine === undefined) throw new ConsoleError('this console has no doctor', 404);
      return { findings: await this.extras.examine() };
    },
  };

  /** Actions by path, for operators. */
  readonly acts: Readonly<Record<string, Action>> = {
    '/api/preview': async (user, body) => ({ words: await this.changes.words(this.clientFor(user), changesIn(body)) }),
    '/api/change': async (user, body) => {
      await this.changes.make(this.clientFor(user), changesIn(body));
      this.live.soon();
      return { undo: this.changes.last };
    },
    '/api/undo': async (user) => {
      const undone = await this.changes.undo(this.clientFor(user));
      this.live.soon();
      return { undone, undo: this.changes.last };
    },
    '/api/follow': async (user, body) => {
      await this.follow.start(this.clientFor(user), checked(followBody, body));
      this.live.soon();
      return this.follow.state;
    },
    '/api/follow/stop': async () => {
      await this.follow.stop();
      this.live.soon();
      return this.follow.state;
    },
    '/api/lab/break': async (_, body) => {
      await this.lab.breakBy(checked(faultBody, body).fault);
      return {};
    },
    '/api/lab/repair': async () => ({ commands: await this.lab.repair() }),
    '/api/lab/request': async () => ({ answer: await this.lab.request() }),
  };

  close(): void {
    this.live.close();
    void this.follow.stop().catch(() => {});
  }

  private get lab() {
    if (this.extras.lab === undefined) throw new ConsoleError('this director is not in a lab', 404);
    return this.extras.lab;
  }

  private async connections(user: User, query: URLSearchParams): Promise<unknown> {
    const page = { query: (query.get('q') ?? '').slice(0, 500), offset: whole(query, 'offset', 2 ** 31 - 1) };
    const began = performance.now();
    const { found } = await ask(this.clientFor(user), { op: 'search', ...page, limit: ROWS });
    return { ...found, rows: ROWS, ms: Math.round(performance.now() - began) };
  }

  private async connection(user: User, query: URLSearchParams): Promise<unknown> {
    const { found } = await ask(this.clientFor(user), { op: 'connection', at: whole(query, 'at', 2 ** 31 - 1) });
    return { connection: found?.connections[0] ?? null };
  }
}

/** Whether the role of the user is enough for an action. */
export function mayAct(user: User): boolean {
  return user.role === 'operator';
}

function whole(query: URLSearchParams, name: string, max: number): number {
  const value = Number(query.get(name) ?? 0);
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new ConsoleError(`${name}: not a whole number from 0 to ${max}`);
}

function changesIn(body: unknown): (ConsoleChange | Extract<AdminRequest, { op: 'drain' }>)[] {
  return checked(changesBody, body).changes as (ConsoleChange | Extract<AdminRequest, { op: 'drain' }>)[];
}

function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const { data, error } = schema.safeParse(body);
  if (error === undefined) return data;
  const issue = error.issues[0];
  throw new ConsoleError(`${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'malformed'}`);
}
