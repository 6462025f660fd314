/** The last line of `ulvs doctor` says healthy only for what was looked at; colours on a terminal. */
import { expect, it } from 'vitest';
import { reportText } from '../../../src/cli/doctor/report.js';
import type { Facts, Finding } from '../../../src/doctor/facts.js';

const facts = { director: { services: [{}] }, hosts: [{ role: 'director' }, { role: 'switch' }] } as unknown as Facts;
const last = (notes: readonly string[]) => reportText(facts, { rows: [], notes, reason: '' }, []).split('\n').at(-1);

it('says healthy, and that something was not probed', () => {
  expect(last([])).toBe('healthy: 1 service, 1 host inspected');
  expect(last(['not probed: replies'])).toBe('healthy, except for what was not probed: 1 service, 1 host inspected');
});

it('has coloured marks on a terminal only', () => {
  const finding: Finding = { id: 'vip-missing', host: 'rs1', wrong: 'w', seen: 's', consequence: 'c', fix: ['f'] };
  const probed = { rows: [], notes: [], reason: '' };
  const terminal = { isTTY: true, hasColors: () => true };
  expect(reportText(facts, probed, [finding], terminal).split('\n')[0]).toBe('\x1b[31m✘\x1b[39m w (vip-missing)');
  expect(reportText(facts, probed, [finding], {})).toMatch(/^✘ w \(vip-missing\)\n/);
  expect(reportText(facts, probed, [], terminal)).toBe('\x1b[32mhealthy\x1b[39m: 1 service, 1 host inspected');
});
