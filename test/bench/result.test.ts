/** Results of a question: what `--add` keeps. */
import { expect, it } from 'vitest';
import { merged, type Row } from '../../bench/support/result.js';

const row = (name: string, value: number): Row => ({ case: name, value, unit: 'kpps', reference: 2 });

it('keeps the order of the former rows, with new figures in their place, and new rows behind', () => {
  const former = [row('a', 1), row('b', 2), row('c', 3)];
  expect(merged(former, [row('d', 9), row('b', 8)])).toEqual([row('a', 1), row('b', 8), row('c', 3), row('d', 9)]);
  expect(merged([], [row('d', 9)])).toEqual([row('d', 9)]);
});
