/**
 * Reads the results of `make bench` (bench/results/*.json) and the head comments of its questions
 * (bench/questions/*.ts).
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

export interface ResultRow {
  readonly case: string;
  readonly value: number;
  readonly unit: string;
  readonly reference: number | null;
  /** The value divided by the reference. */
  readonly ratio: number | null;
  /** CPU time for each packet in ns, and divided by that of the reference. */
  readonly cpu?: { readonly value: number; readonly ratio: number | null };
}

export interface Result {
  readonly machine: string;
  readonly node: string;
  /** Release of the kernel. Older results lack it. */
  readonly kernel?: string;
  readonly commit: string;
  /** Name of the reference. */
  readonly against: string;
  readonly rows: readonly ResultRow[];
  /** What could not be measured. Older results lack it. */
  readonly skipped?: readonly { readonly name: string; readonly reason: string }[];
}

export function resultOf(root: string, question: string): Result {
  return JSON.parse(readFileSync(path.join(root, `bench/results/${question}.json`), 'utf8')) as Result;
}

export interface Asked {
  /** `How fast is ulvs on a wire?` */
  readonly question: string;
  /** How it is measured. Drawings and commands keep their line breaks. */
  readonly paragraphs: readonly { readonly text: string; readonly drawn: boolean }[];
}

/** The first sentence of the head comment is the question. */
export function askedBy(root: string, question: string): Asked {
  const text = readFileSync(path.join(root, `bench/questions/${question}.ts`), 'utf8');
  const comment = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(text)?.[1];
  if (comment === undefined) throw new Error(`bench/questions/${question}.ts has no head comment of several lines`);
  const parts = comment.replace(/^ \* ?/gm, '').split(/\n\s*\n/);
  const [, asked = '', rest = ''] = /^([^?]*\?)\s*([\s\S]*)$/.exec(parts[0]!) ?? [];
  const paragraphs = [rest, ...parts.slice(1)].filter((part) => part.trim() !== '');
  return {
    question: asked.replace(/\s+/g, ' '),
    paragraphs: paragraphs.map((part) => ({ text: part.replace(/^ {4}/gm, ''), drawn: part.startsWith('    ') })),
  };
}

/** The row of a case. Throws when there is none. */
export function rowOf(result: Result, name: string): ResultRow {
  const row = result.rows.find((one) => one.case === name);
  if (row === undefined) throw new Error(`bench/results: no case "${name}"`);
  return row;
}

/** Three significant digits; from 1000 on a whole number with commas. */
export function figure(value: number): string {
  if (Math.abs(value) < 1000) return value.toPrecision(3);
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

export function ratioText({ ratio }: Pick<ResultRow, 'ratio'>): string {
  return ratio === null ? '' : `× ${ratio < 1000 ? ratio.toPrecision(3) : ratio.toFixed(0)}`;
}

/** Times, sizes, instructions and losses; all other units are rates. */
const LESS = /^(p\d+ )?(ns|us|µs|ms|MiB|%|instructions)( a packet|\/|$)/;

export function isLessBetter(unit: string): boolean {
  return LESS.test(unit);
}
