/**
 * A trace's filter for the fast path, which must ask it of every packet: a list of boxes, flat in one Int32Array. A box is a range
 * of each of these five; a packet that lies in any box may match the filter.
 *
 *     box: | protocol | source | destination | source port | destination port |      the lowest value and how many follow, of each
 *
 * The boxes are exact for whole IPv4 TCP and UDP packets, which are all that the fast path takes. A filter of too many boxes
 * becomes one that holds everything: the filter itself is asked again on the slow path.
 */
import type { Filter, Side } from './filter.js';

/** Words of a box. */
export const BOX = 10;
const MOST = 32;

type Range = readonly [low: number, high: number];
/** A range for each of the five. */
type Box = readonly Range[];

const PROTOCOL = 0;
const SOURCE = 1;
const SOURCE_PORT = 3;
/** Addresses are unsigned here. */
const ANY_ADDRESS: Range = [0, 0xffffffff];
const ANY_PORT: Range = [0, 0xffff];
const EVERYTHING: Box = [[0, 255], ANY_ADDRESS, ANY_ADDRESS, ANY_PORT, ANY_PORT];

/** The boxes of a filter, BOX words each; none where no packet of the fast path can match. */
export function boxesOf(filter: Filter): Int32Array {
  return Int32Array.from(boxes(filter, true).flatMap((box) => box.flatMap(([low, high]) => [low, high - low])));
}

/**
 * Whether a packet lies in one of the boxes. Addresses are int32 as read big-endian. One comparison for each range: below it
 * the difference wraps to a large number.
 */
export function isInBoxes(
  boxes: Int32Array,
  protocol: number,
  source: number,
  target: number,
  sport: number,
  dport: number,
): boolean {
  for (let at = 0; at < boxes.length; at += BOX)
    if (
      (source - boxes[at + 2]!) >>> 0 <= boxes[at + 3]! >>> 0 &&
      (target - boxes[at + 4]!) >>> 0 <= boxes[at + 5]! >>> 0 &&
      (sport - boxes[at + 6]!) >>> 0 <= boxes[at + 7]! &&
      (dport - boxes[at + 8]!) >>> 0 <= boxes[at + 9]! &&
      (protocol - boxes[at]!) >>> 0 <= boxes[at + 1]!
    )
      return true;
  return false;
}

/** The boxes of what the filter matches, or (`wanted` false) of what it does not match. */
function boxes(filter: Filter, wanted: boolean): Box[] {
  switch (filter.kind) {
    case 'all':
      return wanted ? [EVERYTHING] : [];
    case 'not':
      return boxes(filter.of, !wanted);
    case 'and':
    case 'or': {
      const [left, right] = [boxes(filter.left, wanted), boxes(filter.right, wanted)];
      return (filter.kind === 'and') === wanted ? both(left, right) : either(left, right);
    }
    case 'arp':
      return wanted ? [] : [EVERYTHING];
    case 'family':
      return (filter.family === 4) === wanted ? [EVERYTHING] : [];
    case 'protocol':
      return within(PROTOCOL, [filter.protocol, filter.protocol], wanted);
    case 'net':
      if (filter.family === 6) return wanted ? [] : [EVERYTHING];
      return onSide(filter.side, SOURCE, prefixRange(filter.words[3]!, filter.length), wanted);
    case 'port':
      return onSide(filter.side, SOURCE_PORT, [filter.from, filter.to], wanted);
  }
}

/** `source`: the dimension of the source's side; the destination's is the next. */
function onSide(side: Side, source: number, range: Range, wanted: boolean): Box[] {
  if (side !== 'either') return within(side === 'src' ? source : source + 1, range, wanted);
  const [left, right] = [within(source, range, wanted), within(source + 1, range, wanted)];
  return wanted ? either(left, right) : both(left, right);
}

/** Everything whose value in one dimension lies in the range; or, not wanted, below or above it. */
function within(dimension: number, [low, high]: Range, wanted: boolean): Box[] {
  const [least, greatest] = EVERYTHING[dimension]!;
  const ranges: Range[] = wanted
    ? [[low, high]]
    : [
        [least, low - 1],
        [high + 1, greatest],
      ];
  return ranges.flatMap((range) => (range[0] > range[1] ? [] : [EVERYTHING.with(dimension, range)]));
}

function prefixRange(address: number, length: number): Range {
  const size = 2 ** (32 - length);
  const low = Math.floor((address >>> 0) / size) * size;
  return [low, low + size - 1];
}

function either(left: readonly Box[], right: readonly Box[]): Box[] {
  return bounded([...left, ...right]);
}

function both(left: readonly Box[], right: readonly Box[]): Box[] {
  return bounded(left.flatMap((one) => right.flatMap((other) => overlap(one, other))));
}

/** No box where the two have nothing in common. */
function overlap(one: Box, other: Box): Box[] {
  const ranges = one.map(([low, high], i): Range => [Math.max(low, other[i]![0]), Math.min(high, other[i]![1])]);
  return ranges.some(([low, high]) => low > high) ? [] : [ranges];
}

/** Negation is at the leaves, so that more than was asked for stays more: never less. */
function bounded(list: Box[]): Box[] {
  return list.length > MOST || list.includes(EVERYTHING) ? [EVERYTHING] : list;
}
