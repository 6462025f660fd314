/**
 * The timers of connections: when an entry ends, and the end that packets move. Somebody else may
 * forward packets of a connection (offload): its end is brought up to date before it counts.
 *
 *     packet ─► touch, settle ─► EXPIRES ─► wheel ─► refresh: offloaded packets ─► due ─► onDue (connections.ts)
 */
import type { Destination } from '../service/service.js';
import { ENTRY_SHIFT, EXPIRES, TIMEOUT, WHEEL_POS, WHEEL_TICK } from './entry.js';
import { EntryFields } from './entry-fields.js';
import { removalPrefetcher } from './prefetch.js';
import { type Offloaded, States } from './states.js';
import type { ConnectionTable } from './table.js';
import { OwnIdle } from './timeouts.js';
import { TimerWheel } from './wheel.js';

/** The entries of one worker with their timers. */
export abstract class ConnectionTimers extends EntryFields {
  readonly states: States;
  /** Time of the current batch, in ticks. */
  now: number;
  protected readonly wheel: TimerWheel;
  protected offloaded: Offloaded | undefined;

  /** `dests`: by slot, removed destinations included. `now`: in ticks. */
  constructor(
    readonly table: ConnectionTable,
    dests: readonly (Destination | undefined)[],
    now: number,
  ) {
    super(table.words, dests);
    this.now = now;
    this.states = new States(this.words, dests);
    this.wheel = new TimerWheel(
      this.words,
      table.maxEntries,
      now,
      (entry) => this.onDue(entry),
      removalPrefetcher(table),
    );
  }

  /** The timer of the entry has ended. True: the entry stays. */
  protected abstract onDue(entry: number): boolean;

  /** From now on services may have idle times of their own. */
  useOwnIdle(): void {
    this.wheel.own ??= new OwnIdle(this.words, this.dests);
  }

  /** Gives an entry a new end, `ticks` from now. */
  endIn(entry: number, ticks: number): void {
    const at = entry << ENTRY_SHIFT;
    this.words[at + TIMEOUT] = ticks;
    this.words[at + EXPIRES] = (this.now + ticks) | 0;
  }

  /** From now on somebody else may forward packets of these connections. */
  offloadTo(offloaded: Offloaded): void {
    this.offloaded = offloaded;
    this.states.offloaded = offloaded;
    this.wheel.refresh = (entry) => this.refresh(entry);
  }

  /** Restarts the timer with the timeout of the entry, as after every packet. */
  touch(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    const { words } = this;
    const expires = (this.now + words[at + TIMEOUT]!) | 0;
    words[at + EXPIRES] = expires;
    if (((expires - words[at + WHEEL_TICK]!) | 0) < 0) this.wheel.moved(entry);
  }

  /**
   * Starts the timer of a new connection after its first packet has set the state and its timeout.
   */
  settle(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    const { words } = this;
    words[at + EXPIRES] = (this.now + words[at + TIMEOUT]!) | 0;
    // 0 as alloc left it: the entry was opened untimed.
    if (words[at + WHEEL_POS] !== 0) this.wheel.stop(entry);
    this.wheel.start(entry);
  }

  /**
   * The end has passed and no child keeps the entry, though the timer wheel has not reached it yet.
   */
  ended(entry: number): boolean {
    if (((this.words[(entry << ENTRY_SHIFT) + EXPIRES]! - this.now) | 0) > 0) return false;
    this.wheel.own?.apply(entry);
    return this.isDue(entry) && this.childrenOf(entry) === 0;
  }

  /** Brings EXPIRES up to date with the packets that somebody else has forwarded. */
  refresh(entry: number): void {
    this.offloaded?.pull(entry);
  }

  /** The end has passed, also by the packets that somebody else has forwarded. */
  isDue(entry: number): boolean {
    if (((this.words[(entry << ENTRY_SHIFT) + EXPIRES]! - this.now) | 0) > 0) return false;
    return this.offloaded === undefined || !this.offloaded.pull(entry);
  }

  /**
   * Ends connections that are due, looking at `budget` entries at most. Call it once per batch;
   * `now` in ticks.
   */
  tick(now: number, budget = 256): void {
    this.now = now;
    this.wheel.advance(now, budget);
  }
}
