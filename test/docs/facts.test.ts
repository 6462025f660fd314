/** What the documents count and list is what there is: topologies, faults, findings, scenarios. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { faults } from '../../src/lab/faults/index.js';
import { events } from '../../src/lab/outage/events.js';
import { topologies } from '../../src/lab/topologies/index.js';
import { recordedScenarios } from '../support/recorded.js';
import { codeSpans, documents, ROOT } from './markdown.js';

const docs = documents();
const doctor = docs.find(({ file }) => file === 'docs/doctor.md')!;
const howto = docs.filter(({ file }) => file.startsWith('docs/howto/'));

/** Numbers that documents write before these words; line breaks and one word may stand between. */
function counted(what: string): { file: string; number: number }[] {
  const words = new RegExp(`\\b(\\d+)\\s+(?:recorded\\s+)?${what}\\b`, 'g');
  return docs
    .filter(({ file }) => file !== 'CHANGELOG.md')
    .flatMap(({ file, text }) => [...text.matchAll(words)].map(([, number]) => ({ file, number: Number(number) })));
}

/** Names of findings in the doctor's sources; those of probes are made of their answers. */
function findings(): string[] {
  const folder = path.join(ROOT, 'src/doctor');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...readFileSync(path.join(folder, file), 'utf8').matchAll(/\bid: '([\w-]+)'/g)])
    .map(([, id]) => id!);
}

describe('numbers in the documents', () => {
  it.each([
    ['topologies', topologies.length],
    ['mistakes', faults.length],
    ['scenarios', recordedScenarios().size],
  ])('of %s are right', (what, number) => {
    const said = counted(what);
    expect(said.length).toBeGreaterThan(0);
    expect(said.filter((one) => one.number !== number)).toEqual([]);
  });
});

describe('the chapters', () => {
  const named = new Set(howto.flatMap(codeSpans));

  it('name every topology', () => {
    expect(topologies.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
  });
});

describe('the page of faults', () => {
  const page = docs.find(({ file }) => file === 'docs/reliability.md')!;
  const names: readonly string[] = events.map(({ name }) => name);

  it('names every event of an outage', () => {
    const said = new Set(codeSpans(page).flatMap((span) => span.split(' ')));
    expect(names.filter((name) => name !== 'nothing' && !said.has(name))).toEqual([]);
  });

  it('has a lab command that is there, in each row', () => {
    const rows = page.text.split('\n').filter((line) => line.startsWith('| '));
    const commands = rows.map((row) => /`([^`]+)`(?:, `[^`]+`)? \|$/.exec(row)?.[1]).filter((one) => one !== undefined);
    expect(commands.length).toBeGreaterThan(18);
    expect(commands.filter((command) => !isThere(command))).toEqual([]);
  });

  function isThere(command: string): boolean {
    const lab = /^ulvs lab test ([\w-]+)$/.exec(command)?.[1];
    if (lab !== undefined) return topologies.some(({ name }) => name === lab);
    return names.includes(command) || command === 'ulvs lab outage';
  }
});

describe('the page of the doctor', () => {
  const named = new Set(codeSpans(doctor));

  it('names every finding', () => {
    expect(findings().length).toBeGreaterThan(20);
    expect(findings().filter((id) => !named.has(id))).toEqual([]);
  });

  it('names every fault', () => {
    expect(faults.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
  });

  it('names the finding that each fault expects', () => {
    expect(faults.map(({ expects }) => expects).filter((id) => !named.has(id))).toEqual([]);
  });

  /** The second column of the table of findings, and what troubleshooting.md has in parentheses. */
  function namedFindings(): string[] {
    const rows = [...doctor.text.matchAll(/^\| [^|]*\? \|([^|]*)\|[^|]*\|$/gm)].map(([, cell]) => cell!);
    const text = docs.find(({ file }) => file === 'docs/troubleshooting.md')!.text;
    const parentheses = [...text.matchAll(/\(((?:`[\w-]+`(?:, )?)+)\)/g)].map(([, inside]) => inside!);
    return [...rows, ...parentheses].flatMap((cell) => [...cell.matchAll(/`([\w-]+)`/g)].map(([, id]) => id!));
  }

  it('names no finding that there is not', () => {
    expect(namedFindings().length).toBeGreaterThan(40);
    expect(namedFindings().filter((id) => !findings().includes(id))).toEqual([]);
  });
});
