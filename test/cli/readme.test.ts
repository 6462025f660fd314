/** What the README shows of trace is what trace says. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { formatRecord } from '../../src/cli/trace/format.js';
import { parseFilter } from '../../src/control/server/trace-filter.js';
import { Trace } from '../../src/dataplane/trace/trace.js';
import { replayScenario } from '../../src/replay/scenario.js';
import { recordedScenario } from '../support/recorded.js';

const FIRST = '1.000 ms  in eth1';

function shown(): string[] {
  const text = readFileSync('README.md', 'utf8');
  const from = text.indexOf(FIRST);
  return text.slice(from, text.indexOf('```', from)).trim().split('\n\n');
}

async function told(scenario: string): Promise<string[]> {
  const records: string[] = [];
  await replayScenario(recordedScenario(scenario), ({ director }) => {
    const spec = { filter: parseFilter(''), dropsOnly: false, count: Number.POSITIVE_INFINITY };
    director.trace = new Trace(director, spec, (record) => records.push(formatRecord(record)));
  });
  return records;
}

it.each([
  ['a NAT reply', 0, 'nat-basic'],
  ['a dropped fragment', 1, 'frag-overlap'],
  ['the SYN of a fwmark service', 2, 'fwmark-vipless'],
])('%s, as in the README', async (_, i, scenario) => {
  expect(await told(scenario)).toContain(shown()[i]);
});
