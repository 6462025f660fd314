/**
 * Whether the workers make turns, seen from outside: each one writes its clock into its connection
 * table once a turn, at least every 50 ms (engine/worker.ts), busy or not.
 */
import { LIVE_WORD, TICK_WORD } from '../../conntrack/entry.js';
import type { Rules } from '../rules/rules.js';
import { counted } from '../text/counted.js';

/** The signs of life of one director. */
export class Heartbeat {
  private seen: number[] = [];

  /** `tables`: the connection table of each worker. */
  constructor(
    private readonly tables: readonly Int32Array[],
    private readonly rules: Pick<Rules, 'serviceCount'>,
  ) {}

  /**
   * The numbers of the workers that have made no turn since the last call; none at the first one.
   */
  idle(): number[] {
    const now = this.tables.map((table) => Atomics.load(table, TICK_WORD));
    const idle = now.flatMap((tick, worker) => (tick === this.seen[worker] ? [worker] : []));
    this.seen = now;
    return idle;
  }

  /** One line for people: what the director has to do. */
  status(): string {
    const connections = this.tables.reduce((sum, table) => sum + table[LIVE_WORD]!, 0);
    return `forwarding: ${counted(this.rules.serviceCount, 'service')}, ${counted(connections, 'connection')}`;
  }
}
