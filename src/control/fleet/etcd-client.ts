/**
 * A client of etcd: what a director needs of its API v3 (etcd-io.github.io, "API reference"), over
 * the JSON gateway (etcd-http.ts). Endpoints are tried in turn; the one that answered last is asked
 * first.
 */
import type https from 'node:https';
import { z } from 'zod';
import type { EtcdConfig } from '../config/director-config.js';
import { type Call, EtcdAway, EtcdRefused, post, read, readTls, stream } from './etcd-http.js';

/** A key with its value. */
export interface Entry {
  readonly key: string;
  readonly value: string;
}

/** All keys below a prefix at one revision of the store, sorted by key. */
export interface Snapshot {
  readonly revision: number;
  readonly entries: readonly Entry[];
}

/** A change of one key; without a value the key is gone. */
export interface KeyChange {
  readonly key: string;
  readonly value: string | undefined;
  readonly revision: number;
}

/**
 * What a watch reports. `stale`: the changes from the wanted revision on are not kept (compacted),
 * or etcd has not come so far (it was set back). All must be read again.
 */
export type WatchReport = { readonly changes: readonly KeyChange[] } | { readonly stale: true };

/** Keys that one answer holds. */
const PAGE = 1000;
const UNAUTHENTICATED = 16;

const number = z.union([z.string(), z.number()]).transform(Number);
const bytes = z
  .string()
  .default('')
  .transform((text) => Buffer.from(text, 'base64').toString('utf8'));
const keyValue = z.object({ key: bytes, value: bytes, mod_revision: number.default(0) });
const header = z.object({ revision: number.default(0) });
const rangeAnswer = z.object({ header, kvs: z.array(keyValue).default([]), more: z.boolean().default(false) });
const leaseAnswer = z.object({ ID: z.string(), TTL: number.default(0) });
const keepAliveAnswer = z.object({ result: z.object({ TTL: number.default(0) }) });
const authAnswer = z.object({ token: z.string() });
const watchAnswer = z.object({
  header,
  canceled: z.boolean().default(false),
  cancel_reason: z.string().default(''),
  compact_revision: number.default(0),
  events: z.array(z.object({ type: z.string().default('PUT'), kv: keyValue })).default([]),
});

/**
 * Methods reject with EtcdAway when no endpoint answers, and with EtcdRefused when etcd refuses,
 * for example a user.
 */
export class EtcdClient {
  private readonly tls: https.RequestOptions;
  private readonly password: string | undefined;
  private token: string | undefined;
  /** Index of the endpoint that is asked first. */
  private first = 0;

  /** Throws an Error that names the key of a file that cannot be read. */
  constructor(private readonly config: EtcdConfig) {
    this.tls = readTls(config);
    this.password = config.user && read('user.passwordFile', config.user.passwordFile).trimEnd();
  }

  /** All keys that begin with `prefix`, of one revision. */
  async range(prefix: string): Promise<Snapshot> {
    const end = endOf(prefix);
    const entries: Entry[] = [];
    for (let from = prefix, revision = 0; ; ) {
      const body = { key: base64(from), range_end: base64(end), limit: PAGE, revision };
      const { header, kvs, more } = shaped(rangeAnswer, await this.call('kv/range', body));
      revision ||= header.revision;
      entries.push(...kvs.map(({ key, value }) => ({ key, value })));
      if (!more) return { revision, entries };
      from = `${entries.at(-1)!.key}\0`;
    }
  }

  /** Sets a key. It goes when its lease ends. */
  async put({ key, value }: Entry, lease?: string): Promise<void> {
    await this.call('kv/put', { key: base64(key), value: base64(value), ...(lease !== undefined && { lease }) });
  }

  /** A new lease that ends after `seconds` without keepAlive. */
  async grant(seconds: number): Promise<string> {
    return shaped(leaseAnswer, await this.call('lease/grant', { TTL: seconds })).ID;
  }

  /** Renews a lease. Returns false when it has ended. */
  async keepAlive(lease: string): Promise<boolean> {
    return shaped(keepAliveAnswer, await this.call('lease/keepalive', { ID: lease })).result.TTL > 0;
  }

  /** Ends a lease, and with it its keys. */
  async revoke(lease: string): Promise<void> {
    await this.call('lease/revoke', { ID: lease });
  }

  /**
   * Reports the changes below `prefix` from `revision` on, in order, until `signal` aborts. The
   * changes of one revision are in one report. The first report comes as soon as etcd watches.
   */
  async *watch(prefix: string, revision: number, signal: AbortSignal): AsyncGenerator<WatchReport> {
    const create_request = { key: base64(prefix), range_end: base64(endOf(prefix)), start_revision: revision };
    const call = { path: 'watch', body: { create_request }, token: await this.authorised(), signal };
    for await (const line of stream(this.endpoint(), this.tls, call)) {
      const { header, canceled, cancel_reason, compact_revision, events } = shaped(watchAnswer, line);
      const isBack = header.revision > 0 && header.revision < revision - 1;
      if (compact_revision > 0 || isBack) return yield { stale: true };
      if (canceled) throw this.canceled(cancel_reason);
      yield { changes: events.map(changeOf) };
    }
  }

  /** The next call begins with another endpoint. */
  rotate(): void {
    this.first = (this.first + 1) % this.config.endpoints.length;
  }

  private canceled(why: string): Error {
    this.token = undefined;
    return new EtcdAway(`${this.endpoint()}: ended the watch${why === '' ? '' : `: ${why}`}`);
  }

  private endpoint(): string {
    return this.config.endpoints[this.first]!;
  }

  private async call(path: string, body: object): Promise<unknown> {
    try {
      return await this.anyEndpoint({ path, body, token: await this.authorised() });
    } catch (error) {
      if (!(error instanceof EtcdRefused) || error.code !== UNAUTHENTICATED || this.token === undefined) throw error;
      // Tokens end after some minutes without use, and when etcd restarts.
      this.token = undefined;
      return this.anyEndpoint({ path, body, token: await this.authorised() });
    }
  }

  private async authorised(): Promise<string | undefined> {
    const { user } = this.config;
    if (user === undefined || this.token !== undefined) return this.token;
    const body = { name: user.name, password: this.password };
    const answer = await this.anyEndpoint({ path: 'auth/authenticate', body, token: undefined });
    this.token = shaped(authAnswer, answer).token;
    return this.token;
  }

  private async anyEndpoint(call: Call): Promise<unknown> {
    const reasons: string[] = [];
    for (const _ of this.config.endpoints) {
      try {
        return await post(this.endpoint(), this.tls, call);
      } catch (error) {
        if (!(error instanceof EtcdAway)) throw error;
        reasons.push(error.message);
        this.rotate();
      }
    }
    throw new EtcdAway(reasons.join('; '));
  }
}

function changeOf({ type, kv }: z.output<typeof watchAnswer>['events'][number]): KeyChange {
  return { key: kv.key, value: type === 'DELETE' ? undefined : kv.value, revision: kv.mod_revision };
}

/** The end of the range of keys that begin with `prefix`: its last byte plus one. */
function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/** An answer in the form that etcd 3.4 gives it. Throws EtcdAway for another form. */
function shaped<T extends z.ZodType>(schema: T, answer: unknown): z.output<T> {
  const { success, data } = schema.safeParse(answer);
  if (success) return data;
  throw new EtcdAway(`what answers is not etcd 3.4 or later: ${JSON.stringify(answer)?.slice(0, 80)}`);
}
