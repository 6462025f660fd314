/**
 * Giver: the running director's side of a takeover (offer.ts). When the successor dies or is too
 * slow, the director goes on:
 *
 *     idle ─ offer ─► offered ─┬─ go ─► paused ─ done ─► left
 *       ▲               │      └─ yield ─────────────────► left: the successor starts anew
 *       │               │ dies          │ dies, or PATIENCE is over
 *       └───────────────┴─ take back ◄──┘
 */
import type { Logger } from 'pino';
import { allowDescriptorsTo } from '../../sys/pidfd.js';
import type { AdminReply } from '../api/api.js';
import type { Positions } from '../engine/workers.js';
import type { Offer } from './offer.js';
import { isAlive } from './yielding.js';

/** How often the successor is looked at, ms. */
const WATCH_MS = 20;
/** Time for a successor to prepare, and to forward its first frame, ms. */
const OFFERED_MS = 60_000;
const PAUSED_MS = 5000;

/** What the director does at each step. */
export interface GivingDirector {
  /** The offer, or why there is none. */
  offer(): Offer | string;
  /** Forwards no more; resolves with the positions of the rings. */
  pause(): Promise<Positions>;
  /** Forwards again, with devices that are opened anew. */
  takeBack(): Promise<void>;
  /** The successor `pid` forwards: this process ends and leaves everything as it is. */
  leave(pid: number): Promise<void>;
  /** This director stops, and the successor `pid` starts with its state. */
  yieldTo(pid: number): void;
}

/** The takeover of one director. */
export class Giver {
  private state: 'idle' | 'offered' | 'paused' | 'left' = 'idle';
  private successor = 0;
  private since = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly director: GivingDirector,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {}

  /** A takeover goes on: rules must not change. */
  get isBusy(): boolean {
    return this.state !== 'idle';
  }

  /** Answers a request of the successor `pid`. */
  async answer(step: 'offer' | 'go' | 'done' | 'yield', pid: number): Promise<AdminReply> {
    if (step === 'offer') return this.offer(pid);
    if (pid !== this.successor) return refused('no takeover by this process goes on');
    if (step === 'yield') return this.yield();
    return step === 'go' ? this.go() : this.done();
  }

  private offer(pid: number): AdminReply {
    if (this.isBusy) return refused(`a takeover by process ${this.successor} goes on`);
    const offer = this.director.offer();
    if (typeof offer === 'string') return refused(offer);
    allowDescriptorsTo(pid);
    this.successor = pid;
    this.enter('offered');
    this.timer = setInterval(() => this.watch(), WATCH_MS);
    this.log.info(`process ${pid} takes over`);
    return { ok: true, takeover: JSON.stringify(offer) };
  }

  private async go(): Promise<AdminReply> {
    if (this.state !== 'offered') return refused('there was no offer');
    this.enter('paused');
    return { ok: true, takeover: JSON.stringify(await this.director.pause()) };
  }

  private yield(): AdminReply {
    if (this.state !== 'offered') return refused('there was no offer');
    this.enter('left');
    clearInterval(this.timer);
    this.director.yieldTo(this.successor);
    return { ok: true };
  }

  private async done(): Promise<AdminReply> {
    if (this.state !== 'paused') return refused('this director still forwards');
    this.enter('left');
    clearInterval(this.timer);
    await this.director.leave(this.successor);
    return { ok: true };
  }

  private enter(state: Giver['state']): void {
    this.state = state;
    this.since = performance.now();
  }

  private watch(): void {
    const patience = this.state === 'paused' ? PAUSED_MS : OFFERED_MS;
    const why = isAlive(this.successor)
      ? performance.now() - this.since > patience && 'is too slow'
      : 'has ended before it forwarded';
    if (why === false) return;
    clearInterval(this.timer);
    this.log.warn(`no takeover: process ${this.successor} ${why}; this director goes on`);
    const wasPaused = this.state === 'paused';
    if (!wasPaused) return this.enter('idle');
    void this.director.takeBack().finally(() => this.enter('idle'));
  }
}

function refused(text: string): AdminReply {
  return { ok: false, errno: 'EPERM', text };
}
