/**
 * Prints runs as a table like the HOWTO's (5.15): packets in, packets out, CPU idle; and the
 * delays.
 */
import { type FloodRun, inRate, loss, outRate } from './flood.js';
import type { Loss } from './losses.js';

const HEADINGS = ['', 'in/s', 'out/s', 'loss', 'CPU idle', 'director', 'p50', 'p90', 'p99', 'p99.9'] as const;
const WIDTHS = [26, 11, 11, 9, 10, 10, 9, 9, 9, 9];

export interface Line {
  readonly label: string;
  readonly run: FloodRun;
}

export function tableText(lines: readonly Line[]): string {
  return [row(HEADINGS), ...lines.map(({ label, run }) => row([label, ...cells(run)]))].join('\n');
}

function cells(run: FloodRun): string[] {
  const { idle, cpu, delays } = run;
  return [
    grouped(inRate(run)),
    grouped(outRate(run)),
    `${(100 * loss(run)).toFixed(3)}%`,
    percent(idle),
    percent(cpu),
    ...[delays.p50, delays.p90, delays.p99, delays.p999].map(micros),
  ];
}

function row(columns: readonly string[]): string {
  return columns.map((column, i) => (i === 0 ? column.padEnd(WIDTHS[i]!) : column.padStart(WIDTHS[i]!))).join('');
}

/** Groups digits by three: 812 345. */
export function grouped(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ');
}

function percent(part: number): string {
  return Number.isNaN(part) ? '–' : `${Math.round(100 * part)}%`;
}

function micros(value: number): string {
  if (Number.isNaN(value)) return '–';
  return value >= 10_000 ? `${(value / 1000).toFixed(0)} ms` : `${value.toFixed(value < 100 ? 1 : 0)} µs`;
}

export function lossText(losses: readonly Loss[]): string {
  return losses
    .map(({ reason, text, frames }) => `  ${reason.padEnd(18)}${grouped(frames).padStart(14)}  ${text}`)
    .join('\n');
}
