/**
 * Writes the results of a question: a table on the screen, bench/results/NAME.json and a plot
 * beside it. With --quick the files go to build/bench/results.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { RESULTS } from './options.js';
import { barPlot } from './plot.js';
import type { Skip } from './skips.js';

export interface Row {
  readonly case: string;
  readonly value: number;
  readonly unit: string;
  /** The reference, in the same unit; undefined when there is none. */
  readonly reference?: number | undefined;
  /** Where the reference is the best of several: all of them, by name. */
  readonly references?: Readonly<Record<string, number>>;
  /** CPU time for each packet in ns, and that of the reference. */
  readonly cpu?: { readonly value: number; readonly reference?: number | undefined };
}

/** A row as the file has it. */
export interface KeptRow extends Omit<Row, 'reference' | 'cpu'> {
  readonly reference: number | null;
  readonly ratio: number | null;
  readonly cpu?: { readonly value: number; readonly reference?: number | null };
}

export interface Benchmark {
  /** File name of the results. */
  readonly name: string;
  /** The question it answers. */
  readonly title: string;
  /** Name of the reference, for example `C -O2`. */
  readonly against: string;
  readonly rows: readonly Row[];
  /** What could not be measured and has no rows. */
  readonly skipped?: readonly Skip[];
  /** Single runs that the rows are made of, where they are kept. */
  readonly runs?: unknown;
}

/**
 * Prints the rows with their ratios (value divided by reference) and writes the result files. A new
 * run replaces the files. Throws an Error when there are no rows.
 */
export function report({ name, title, against, rows, skipped = [], runs }: Benchmark): void {
  if (rows.length === 0) throw new Error(`${name}: nothing could be measured`);
  const kept = rows.map((row) => ({
    ...row,
    reference: row.reference ?? null,
    ratio: ratioOf(row) ?? null,
    ...(row.cpu && { cpu: { ...row.cpu, ratio: ratioOf(row.cpu) ?? null } }),
  }));
  print(title, against, rows);
  mkdirSync(RESULTS, { recursive: true });
  const circumstances = { machine: machine(), kernel: release(), node: process.version, commit: commit() };
  const results = { ...circumstances, against, rows: kept, skipped, runs };
  writeFileSync(resultFile(name), `${pairsInLine(JSON.stringify(results, null, 2))}\n`);
  const unit = rows[0]!.unit;
  const bars = rows.filter((row) => row.unit === unit).map(barOf);
  writeFileSync(`${RESULTS}/${name}.svg`, barPlot(title, unit, ['ulvs', against], bars));
}

/** Pairs of numbers, of which histograms have many, do not take four lines each. */
function pairsInLine(json: string): string {
  return json.replace(/\[\s+(\d+),\s+(\d+)\s+\](,?)\s+/g, '[$1,$2]$3 ');
}

export function resultFile(name: string): string {
  return `${RESULTS}/${name}.json`;
}

/** The last results of a question, as the file has them; empty: there are none. */
export function formerResults(name: string): { rows?: KeptRow[]; runs?: unknown } {
  if (!existsSync(resultFile(name))) return {};
  return JSON.parse(readFileSync(resultFile(name), 'utf8')) as { rows: KeptRow[]; runs?: unknown };
}

export function formerRows(name: string): Row[] {
  const { rows = [] } = formerResults(name);
  return rows.map(({ ratio: _, reference, cpu, ...row }) => ({
    ...row,
    reference: reference ?? undefined,
    ...(cpu && { cpu: { value: cpu.value, reference: cpu.reference ?? undefined } }),
  }));
}

/** The former rows in their order, those that were made anew in their place; then the new ones. */
export function merged(former: readonly Row[], made: readonly Row[]): Row[] {
  const anew = new Map(made.map((row) => [row.case, row]));
  const known = new Set(former.map((row) => row.case));
  return [...former.map((row) => anew.get(row.case) ?? row), ...made.filter((row) => !known.has(row.case))];
}

function ratioOf({ value, reference }: Pick<Row, 'value' | 'reference'>): number | undefined {
  return reference === undefined ? undefined : Number((value / reference).toFixed(3));
}

function barOf(row: Row) {
  const ratio = ratioOf(row);
  const text = ratio === undefined ? `${round(row.value)}` : `${round(row.value)}, x${ratio.toFixed(2)}`;
  return { label: row.case, value: row.value, reference: row.reference, text };
}

function print(title: string, against: string, rows: readonly Row[]): void {
  const width = Math.max(...rows.map((row) => row.case.length));
  console.log(`\n${title}`);
  console.log(`${' '.repeat(width)} ${'ulvs'.padStart(10)} ${against.padStart(12)} ${'ratio'.padStart(6)}`);
  for (const row of rows) {
    const reference = row.reference === undefined ? '' : round(row.reference);
    const ratio = ratioOf(row)?.toFixed(2) ?? '';
    const columns = `${round(row.value).padStart(10)} ${reference.padStart(12)} ${ratio.padStart(6)}`;
    console.log(`${row.case.padEnd(width)} ${columns}  ${row.unit}${cpuText(row)}${all(row)}`);
  }
}

function cpuText({ cpu }: Row): string {
  if (cpu === undefined) return '';
  return `  CPU ${round(cpu.value)} ns a packet${cpu.reference === undefined ? '' : `, x${ratioOf(cpu)!.toFixed(2)}`}`;
}

/** All references of a row, where it has several. */
function all({ references = {} }: Row): string {
  return Object.entries(references)
    .map(([name, value]) => `  ${name} ${round(value)}`)
    .join('');
}

function round(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

export function machine(): string {
  const all = cpus();
  return `${all.length} x ${all[0]?.model.trim() ?? 'unknown processor'}`;
}

export function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown (no git here)';
  }
}
