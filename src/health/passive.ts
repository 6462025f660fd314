/**
 * Passive checks: what the dataplane has seen of the clients' own connections since the last look.
 * They send nothing.
 *
 *     answered, unanswered, refused (stats/counters.ts) ─► difference ─┬─ enough failures, and a large share: bad
 *                                                                      └─ else: good
 *
 * A destination that is down gets no clients, so that nothing can prove it good. After `pause` the
 * check is good again, and the next clients try.
 */
import { type Counters, GAUGES, Gauge } from '../stats/counters.js';
import type { Check, Outcome, Target } from './spec.js';

/** What a check saw at its last look. */
interface Seen {
  readonly answered: number;
  readonly unanswered: number;
  readonly refused: number;
  /** Until then, ms, the check stays bad. */
  readonly badUntil: number;
}

/** The passive checks of a director. */
export class Passive {
  private readonly seen = new Map<string, Seen>();

  constructor(private readonly counters: Counters) {}

  /** `now` in ms. */
  look({ slot, name }: Target, { id, failures, share, pause }: Check, now: number): Outcome {
    const key = `${slot} ${name} ${id}`;
    const counts = this.counts(slot);
    const before = this.seen.get(key) ?? { ...counts, badUntil: 0 };
    const answered = difference(counts.answered, before.answered);
    const unanswered = difference(counts.unanswered, before.unanswered);
    const refused = difference(counts.refused, before.refused);
    const failed = unanswered + refused;
    const isBad = failed >= failures && failed >= share * (failed + answered);
    const badUntil = isBad ? now + pause : before.badUntil;
    this.seen.set(key, { ...counts, badUntil });
    const text = `${answered} answered, ${unanswered} unanswered, ${refused} refused`;
    if (!isBad && now < badUntil)
      return { ok: false, text: `clients try it again in ${Math.ceil((badUntil - now) / 1000)} s` };
    return { ok: !isBad, text };
  }

  /** Forgets destinations that are not in these slots any more. */
  keep(targets: readonly Target[]): void {
    const names = new Set(targets.map(({ slot, name }) => `${slot} ${name} `));
    for (const key of this.seen.keys()) if (!names.has(key.slice(0, key.lastIndexOf(' ') + 1))) this.seen.delete(key);
  }

  private counts(slot: number): Omit<Seen, 'badUntil'> {
    const { gauges } = this.counters;
    const at = slot * GAUGES;
    return {
      answered: gauges[at + Gauge.answered]!,
      unanswered: gauges[at + Gauge.unanswered]!,
      refused: gauges[at + Gauge.refused]!,
    };
  }
}

/** The counters wrap. */
function difference(now: number, before: number): number {
  return (now - before) >>> 0;
}
