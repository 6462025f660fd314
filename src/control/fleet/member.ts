/**
 * A director's entry in its fleet: the key PREFIX/directors/NAME, whose lease ends some seconds
 * after the director. `ulvs fleet status` reads the entries of all directors.
 *
 *     grant a lease ─► put the entry ─► every 3 s: keep the lease, put the entry if it has changed
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Entry, EtcdClient } from './etcd-client.js';
import { directorsBelow } from './rule-keys.js';

/** Seconds after the end of a director in which its entry goes. */
const LEASE_S = 10;
const PERIOD_MS = 3000;

const entry = z.object({
  name: z.string(),
  version: z.string(),
  /** Milliseconds since 1970. */
  started: z.number(),
  /** Prefixes that it announces. */
  announced: z.array(z.string()),
  /** It has been told to announce nothing. */
  withdrawn: z.boolean(),
  /** Lines of its connection table in use. */
  connections: z.number(),
  rules: z.object({ revision: z.number(), digest: z.string(), refused: z.string() }),
});

/** What a director says about itself. */
export type MemberEntry = z.output<typeof entry>;

/** The directors whose leases have not ended, by name. Entries in another form are left out. */
export function membersOf(entries: readonly Entry[]): MemberEntry[] {
  return entries.flatMap(({ value }) => {
    const result = entry.safeParse(asJson(value));
    return result.success ? [result.data] : [];
  });
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Keeps the entry of this director. A failure is tried again at the next period. */
export class Member {
  private readonly abort = new AbortController();
  private readonly key: string;
  private lease: string | undefined;
  private sent = '';
  private ended: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: EtcdClient,
    prefix: string,
    name: string,
    private readonly describe: () => Promise<MemberEntry>,
  ) {
    this.key = `${directorsBelow(prefix)}${name}`;
  }

  start(): void {
    this.ended = this.run();
  }

  /** Takes the entry away, if etcd is there. */
  async close(): Promise<void> {
    this.abort.abort();
    await this.ended;
    if (this.lease !== undefined) await this.client.revoke(this.lease).catch(() => {});
  }

  /** Puts the entry now, if it has changed. */
  async refresh(): Promise<void> {
    // Whether etcd is away is said by what follows the rules.
    await this.put().catch(() => {});
  }

  private async run(): Promise<void> {
    const { signal } = this.abort;
    while (!signal.aborted) {
      await this.refresh();
      await sleep(PERIOD_MS, undefined, { signal }).catch(() => {});
    }
  }

  private async put(): Promise<void> {
    if (this.lease !== undefined && !(await this.client.keepAlive(this.lease))) this.lease = undefined;
    if (this.lease === undefined) {
      this.sent = '';
      this.lease = await this.client.grant(LEASE_S);
    }
    const value = JSON.stringify(await this.describe());
    if (value === this.sent) return;
    await this.client.put({ key: this.key, value }, this.lease);
    this.sent = value;
  }
}
