/**
 * `make bench` continues when a program is missing or a contender fails, and names what it skips.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ask } from '../../bench/support/ask.js';
import { Findings } from '../../bench/support/http/findings.js';
import { report } from '../../bench/support/result.js';
import { Skips } from '../../bench/support/skips.js';

let said: string[];
beforeEach(() => {
  said = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => void said.push(line));
});
afterEach(() => void vi.restoreAllMocks());

describe('a question', () => {
  it('whose programs are missing is skipped, and they are named', async () => {
    const question = { name: 'wire', programs: ['sh', 'no-such-program', 'nor-this'] };
    const reason = 'no-such-program, nor-this not installed (scripts/setup.sh bench installs what is missing)';
    expect(await ask(question, [])).toEqual({ question, state: 'skipped', seconds: 0, reason });
    expect(said).toEqual([`skipped: wire: ${reason}`]);
  });

  it('that ends with an error has failed', async () => {
    // The benchmarks are not compiled here, so the file of the question does not exist.
    expect(await ask({ name: 'pipeline' }, [])).toMatchObject({
      state: 'failed',
      reason: 'exit code 1 (its output is above)',
    });
    expect(said).toEqual(['bench: pipeline failed: exit code 1 (its output is above)']);
  });

  it('of which nothing could be measured has failed', () => {
    const nothing = { name: 'wire', title: '', against: '', rows: [] };
    expect(() => report(nothing)).toThrow('wire: nothing could be measured');
  });
});

describe('a contender that fails', () => {
  it('is skipped with one line that says why', () => {
    const skips = new Skips();
    skips.add('testpmd', new Error('testpmd ended at once: EAL: no\nand more'));
    skips.add('HAProxy', '');
    skips.add('nginx', 'x'.repeat(1000));
    expect(skips.all.slice(0, 2)).toEqual([
      { name: 'testpmd', reason: 'testpmd ended at once: EAL: no' },
      { name: 'HAProxy', reason: 'no reason was given' },
    ]);
    expect(skips.all[2]!.reason).toHaveLength(302);
    expect([skips.has('testpmd'), skips.has('pipeline')]).toEqual([true, false]);
    expect(said[0]).toBe('skipped: testpmd: testpmd ended at once: EAL: no');
  });

  it('has no rows in the part in which it failed, and keeps the others', () => {
    const findings = new Findings();
    for (const part of ['apart', 'shared'])
      for (const who of ['HAProxy', 'ulvs']) findings.add({ what: `${part}, 100 kB`, unit: 'requests/s' }, who, 7);
    findings.forget('apart', 'HAProxy');
    const rows = findings.rows(['HAProxy', 'ulvs'], 'HAProxy', ['requests/s']);
    expect(rows.map((row) => [row.case, row.reference])).toEqual([
      ['apart, 100 kB: ulvs', undefined],
      ['shared, 100 kB: HAProxy', undefined],
      ['shared, 100 kB: ulvs', 7],
    ]);
    expect(findings.has('apart, 100 kB', 'HAProxy')).toBe(false);
    expect(findings.has('shared, 100 kB', 'HAProxy')).toBe(true);
  });
});
