/** Figures of all rounds, by measure and balancer. */
import { median } from '../../../src/lab/median.js';
import type { Row } from '../result.js';

/** For example `apart, keep-alive` in `requests/s`. */
export interface Measure {
  readonly what: string;
  readonly unit: string;
}

export class Findings {
  private readonly values = new Map<string, number[]>();
  private readonly measures: Measure[] = [];

  add(measure: Measure, who: string, value: number): void {
    const key = keyOf(measure, who);
    const known = this.values.get(key);
    if (known) known.push(value);
    else this.values.set(key, [value]);
    if (!this.measures.some(({ what, unit }) => what === measure.what && unit === measure.unit))
      this.measures.push(measure);
  }

  /** Removes the figures of the balancer `who` in `part`. */
  forget(part: string, who: string): void {
    for (const measure of this.measures)
      if (measure.what.startsWith(`${part}, `)) this.values.delete(keyOf(measure, who));
  }

  has(what: string, who: string): boolean {
    return this.measures.some((measure) => measure.what === what && this.values.has(keyOf(measure, who)));
  }

  /**
   * One row for each measure and each balancer in `all` that has figures. Rows are ordered by
   * `units`.
   */
  rows(all: readonly string[], reference: string, units: readonly string[]): Row[] {
    const sorted = units.flatMap((unit) => this.measures.filter((measure) => measure.unit === unit));
    return sorted.flatMap((measure) =>
      all.flatMap((who) => {
        const value = this.median(measure, who);
        const against = who === reference ? undefined : this.median(measure, reference);
        return value === undefined
          ? []
          : [{ case: `${measure.what}: ${who}`, value, unit: measure.unit, reference: against }];
      }),
    );
  }

  private median(measure: Measure, who: string): number | undefined {
    const values = this.values.get(keyOf(measure, who));
    return values && median(values);
  }
}

function keyOf({ what, unit }: Measure, who: string): string {
  return [what, unit, who].join('|');
}
