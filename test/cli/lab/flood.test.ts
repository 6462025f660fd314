/** How `ulvs lab flood` says what became of a large download. */
import { expect, it } from 'vitest';
import { bulkText } from '../../../src/cli/lab/flood.js';

it.each([
  ['25.8 s', { isWhole: true, bytes: 50_000_000, ms: 25_812 }],
  ['broken', { isWhole: false, bytes: 49_999_999, ms: 25_812 }],
  ['not opened', { isWhole: false, bytes: 0, ms: 30_000 }],
])('says %s', (text, bulk) => {
  expect(bulkText(bulk)).toBe(text);
});
