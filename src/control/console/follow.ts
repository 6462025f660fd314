/**
 * Follows packets: one trace of the director for all pages, whose last packets are kept. A page
 * asks for those after the last one that it has. So a slow page misses some and delays no other.
 *
 *     traceStart ─► tracePoll every POLL_MS ─► ring of the last KEPT packets ─► pages
 */
import { type PacketView, packetView } from '../../trace/packet-view.js';
import type { AdminClient } from '../api/api.js';
import { ask } from '../api/ask.js';
import type { FollowState } from './live.js';

/** A packet with its number. */
export type Followed = PacketView & { readonly number: number };

/** What is followed. */
export interface FollowRequest {
  readonly filter: string;
  readonly dropsOnly: boolean;
  /** The trace ends after so many packets. */
  readonly count: number;
}

const POLL_MS = 150;
const KEPT = 500;

export class Follow {
  private packets: Followed[] = [];
  private next = 1;
  private active: { readonly client: AdminClient; readonly filter: string } | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** `changed` is called when there are new packets, or when the trace has ended. */
  constructor(private readonly changed: () => void) {}

  get state(): FollowState {
    return { active: this.active !== undefined, filter: this.active?.filter ?? '', last: this.next - 1 };
  }

  /** Packets with a higher number than `after`; `after` of a former director gives all. */
  after(after: number): readonly Followed[] {
    return after >= this.next ? this.packets : this.packets.filter(({ number }) => number > after);
  }

  /** Begins a trace in place of the former one. Rejects with an Error about the filter. */
  async start(client: AdminClient, request: FollowRequest): Promise<void> {
    await ask(client, { op: 'traceStart', ...request });
    clearTimeout(this.timer);
    this.packets = [];
    this.active = { client, filter: request.filter };
    this.poll();
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    const { active } = this;
    this.active = undefined;
    if (active === undefined) return;
    const { trace } = await ask(active.client, { op: 'traceStop' });
    for (const record of trace?.records ?? []) this.add(packetView(record));
  }

  private poll(): void {
    this.timer = setTimeout(() => void this.turn(), POLL_MS);
  }

  private async turn(): Promise<void> {
    const { active } = this;
    if (active === undefined) return;
    const trace = await ask(active.client, { op: 'tracePoll' }).then(
      (answer) => answer.trace,
      () => undefined,
    );
    if (this.active !== active) return;
    for (const record of trace?.records ?? []) this.add(packetView(record));
    const isOver = trace?.over ?? true;
    if (isOver) this.active = undefined;
    else this.poll();
    if (isOver || (trace?.records.length ?? 0) > 0) this.changed();
  }

  private add(view: PacketView): void {
    this.packets.push({ ...view, number: this.next++ });
    if (this.packets.length > KEPT) this.packets.shift();
  }
}
