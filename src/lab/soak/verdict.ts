/** What the samples of a soak say: nothing grows, nothing is lost, everything comes back. */
import { median } from '../median.js';
import type { Sample } from './sample.js';

export interface Verdict {
  readonly hours: number;
  /**
   * Growth after the first quarter, bytes an hour. Of the heap and of external memory: the slope of
   * the line through the lowest sample of each part, which is what a collection left. Resident
   * memory has no such floor: V8 gives pages back now and then, 40 MB at a time, and the lowest
   * sample of a part says whether it just had. Its growth is the median of the slopes between the
   * medians of all parts (Theil-Sen).
   */
  readonly rssGrowth: number;
  readonly heapGrowth: number;
  readonly externalGrowth: number;
  readonly sent: number;
  readonly unechoed: number;
  readonly opened: number;
  readonly refused: number;
  /** One sentence for each thing that is not as it must be. */
  readonly faults: readonly string[];
}

/** Part of the time in which caches, the code and the connection table still fill. */
const WARM_UP = 0.25;
/** Parts of the time: the garbage collector has run in each. */
const PARTS = 16;
/** Growth of the memory that passes: bytes an hour. */
const MOST_GROWTH = 8 << 20;

/** `samples` in their order; the last one was taken after the load had ended. */
export function verdictOf(samples: readonly Sample[]): Verdict {
  const loaded = samples.slice(0, -1);
  const [last, before] = [samples.at(-1)!, loaded.at(-1)!];
  const warm = loaded.filter(({ at }) => at >= before.at * WARM_UP);
  const sum = (of: (sample: Sample) => number) => loaded.reduce((total, sample) => total + of(sample), 0);
  const growth = (of: (sample: Sample) => number) => Math.round(slope(troughs(warm, of)));
  const verdict = {
    hours: before.at / 3600,
    rssGrowth: Math.round(medianSlope(medians(warm, ({ rss }) => rss))),
    heapGrowth: growth(({ heap }) => heap),
    externalGrowth: growth(({ external }) => external),
    sent: sum(({ sent }) => sent),
    unechoed: sum(({ sent, echoed }) => sent - echoed),
    opened: sum(({ opened }) => opened),
    refused: sum(({ refused }) => refused),
  };
  const grown = (['rssGrowth', 'heapGrowth', 'externalGrowth'] as const)
    .filter((name) => verdict[name] > MOST_GROWTH)
    .map((name) => `${name}: ${Math.round(verdict[name] / 1e6)} MB an hour`);
  return { ...verdict, faults: [...grown, ...lostIn(before), ...keptIn(samples, warm[0]!, last)] };
}

/** Of the connections that were open all the time. */
function lostIn({ lost, wrong }: Sample): string[] {
  return [...(lost > 0 ? [`${lost} downloads were lost`] : []), ...(wrong > 0 ? [`${wrong} bytes were wrong`] : [])];
}

function keptIn(samples: readonly Sample[], begin: Sample, end: Sample): string[] {
  const uneven = samples.filter(({ unaccounted }) => unaccounted !== 0);
  const { missing, waiting } = end.frames;
  return [
    ...(end.descriptors > begin.descriptors ? [`descriptors: ${begin.descriptors} to ${end.descriptors}`] : []),
    ...(missing !== 0 ? [`${missing} frames are missing`] : []),
    ...(waiting !== 0 ? [`${waiting} frames wait without traffic`] : []),
    ...(uneven.length > 0 ? [`the sums of frames are wrong in ${uneven.length} samples`] : []),
  ];
}

type Point = readonly [hours: number, value: number];

/** The lowest sample of each part of the time: what is left after the garbage was collected. */
function troughs(samples: readonly Sample[], of: (sample: Sample) => number): Point[] {
  return partsOf(samples).map((some) => {
    const lowest = some.reduce((least, sample) => (of(sample) < of(least) ? sample : least));
    return [lowest.at / 3600, of(lowest)];
  });
}

function medians(samples: readonly Sample[], of: (sample: Sample) => number): Point[] {
  return partsOf(samples).map((some) => [median(some.map(({ at }) => at)) / 3600, median(some.map(of))]);
}

function partsOf(samples: readonly Sample[]): Sample[][] {
  const size = Math.ceil(samples.length / PARTS);
  return Array.from({ length: Math.ceil(samples.length / size) }, (_, part) =>
    samples.slice(part * size, (part + 1) * size),
  );
}

/** The median of the slopes between any two points: some points far off do not move it. */
export function medianSlope(points: readonly Point[]): number {
  const slopes = points.flatMap(([x, y], i) => points.slice(i + 1).map(([x1, y1]) => (y1 - y) / (x1 - x)));
  return slopes.length === 0 ? 0 : median(slopes);
}

/** Of the line with the least squares. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const n = points.length;
  const mean = (i: 0 | 1) => points.reduce((sum, point) => sum + point[i], 0) / n;
  const [x0, y0] = [mean(0), mean(1)];
  const [above, below] = points.reduce(([a, b], [x, y]) => [a + (x - x0) * (y - y0), b + (x - x0) ** 2] as const, [
    0, 0,
  ] as readonly [number, number]);
  return below === 0 ? 0 : above / below;
}
