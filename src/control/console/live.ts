/**
 * The state of the director, sent to all pages that are open (server-sent events). One snapshot is
 * made for all of them.
 *
 *     director ─ status, list, health ─► snapshot ─┬─► page
 *                                                  ├─► page that has not taken the last one: it is left out
 *                                                  └─► page
 *
 * Nothing waits in a queue, so a slow browser costs one snapshot of memory. A large rule table
 * makes the period longer: snapshots take at most a 20th of the thread's time.
 */
import type { ServerResponse } from 'node:http';
import type { ServiceStatus } from '../../health/spec.js';
import type { AdminClient, DirectorStatus, NextHop, ServiceEntry } from '../api/api.js';
import { ask } from '../api/ask.js';

/** The state of a director at one moment. */
export interface Snapshot {
  /** ms since 1970. */
  readonly at: number;
  readonly status: DirectorStatus;
  readonly services: readonly ServiceEntry[];
  readonly health: readonly ServiceStatus[];
  /** To the busiest real servers. */
  readonly routes: readonly NextHop[];
  readonly follow: FollowState;
}

/** What is followed. */
export interface FollowState {
  readonly active: boolean;
  readonly filter: string;
  /** Numbers of the first packet of this trace and of the last one; they count from 1. */
  readonly first: number;
  readonly last: number;
}

/** Shortest time between two snapshots, ms. */
const PERIOD_MS = 1000;
/** Time of making and sending one against the time between two. */
const SHARE = 20;
/** Pages at once. */
const PAGES = 50;
/** Bytes of events that a page has not taken, above which it gets no further one. */
const UNTAKEN = 4096;
/** Real servers whose routes a snapshot has: a drawing has fewer. */
const ROUTES = 32;

export class Live {
  private readonly pages = new Set<ServerResponse>();
  private timer: NodeJS.Timeout | undefined;
  private isWorking = false;
  /** When the next snapshot may be made, ms of performance.now(). */
  private next = 0;
  private last = '';

  constructor(
    private readonly client: AdminClient,
    private readonly follow: () => FollowState,
  ) {}

  /** Sends snapshots to a page until it closes. Returns false when there are too many pages. */
  add(response: ServerResponse): boolean {
    if (this.pages.size >= PAGES) return false;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    this.pages.add(response);
    response.on('close', () => this.pages.delete(response));
    response.on('error', () => this.pages.delete(response));
    if (this.last !== '') response.write(this.last);
    this.soon();
    return true;
  }

  /** Pages that are open. */
  get count(): number {
    return this.pages.size;
  }

  /** Sends a snapshot as soon as its share of the time allows: something has changed. */
  soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.turn(), Math.max(0, this.next - performance.now()));
  }

  close(): void {
    clearTimeout(this.timer);
    for (const page of this.pages) page.end();
    this.pages.clear();
  }

  private async turn(): Promise<void> {
    if (this.isWorking || this.pages.size === 0) return;
    this.isWorking = true;
    const began = performance.now();
    try {
      this.send(`data: ${JSON.stringify(await this.snapshot())}\n\n`);
    } catch (error) {
      this.send(`event: trouble\ndata: ${JSON.stringify((error as Error).message)}\n\n`);
    }
    this.isWorking = false;
    const now = performance.now();
    this.next = now + SHARE * (now - began);
    clearTimeout(this.timer);
    if (this.pages.size > 0) this.timer = setTimeout(() => void this.turn(), Math.max(PERIOD_MS, this.next - now));
  }

  private send(event: string): void {
    this.last = event;
    for (const page of this.pages) if (page.writableLength <= UNTAKEN) page.write(event);
  }

  private async snapshot(): Promise<Snapshot> {
    const { status } = await ask(this.client, { op: 'status' });
    const { services = [] } = await ask(this.client, { op: 'list' });
    const { health = [] } = await ask(this.client, { op: 'health' });
    const { routes = [] } = await ask(this.client, { op: 'routes', addresses: busiest(services) });
    if (status === undefined) throw new Error('the director sent no status');
    return { at: Date.now(), status, services, health, routes, follow: this.follow() };
  }
}

/** Addresses of the real servers with the most packets. */
function busiest(services: readonly ServiceEntry[]): string[] {
  const rates = new Map<string, number>();
  for (const { destinations } of services)
    for (const { address, stats } of destinations) rates.set(address, (rates.get(address) ?? 0) + stats.inpps);
  const sorted = [...rates].sort(([, a], [, b]) => b - a).slice(0, ROUTES);
  return sorted.map(([address]) => address);
}
