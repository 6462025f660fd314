/**
 * The traces in the documents are what trace says. A fence ```trace NAME holds records of the scenario NAME; each of them must
 * come out of a replay, word for word.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/control/server/trace-filter.js';
import { Trace } from '../../src/dataplane/trace/trace.js';
import { replayScenario } from '../../src/replay/scenario.js';
import { formatRecord } from '../../src/trace/format.js';
import { recordedScenario } from '../support/recorded.js';

/** The records that a document shows, with the scenario each comes from. */
function shownIn(file: string): { scenario: string; record: string }[] {
  const fences = readFileSync(file, 'utf8').matchAll(/^```trace (\S+)\n([\s\S]*?)^```$/gm);
  return [...fences].flatMap(([, scenario, text]) =>
    text!
      .trim()
      .split('\n\n')
      .map((record) => ({ scenario: scenario!, record })),
  );
}

async function told(scenario: string): Promise<string[]> {
  const records: string[] = [];
  await replayScenario(recordedScenario(scenario), ({ director }) => {
    const spec = { filter: parseFilter(''), dropsOnly: false, count: Number.POSITIVE_INFINITY };
    director.trace = new Trace(director, spec, (record) => records.push(formatRecord(record)));
  });
  return records;
}

describe.each([
  ['README.md', 1],
  ['docs/tracing.md', 3],
])('%s', (file, least) => {
  it('shows traces', () => {
    expect(shownIn(file).length).toBeGreaterThanOrEqual(least);
  });

  it.each(shownIn(file))('shows a trace of $scenario as it is', async ({ scenario, record }) => {
    expect(await told(scenario)).toContain(record);
  });
});
