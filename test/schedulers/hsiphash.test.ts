import { expect, it } from 'vitest';
import { walkOf } from '../../src/schedulers/mh.js';

it('x', () => {
  expect(walkOf((172 << 24) | (16 << 16) | 2, 80)).toEqual({ offset: 678, skip: 551 });
});
