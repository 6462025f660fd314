/**
 * The plan of a chaos run: which faults begin when, and how long they last. A seed makes it, and
 * nothing else: the same seed, the same plan.
 *
 *     loss eth0       ├────────┤
 *     server hung 2      ├──────────┤           no two at one place at the same time
 *     overrun                 ├┤
 *     0 s ─────────────────────────────────► seconds
 */
import { Random } from '../../dataplane/table/random.js';

/** A kind of fault, as far as a plan needs it. */
export interface FaultKind {
  readonly name: string;
  /** Where it may be: one of these. */
  readonly places: readonly string[];
  /** How long it lasts, ms. */
  readonly lasts: readonly [least: number, most: number];
}

export interface Step {
  /** ms since the begin. */
  readonly at: number;
  readonly lasts: number;
  readonly fault: string;
  readonly place: string;
  /** How hard, above 0, at most 1. */
  readonly strength: number;
}

/** Time before the first fault, ms. */
const CALM = 500;
/** Between the begins of two faults, ms. */
const BETWEEN = [200, 1800] as const;
/** A place may have another fault this long after one, ms. */
const REST = 500;

export function planOf(seed: number, seconds: number, kinds: readonly FaultKind[]): Step[] {
  const random = new Random(mixed(seed));
  const between = ([least, most]: readonly [number, number]) => least + random.below(most - least + 1);
  const busyUntil = new Map<string, number>();
  const steps: Step[] = [];
  for (let at = CALM; at < seconds * 1000; at += between(BETWEEN)) {
    const kind = kinds[random.below(kinds.length)]!;
    const place = kind.places[random.below(kind.places.length)]!;
    const lasts = Math.min(between(kind.lasts), Math.max(0, seconds * 1000 - at));
    const strength = (1 + random.below(100)) / 100;
    if ((busyUntil.get(place) ?? 0) > at) continue;
    busyUntil.set(place, at + lasts + REST);
    steps.push({ at, lasts, fault: kind.name, place, strength });
  }
  return steps;
}

/** Neighbouring seeds give unlike numbers (the finalizer of MurmurHash3). */
function mixed(seed: number): number {
  let x = seed | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) | 0;
}

/** A step as a line. */
export function stepText({ at, lasts, fault, place, strength }: Step): string {
  return `${(at / 1000).toFixed(2).padStart(7)} s  ${fault.padEnd(18)}${place.padEnd(10)}for ${lasts} ms, strength ${strength}`;
}
