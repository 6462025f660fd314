/** The last line of `ulvs doctor` says healthy only for what was looked at. */
import { expect, it } from 'vitest';
import { reportText } from '../../../src/cli/doctor/report.js';
import type { Facts } from '../../../src/doctor/facts.js';

const facts = { director: { services: [{}] }, hosts: [{ role: 'director' }, { role: 'switch' }] } as unknown as Facts;
const last = (notes: readonly string[]) => reportText(facts, { rows: [], notes, reason: '' }, []).split('\n').at(-1);

it('says healthy, and that something was not probed', () => {
  expect(last([])).toBe('healthy: 1 service, 1 host inspected');
  expect(last(['not probed: replies'])).toBe('healthy, except for what was not probed: 1 service, 1 host inspected');
});
