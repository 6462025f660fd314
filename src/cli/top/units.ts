/** Numbers as `ulvs top` shows them: short, so that columns stay in their place. */

const SUFFIXES = ['', 'k', 'M', 'G', 'T'];
const STEP = 1000;
const BLOCKS = '▁▂▃▄▅▆▇█';

/** At most five characters: `0`, `7.5`, `950`, `1.2k`, `13M`. */
export function short(value: number): string {
  if (value > 0 && value < 9.95) return value.toFixed(1).replace(/\.0$/, '');
  let left = value;
  let i = 0;
  for (; left >= STEP - 0.5 && i < SUFFIXES.length - 1; i++) left /= STEP;
  return `${i > 0 && left < 9.95 ? left.toFixed(1) : Math.round(left)}${SUFFIXES[i]}`;
}

/** A bar for each value; the largest has the full height, and 0 the lowest. */
export function sparkline(values: readonly number[], width: number): string {
  const top = Math.max(...values, 1e-9);
  const bars = values.slice(-width).map((value) => BLOCKS[Math.ceil((value / top) * (BLOCKS.length - 1))]!);
  return bars.join('').padStart(width);
}

/** A bar of `width` characters in brackets that is full at `share` 1. */
export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * (width - 2));
  return `[${'|'.repeat(full)}${' '.repeat(width - 2 - full)}]`;
}
