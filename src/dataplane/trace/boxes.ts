/**
 * A trace's filter in the form that the fast path applies to every packet: a list of boxes in one
 * Int32Array. A box has a range for each of five fields. A packet inside any box matches.
 *
 *      box: | protocol | source | destination | source port | destination port |     each: lowest value, length of the range
 *
 * For unfragmented TCP and UDP over IPv4 (all that the fast path takes) the boxes are exact. A
 * filter that needs too many boxes becomes one box that matches everything. The slow path then
 * applies the filter itself (filter.ts).
 */
import type { Filter, Side } from './filter.js';

/** Words of a box. */
export const BOX = 10;
const MAX_BOXES = 32;

type Range = readonly [low: number, high: number];
/** A range for each of the five fields. */
type Box = readonly Range[];

const PROTOCOL = 0;
const SOURCE = 1;
const SOURCE_PORT = 3;
/** Addresses are unsigned here. */
const ANY_ADDRESS: Range = [0, 0xffffffff];
const ANY_PORT: Range = [0, 0xffff];
const EVERYTHING: Box = [[0, 255], ANY_ADDRESS, ANY_ADDRESS, ANY_PORT, ANY_PORT];

/** Returns the boxes of a filter, BOX words each. Empty: no packet of the fast path can match. */
export function boxesOf(filter: Filter): Int32Array {
  return Int32Array.from(boxes(filter, true).flatMap((box) => box.flatMap(([low, high]) => [low, high - low])));
}

/**
 * Returns true for a packet inside one of the boxes. `source` and `target`: int32 in network byte
 * order. Ports in host byte order. One comparison a range: a value below the range wraps to a large
 * number.
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
      hasPortsOfBox(boxes, at, protocol, sport, dport)
    )
      return true;
  return false;
}

/** Returns true when protocol and ports lie in the box at `at`. */
export function hasPortsOfBox(boxes: Int32Array, at: number, protocol: number, sport: number, dport: number): boolean {
  return (
    (sport - boxes[at + 6]!) >>> 0 <= boxes[at + 7]! &&
    (dport - boxes[at + 8]!) >>> 0 <= boxes[at + 9]! &&
    (protocol - boxes[at]!) >>> 0 <= boxes[at + 1]!
  );
}

/** Returns the boxes of the packets that the filter matches; `wanted` false: of all others. */
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

/** `source`: the field of the source's side. The destination's field is the next one. */
function onSide(side: Side, source: number, range: Range, wanted: boolean): Box[] {
  if (side !== 'either') return within(side === 'src' ? source : source + 1, range, wanted);
  const [left, right] = [within(source, range, wanted), within(source + 1, range, wanted)];
  return wanted ? either(left, right) : both(left, right);
}

/** Boxes with one restricted field: inside the range, or (`wanted` false) below and above it. */
function within(field: number, [low, high]: Range, wanted: boolean): Box[] {
  const [least, greatest] = EVERYTHING[field]!;
  const ranges: Range[] = wanted
    ? [[low, high]]
    : [
        [least, low - 1],
        [high + 1, greatest],
      ];
  return ranges.flatMap((range) => (range[0] > range[1] ? [] : [EVERYTHING.with(field, range)]));
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

/** Returns the intersection; no box when it is empty. */
function overlap(one: Box, other: Box): Box[] {
  const ranges = one.map(([low, high], i): Range => [Math.max(low, other[i]![0]), Math.min(high, other[i]![1])]);
  return ranges.some(([low, high]) => low > high) ? [] : [ranges];
}

/**
 * All negations are at the leaves. So a box that matches too much never makes another match too
 * little.
 */
function bounded(list: Box[]): Box[] {
  return list.length > MAX_BOXES || list.includes(EVERYTHING) ? [EVERYTHING] : list;
}
